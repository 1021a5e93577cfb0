package io.connectionledger.streams.rules;

import static org.assertj.core.api.Assertions.assertThat;

import io.connectionledger.model.policy.PoolPolicy;
import io.connectionledger.testkit.PolicyFixtures;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class TokenBucketTest {

  private static final long SECOND = 1_000_000_000;
  private static final long START = 1_800_000_000 * SECOND;

  @Test
  void shouldNeverGiveMoreThanTheNewBurstAtOnceAfterAChange() {
    for (long seed = 0; seed < 5_000; seed++) {
      Random random = new Random(seed);
      TokenBucket bucket = new TokenBucket(policy(random));
      long nowNanos = START;
      for (int change = 0; change < 20; change++) {
        nowNanos += random.nextLong(10 * SECOND);
        take(bucket, nowNanos, random.nextInt(30));
        PoolPolicy next = policy(random);

        bucket = bucket.converted(next, nowNanos);

        if (next.connectionsPerSecond() != PoolPolicy.UNLIMITED_RATE) {
          assertThat(take(bucket, nowNanos, 1_000))
              .as("at once by %s, seed %d", next, seed)
              .isLessThanOrEqualTo(next.burstCapacity());
          long laterNanos = nowNanos + random.nextLong(10 * SECOND);
          assertThat(take(bucket, laterNanos, 100_000))
              .as("later by %s, seed %d", next, seed)
              .isLessThanOrEqualTo(
                  (int)
                      Math.min(
                          next.burstCapacity(),
                          1 + next.connectionsPerSecond() * (laterNanos - nowNanos) / SECOND));
          nowNanos = laterNanos;
        }
      }
    }
  }

  @Test
  void shouldHaveTheTokensOfALargerBurstAtOnce() {
    TokenBucket bucket = new TokenBucket(policy(1, 10));
    assertThat(take(bucket, START, 100)).isEqualTo(10);

    TokenBucket larger = bucket.converted(policy(1, 25), START);

    assertThat(take(larger, START, 100)).isEqualTo(15);
  }

  @Test
  void shouldRefillAtAHigherRateAtOnce() {
    TokenBucket bucket = new TokenBucket(policy(0.001, 10));
    assertThat(take(bucket, START, 100)).isEqualTo(10);

    TokenBucket faster = bucket.converted(policy(100, 10), START);

    assertThat(take(faster, START, 100)).isZero();
    assertThat(take(faster, START + SECOND / 10, 100)).isEqualTo(10);
  }

  @Test
  void shouldGiveNothingForBeingMadeSmaller() {
    TokenBucket bucket = new TokenBucket(policy(1, 10));
    assertThat(take(bucket, START, 4)).isEqualTo(4);

    TokenBucket smaller = bucket.converted(policy(1, 5), START);

    assertThat(take(smaller, START, 100)).isEqualTo(1);
  }

  @Test
  void shouldBeFullWhenTheRateWasUnlimitedBefore() {
    TokenBucket bucket = new TokenBucket(policy(PoolPolicy.UNLIMITED_RATE, 1));
    assertThat(take(bucket, START, 100)).isEqualTo(100);

    TokenBucket limited = bucket.converted(policy(1, 5), START);

    assertThat(take(limited, START, 100)).isEqualTo(5);
  }

  private static int take(TokenBucket bucket, long nowNanos, int wanted) {
    int taken = 0;
    while (taken < wanted && bucket.nanosUntilToken(nowNanos) == 0) {
      bucket.take(nowNanos);
      taken++;
    }
    return taken;
  }

  private static PoolPolicy policy(Random random) {
    return policy(
        random.nextInt(5) == 0 ? PoolPolicy.UNLIMITED_RATE : Math.pow(10, random.nextDouble(-2, 3)),
        1 + random.nextInt(40));
  }

  private static PoolPolicy policy(double perSecond, int burst) {
    return PolicyFixtures.limited("chat", perSecond, burst, 1, List.of());
  }
}
