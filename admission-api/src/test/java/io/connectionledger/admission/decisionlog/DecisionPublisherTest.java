package io.connectionledger.admission.decisionlog;

import static org.assertj.core.api.Assertions.assertThat;

import io.connectionledger.admission.metrics.AdmissionMetrics;
import io.connectionledger.model.PodAddress;
import io.connectionledger.model.event.Decision;
import io.connectionledger.model.event.RejectionReason;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.util.ArrayDeque;
import java.util.Deque;
import org.apache.kafka.clients.producer.Callback;
import org.apache.kafka.common.errors.TimeoutException;
import org.junit.jupiter.api.Test;

final class DecisionPublisherTest {

  private static final Decision.Rejected REJECTED =
      new Decision.Rejected("chat", "d-1", RejectionReason.POD_LIMIT, null, 1, 1);
  private static final Decision.Allowed ALLOWED =
      new Decision.Allowed("chat", "r-1", new PodAddress("10.0.0.7", 8080), 0, 1);

  private final SimpleMeterRegistry registry = new SimpleMeterRegistry();
  private final Deque<Callback> sent = new ArrayDeque<>();
  private final DecisionPublisher publisher =
      new DecisionPublisher(
          (decision, awaited, callback) -> sent.add(callback),
          new AdmissionMetrics(registry),
          () -> 1);

  @Test
  void shouldDropAndCountRejectionsBeyondTheBoundButNoAllowed() {
    // Given
    for (int i = 0; i < DecisionPublisher.MAX_PENDING_REJECTIONS; i++) {
      publisher.publish(REJECTED);
    }
    // When
    publisher.publish(REJECTED);
    publisher.publish(ALLOWED, false, (recorded, failure) -> {});
    // Then
    assertThat(sent).hasSize(DecisionPublisher.MAX_PENDING_REJECTIONS + 1);
    assertThat(dropped()).isEqualTo(1);
  }

  @Test
  void shouldRecordRejectionsAgainOnceKafkaHasCaughtUp() {
    // Given
    for (int i = 0; i <= DecisionPublisher.MAX_PENDING_REJECTIONS; i++) {
      publisher.publish(REJECTED);
    }
    sent.removeFirst().onCompletion(null, null);
    int sentBefore = sent.size();
    // When
    publisher.publish(REJECTED);
    // Then
    assertThat(sent).hasSize(sentBefore + 1);
    assertThat(dropped()).isEqualTo(1);
  }

  @Test
  void shouldCountRejectionsThatKafkaRefused() {
    // Given
    publisher.publish(REJECTED);
    // When
    sent.removeFirst().onCompletion(null, new TimeoutException("no room"));
    // Then
    assertThat(dropped()).isEqualTo(1);
  }

  private double dropped() {
    return registry.get("ledger.decisions.dropped").counter().count();
  }
}
