package io.connectionledger.admission.peer.grpc;

import static org.assertj.core.api.Assertions.assertThat;

import io.connectionledger.admission.RecordingCall;
import io.connectionledger.admission.ScriptedLedger;
import io.connectionledger.admission.check.Admission;
import io.connectionledger.admission.check.Durability;
import io.connectionledger.admission.decisionlog.DecisionPublisher;
import io.connectionledger.admission.metrics.AdmissionMetrics;
import io.connectionledger.admission.peer.Peers;
import io.connectionledger.admission.peer.proto.PoolRequest;
import io.connectionledger.admission.peer.proto.PoolResponse;
import io.connectionledger.testkit.ManualTicker;
import io.grpc.Status;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.util.ArrayDeque;
import java.util.Queue;
import org.junit.jupiter.api.Test;

final class PeerServiceTest {

  private final ManualTicker ticker = new ManualTicker();
  private final ScriptedLedger ledger = new ScriptedLedger();

  /** Queries that nobody works on yet. */
  private final Queue<Runnable> underway = new ArrayDeque<>();

  private final PeerService service = service();

  private PeerService service() {
    AdmissionMetrics metrics = new AdmissionMetrics(new SimpleMeterRegistry());
    Admission admission =
        new Admission(
            ledger.ledger(),
            Peers.NONE,
            new DecisionPublisher(
                (decision, awaited, callback) -> callback.onCompletion(null, null),
                metrics,
                ticker),
            Durability.FAST,
            metrics,
            ticker);
    return new PeerService(admission.local(), ledger.ledger(), underway::add, ticker);
  }

  private RecordingCall<PoolResponse> query() {
    RecordingCall<PoolResponse> call = new RecordingCall<>();
    service.connections(PoolRequest.newBuilder().setPool("chat").build(), call);
    return call;
  }

  @Test
  void shouldRefuseAQueryTooManyAndTakeAnotherWhenOneIsAnswered() {
    for (int i = 0; i < PeerService.MAX_QUERIES; i++) {
      assertThat(query().error).isNull();
    }

    RecordingCall<PoolResponse> refused = query();

    assertThat(refused.error)
        .extracting(failure -> Status.fromThrowable(failure).getCode())
        .isEqualTo(Status.Code.RESOURCE_EXHAUSTED);
    assertThat(underway).hasSize(PeerService.MAX_QUERIES);
    underway.remove().run();
    assertThat(query().error).isNull();
    assertThat(query().error).isNotNull();
  }
}
