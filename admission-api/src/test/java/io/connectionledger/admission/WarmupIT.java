package io.connectionledger.admission;

import static org.assertj.core.api.Assertions.assertThat;

import io.connectionledger.model.Ticker;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

final class WarmupIT {

  private static final int CHECKS = 4_000;

  @ParameterizedTest
  @EnumSource(Durability.class)
  void shouldSendChecksThroughARealServerAndReturn(Durability durability) {
    // Given
    AtomicInteger taken = new AtomicInteger();
    // When
    int answered =
        new Warmup(
                new ScriptedLedger(),
                Ticker.system(),
                durability,
                (record, callback) -> taken.incrementAndGet(),
                CHECKS,
                () -> 0)
            .run(() -> false);
    // Then
    assertThat(answered).isBetween(100, CHECKS);
    assertThat(taken).hasValueGreaterThanOrEqualTo(answered / 2);
  }

  @Test
  void shouldNotMindAKafkaThatTakesNothing() {
    // Given
    DecisionLog broken =
        (record, callback) -> {
          throw new IllegalStateException("no broker");
        };
    // When
    int answered =
        new Warmup(new ScriptedLedger(), Ticker.system(), Durability.FAST, broken, CHECKS, () -> 0)
            .run(() -> false);
    // Then
    assertThat(answered).isBetween(100, CHECKS);
  }

  @Test
  void shouldEndWhenItIsEnoughButNotBeforeTheLeast() {
    // When
    int answered =
        new Warmup(
                new ScriptedLedger(),
                Ticker.system(),
                Durability.FAST,
                (record, callback) -> {},
                Integer.MAX_VALUE,
                () -> 0)
            .run(() -> true);
    // Then
    assertThat(answered).isEqualTo(Warmup.LEAST);
  }

  @Test
  void shouldGoOnUntilTheCompilersHaveCaughtUp() {
    // Given
    AtomicLong looks = new AtomicLong();
    // When
    int unused =
        new Warmup(
                new ScriptedLedger(),
                Ticker.system(),
                Durability.FAST,
                (record, callback) -> {},
                1,
                // Two looks a round: they work for three rounds, and then no more.
                () -> 1_000 * Math.min(looks.incrementAndGet(), 6))
            .run(() -> true);
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
        new Warmup(
                new ScriptedLedger(),
                aSecondALook,
                Durability.FAST,
                (record, callback) -> {},
                CHECKS,
                () -> 0)
            .run(() -> false);
    // Then
    assertThat(answered).isLessThan(10);
  }
}
