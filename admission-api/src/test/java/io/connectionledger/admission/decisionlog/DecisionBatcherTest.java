package io.connectionledger.admission.decisionlog;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.connectionledger.model.PodAddress;
import io.connectionledger.model.event.Decision;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.apache.kafka.clients.producer.Callback;
import org.junit.jupiter.api.Test;

final class DecisionBatcherTest {

  private static final Callback NOBODY = (recorded, failure) -> {};

  private final List<String> sent = new CopyOnWriteArrayList<>();

  @Test
  void shouldPassOnWhatNobodyWaitsForInItsOrder() {
    // Given
    try (DecisionBatcher batcher = recording()) {
      // When
      IntStream.range(0, 1_000).forEach(i -> batcher.send(decision("r-" + i), false, NOBODY));
      // Then
      await().until(() -> sent.size() == 1_000);
      assertThat(sent)
          .containsExactlyElementsOf(IntStream.range(0, 1_000).mapToObj(i -> "r-" + i).toList());
    }
  }

  @Test
  void shouldPassOnWhatCameBeforeWithADecisionThatIsAwaited() throws InterruptedException {
    // Given
    CountDownLatch recorded = new CountDownLatch(1);
    DecisionLog log =
        (decision, awaited, callback) -> {
          sent.add(decision.id());
          callback.onCompletion(null, null);
        };
    try (DecisionBatcher batcher = new DecisionBatcher(log)) {
      batcher.send(decision("r-1"), false, NOBODY);
      // When
      batcher.send(decision("r-2"), true, (done, failure) -> recorded.countDown());
      // Then
      assertThat(recorded.await(10, TimeUnit.SECONDS)).isTrue();
      assertThat(sent).containsExactly("r-1", "r-2");
    }
  }

  @Test
  void shouldHavePassedOnEverythingWhenDrained() {
    // Given
    try (DecisionBatcher batcher = recording()) {
      batcher.send(decision("r-1"), false, NOBODY);
      // When
      batcher.drain();
      // Then
      assertThat(sent).containsExactly("r-1");
    }
  }

  @Test
  void shouldLoseNothingWhenClosed() {
    // Given
    DecisionBatcher batcher = recording();
    batcher.send(decision("r-1"), false, NOBODY);
    // When
    batcher.close();
    batcher.send(decision("r-2"), false, NOBODY);
    // Then
    assertThat(sent).containsExactly("r-1", "r-2");
  }

  private DecisionBatcher recording() {
    return new DecisionBatcher((decision, awaited, callback) -> sent.add(decision.id()));
  }

  private static Decision decision(String id) {
    return new Decision.Allowed("chat", id, new PodAddress("10.0.0.7", 8080), 0, 1);
  }
}
