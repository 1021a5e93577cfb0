package io.connectionledger.admission.authz;

import com.code_intelligence.jazzer.junit.FuzzTest;
import com.google.protobuf.InvalidProtocolBufferException;
import io.connectionledger.admission.RecordingCall;
import io.connectionledger.admission.ScriptedLedger;
import io.connectionledger.admission.check.Admission;
import io.connectionledger.admission.check.Durability;
import io.connectionledger.admission.decisionlog.DecisionPublisher;
import io.connectionledger.admission.metrics.AdmissionMetrics;
import io.connectionledger.admission.peer.Peers;
import io.connectionledger.model.PodAddress;
import io.connectionledger.model.Ticker;
import io.connectionledger.model.event.Decision;
import io.envoyproxy.envoy.service.auth.v3.CheckRequest;
import io.envoyproxy.envoy.service.auth.v3.CheckResponse;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;

/** Whatever a client has Envoy ask: it is answered once, or refused. */
class CheckRequestFuzzTest {

  private static final Ticker TICKER = () -> 1_800_000_000_000_000_000L;

  @FuzzTest(maxDuration = "1m")
  void check(byte[] bytes) {
    CheckRequest request;
    try {
      request = CheckRequest.parseFrom(bytes);
    } catch (InvalidProtocolBufferException noMessage) {
      // gRPC has refused it before it comes to us.
      return;
    }
    ScriptedLedger ledger = new ScriptedLedger();
    ledger.pools.add("chat");
    ledger.decisions.add(
        new Decision.Allowed("chat", "r-1", PodAddress.parse("10.0.0.7:80"), 0, TICKER.nowMs()));
    AdmissionMetrics metrics = new AdmissionMetrics(new SimpleMeterRegistry());
    DecisionPublisher publisher =
        new DecisionPublisher(
            (decision, awaited, done) -> done.onCompletion(null, null), metrics, TICKER);
    RecordingCall<CheckResponse> call = new RecordingCall<>();

    new CheckService(
            new Admission(ledger.ledger(), Peers.NONE, publisher, Durability.FAST, metrics, TICKER))
        .check(request, call);

    if (call.responses.size() + (call.error == null ? 0 : 1) != 1) {
      throw new IllegalStateException("answered " + call.responses.size() + " times");
    }
  }
}
