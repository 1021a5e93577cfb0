package io.connectionledger.admission.decisionlog;

import static org.assertj.core.api.Assertions.assertThat;

import io.connectionledger.admission.metrics.AdmissionMetrics;
import io.connectionledger.model.PodAddress;
import io.connectionledger.model.event.Decision;
import io.connectionledger.model.event.RejectionReason;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.kafka.clients.producer.Callback;
import org.apache.kafka.common.errors.TimeoutException;
import org.junit.jupiter.api.Test;

final class DecisionPublisherTest {

  private static final Decision.Rejected REJECTED =
      new Decision.Rejected("chat", "d-1", RejectionReason.POD_LIMIT, null, 1, 1);
  private static final Decision.Allowed ALLOWED =
      new Decision.Allowed("chat", "r-1", new PodAddress("10.0.0.7", 8080), 0, 1);

  private final SimpleMeterRegistry registry = new SimpleMeterRegistry();
  private final AtomicLong nowNanos = new AtomicLong(1);
  private final Deque<Decision> sent = new ArrayDeque<>();
  private final Deque<Callback> callbacks = new ArrayDeque<>();
  private final DecisionPublisher publisher =
      new DecisionPublisher(
          (decision, awaited, callback) -> {
            sent.add(decision);
            callbacks.add(callback);
          },
          new AdmissionMetrics(registry),
          nowNanos::get);

  /** As many as are recorded one by one, in seconds of their own. */
  private void fillUp() {
    for (int i = 0; i < DecisionPublisher.MAX_PENDING_REJECTIONS; i++) {
      if (i % RejectionCounts.RECORDS == 0) {
        nowNanos.addAndGet(1_000_000_000);
      }
      publisher.publish(REJECTED);
    }
    nowNanos.addAndGet(1_000_000_000);
  }

  @Test
  void shouldOnlyCountRejectionsWhileKafkaIsBehindButNoAllowed() {
    // Given
    fillUp();
    // When
    publisher.publish(REJECTED);
    publisher.publish(REJECTED);
    publisher.publish(ALLOWED, false, (recorded, failure) -> {});
    publisher.recordAllCounted();
    // Then
    assertThat(sent).hasSize(DecisionPublisher.MAX_PENDING_REJECTIONS + 2);
    assertThat(sent.removeLast().attempts()).isEqualTo(2);
    assertThat(sent.removeLast()).isEqualTo(ALLOWED);
    assertThat(dropped()).isZero();
  }

  @Test
  void shouldRecordRejectionsAgainOnceKafkaHasCaughtUp() {
    // Given
    fillUp();
    callbacks.removeFirst().onCompletion(null, null);
    int sentBefore = sent.size();
    // When
    publisher.publish(REJECTED);
    // Then
    assertThat(sent).hasSize(sentBefore + 1);
  }

  @Test
  void shouldCountRejectionsThatKafkaRefused() {
    // Given
    publisher.publish(REJECTED);
    // When
    callbacks.removeFirst().onCompletion(null, new TimeoutException("no room"));
    // Then
    assertThat(dropped()).isEqualTo(1);
  }

  @Test
  void shouldCountAllOfAFloodThatKafkaRefused() {
    // Given
    for (int i = 0; i < RejectionCounts.RECORDS + 20; i++) {
      publisher.publish(REJECTED);
    }
    nowNanos.addAndGet(1_000_000_000);
    publisher.recordCounted();
    // When
    callbacks.removeLast().onCompletion(null, new TimeoutException("no room"));
    // Then
    assertThat(dropped()).isEqualTo(20);
  }

  private double dropped() {
    return registry.get("ledger.decisions.dropped").counter().count();
  }
}
