package io.connectionledger.admission.http;

import io.connectionledger.admission.NoDecisions;
import io.connectionledger.admission.NoSimulations;
import io.connectionledger.admission.ScriptedLedger;
import io.connectionledger.admission.ScriptedPolicies;
import io.connectionledger.admission.decisionlog.DecisionArchive;
import io.connectionledger.admission.http.auth.HttpAccess;
import io.connectionledger.admission.http.port.HttpSettings;
import io.connectionledger.model.Ticker;
import io.connectionledger.model.view.Simulations;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.util.List;
import java.util.function.Supplier;
import org.eclipse.jetty.server.Handler;

/** The HTTP ports in front of a scripted ledger; what a test does not set does nothing. */
public final class TestServer {

  public Handler checks = new NoChecks();
  public ScriptedLedger ledger = new ScriptedLedger();
  public ScriptedPolicies policies = new ScriptedPolicies();
  public final MemoryAuditTrail audit = new MemoryAuditTrail();
  public DecisionArchive decisions = new NoDecisions();
  public Simulations simulations = new NoSimulations();
  public Supplier<String> metrics = () -> "";
  public Supplier<List<String>> unready = List::of;
  public Ticker ticker = Ticker.system();
  public HttpSettings settings = HttpSettings.on("127.0.0.1", 0);
  public HttpAccess access = HttpAccess.open();
  public final SimpleMeterRegistry registry = new SimpleMeterRegistry();

  static QueryServer start(
      ScriptedLedger ledger, ScriptedPolicies policies, Simulations simulations, long nowMs) {
    TestServer server = new TestServer();
    server.ledger = ledger;
    server.policies = policies;
    server.simulations = simulations;
    server.ticker = () -> nowMs * 1_000_000;
    return server.start();
  }

  public QueryServer start() {
    return QueryServer.start(
        settings,
        access,
        new QueryServer.Parts(
            checks, ledger, policies, audit, decisions, simulations, metrics, unready),
        ticker,
        registry);
  }

  /** How often something was refused for this reason. */
  double refused(String reason) {
    return registry.get("ledger.http.refused").tag("reason", reason).counter().count();
  }
}
