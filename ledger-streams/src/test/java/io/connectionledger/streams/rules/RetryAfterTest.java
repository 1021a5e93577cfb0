package io.connectionledger.streams.rules;

import static org.assertj.core.api.Assertions.assertThat;

import io.connectionledger.model.PodAddress;
import io.connectionledger.model.event.Decision;
import io.connectionledger.model.policy.Pod;
import io.connectionledger.streams.rules.lease.LeaseTerms;
import io.connectionledger.testkit.PolicyFixtures;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.random.RandomGenerator;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class RetryAfterTest {

  private static final long SECOND = 1_000_000_000;
  private static final long START_NANOS = 1_800_000_000_000_000_000L;

  /** The one who draws {@code share} of the spread. */
  private static RetryAfter drawing(double share) {
    return new RetryAfter(
        new RandomGenerator() {
          @Override
          public long nextLong() {
            throw new IllegalStateException("draws doubles only");
          }

          @Override
          public double nextDouble() {
            return share;
          }
        });
  }

  @Test
  void shouldSendNobodyBackBeforeTheRealStateAllows() {
    assertThat(drawing(0).seconds(START_NANOS, 7 * SECOND, SECOND)).isEqualTo(7);
    assertThat(drawing(0).seconds(START_NANOS, 7 * SECOND + 1, SECOND)).isEqualTo(8);
    assertThat(drawing(0).seconds(START_NANOS, 0, 0)).isEqualTo(1);
  }

  @Test
  void shouldNotKeepALonelyClientMuchLonger() {
    assertThat(drawing(0.999).seconds(START_NANOS, SECOND / 2, SECOND)).isEqualTo(2);
  }

  @Test
  void shouldBoundTheSpread() {
    RetryAfter retryAfter = drawing(0.999_999);

    int last =
        IntStream.range(0, 100_000)
            .map(i -> retryAfter.seconds(START_NANOS, 5 * SECOND, SECOND))
            .reduce((first, second) -> second)
            .orElseThrow();

    assertThat(last).isEqualTo(35);
    assertThat(drawing(0.999_999).seconds(START_NANOS, 1_000 * SECOND, 1_000 * SECOND))
        .isEqualTo(1_030);
  }

  @Test
  void shouldForgetACrowdThatHadTheTimeItNeeded() {
    RetryAfter retryAfter = drawing(0.999);
    for (int i = 0; i < 20; i++) {
      int unused = retryAfter.seconds(START_NANOS, SECOND, SECOND);
    }

    int later = retryAfter.seconds(START_NANOS + 30 * SECOND, SECOND, SECOND);

    assertThat(later).isEqualTo(2);
  }

  /** 200 clients, 10 a second: they are told to come back over the 20 s that this takes. */
  @Test
  void shouldSpreadACrowdOverTheTimeThatItNeeds() {
    RetryAfter retryAfter = new RetryAfter(new Random(1));
    Map<Integer, Integer> perSecond = new TreeMap<>();

    for (int i = 0; i < 200; i++) {
      perSecond.merge(retryAfter.seconds(START_NANOS, SECOND / 10, SECOND / 10), 1, Integer::sum);
    }

    assertThat(perSecond.keySet()).allMatch(second -> second >= 1 && second <= 21);
    assertThat(perSecond).hasSizeGreaterThanOrEqualTo(18);
    assertThat(perSecond.get(1)).as("who comes back first").isLessThan(60);
  }

  /** Whoever waits as told and finds nobody else there gets in, whatever was rejected before. */
  @Test
  void shouldAdmitWhoeverWaitedAsToldAndIsAlone() {
    for (int seed = 0; seed < 500; seed++) {
      Random random = new Random(seed);
      double rate = 0.05 + random.nextDouble() * 50;
      PoolLedger ledger =
          new PoolLedger(
              PolicyFixtures.limited(
                  "chat",
                  rate,
                  1 + random.nextInt(5),
                  1_000,
                  List.of(new Pod("pod-1", PodAddress.parse("10.0.0.1:80")))),
              new LeaseTerms(Duration.ofSeconds(10), 3, Duration.ofSeconds(15)),
              START_NANOS / 1_000_000,
              random);
      int seconds = 0;
      for (int i = random.nextInt(200); i >= 0 || seconds == 0; i--) {
        if (ledger.decide(START_NANOS) instanceof Decision.Rejected rejected) {
          seconds = rejected.retryAfterSeconds();
        }
      }

      Decision obedient = ledger.decide(START_NANOS + seconds * SECOND);

      assertThat(obedient).as("seed %d", seed).isInstanceOf(Decision.Allowed.class);
    }
  }
}
