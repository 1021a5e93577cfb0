package io.connectionledger.streams.rules;

import static org.assertj.core.api.Assertions.assertThat;

import io.connectionledger.model.policy.Affinity;
import io.connectionledger.model.policy.PoolPolicy;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ScalingRuleTest {

  private static PoolPolicy policy(int limit, double target) {
    return new PoolPolicy(
        "chat",
        PoolPolicy.UNLIMITED_RATE,
        1,
        limit,
        PoolPolicy.Mode.ENFORCE,
        PoolPolicy.OnOwnerLoss.DENY,
        List.of(),
        PoolPolicy.Placement.LEAST_CONNECTIONS,
        Affinity.NONE,
        PoolPolicy.DEFAULT_SLOW_START,
        target,
        List.of(),
        List.of(),
        null);
  }

  @ParameterizedTest
  @CsvSource({
    "10, 0.8, 0, 0, 1",
    "10, 0.8, 8, 0, 1",
    "10, 0.8, 9, 0, 2",
    "10, 1, 30, 0, 3",
    "100, 0.57, 57, 0, 1",
    "1, 0.1, 3, 0, 30",
    "10, 0.8, 16, 1, 3",
    "10, 0.8, 16, 16, 3",
    "10, 0.8, 16, 17, 4",
    "10000000, 1, 0, 1, 1",
  })
  void shouldHaveAsManyPodsAsHoldTheDemandAtTheTarget(
      int limit, double target, int connections, long rejected, int pods) {
    assertThat(ScalingRule.desiredPods(policy(limit, target), connections, rejected))
        .isEqualTo(pods);
  }

  @Test
  void shouldHoldAllDemandWithNoPodTooMany() {
    SplittableRandom random = new SplittableRandom(42);
    for (int i = 0; i < 10_000; i++) {
      int limit = random.nextInt(1, 5_000);
      double target = random.nextInt(10, 101) / 100.0;
      int connections = random.nextInt(0, 2_000_000);
      long rejected = random.nextInt(0, 10_000);

      int pods = ScalingRule.desiredPods(policy(limit, target), connections, rejected);

      double demand = connections + rejected / 2.0;
      assertThat(pods * limit * target).isGreaterThanOrEqualTo(demand - 0.001);
      if (pods > 1) {
        assertThat((pods - 1) * limit * target).isLessThan(demand);
      }
    }
  }
}
