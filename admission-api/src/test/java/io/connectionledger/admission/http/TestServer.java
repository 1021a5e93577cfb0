package io.connectionledger.admission.http;

import io.connectionledger.admission.NoDecisions;
import io.connectionledger.admission.ScriptedLedger;
import io.connectionledger.admission.ScriptedPolicies;
import io.connectionledger.model.view.Simulations;
import java.util.List;

/** The HTTP port in front of a scripted ledger, without checks, decisions and metrics. */
final class TestServer {

  private TestServer() {}

  static QueryServer start(
      ScriptedLedger ledger, ScriptedPolicies policies, Simulations simulations, long nowMs) {
    return QueryServer.start(
        "127.0.0.1",
        0,
        new NoChecks(),
        ledger,
        policies,
        new NoDecisions(),
        simulations,
        () -> nowMs * 1_000_000,
        () -> "",
        List::of);
  }
}
