package io.connectionledger.admission;

import static org.assertj.core.api.Assertions.assertThat;

import io.connectionledger.model.Ticker;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongSupplier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

final class WarmupIT {

  private static final DecisionLog FREE =
      (key, value, callback) -> callback.onCompletion(null, null);

  @ParameterizedTest
  @EnumSource(Durability.class)
  void shouldSendChecksThroughARealServerAndReturn(Durability durability) {
    // Given
    AtomicInteger taken = new AtomicInteger();
    // When
    int answered =
        warmup(
                durability,
                (key, value, callback) -> {
                  taken.incrementAndGet();
                  callback.onCompletion(null, null);
                },
                () -> 0)
            .run();
    // Then
    assertThat(answered).isEqualTo(Warmup.CHECKS);
    assertThat(taken).hasValueGreaterThanOrEqualTo(answered / 2);
  }

  @Test
  void shouldNotMindAKafkaThatTakesNothing() {
    // Given
    DecisionLog broken =
        (key, value, callback) -> {
          throw new IllegalStateException("no broker");
        };
    // When
    int answered = warmup(Durability.FAST, broken, () -> 0).run();
    // Then
    assertThat(answered).isEqualTo(Warmup.CHECKS);
  }

  @Test
  void shouldGoOnUntilTheCompilersHaveCaughtUp() {
    // Given
    AtomicLong looks = new AtomicLong();
    // When
    int unused =
        warmup(
                Durability.FAST,
                FREE,
                // Two looks a round: they work for three rounds, and then no more.
                () -> 1_000 * Math.min(looks.incrementAndGet(), 6))
            .run();
    // Then
    assertThat(looks).hasValue(10);
  }

  @Test
  void shouldEndWhenItsTimeIsUp() {
    // Given
    AtomicLong nowNanos = new AtomicLong();
    Ticker aSecondALook = () -> nowNanos.addAndGet(1_000_000_000);
    // When
    int answered =
        new Warmup(new ScriptedLedger(), aSecondALook, Durability.FAST, FREE, () -> 0).run();
    // Then
    assertThat(answered).isLessThan(10);
  }

  private static Warmup warmup(Durability durability, DecisionLog log, LongSupplier compiledMs) {
    return new Warmup(new ScriptedLedger(), Ticker.system(), durability, log, compiledMs);
  }
}
