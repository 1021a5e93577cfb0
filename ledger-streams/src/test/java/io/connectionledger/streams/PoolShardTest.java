package io.connectionledger.streams;

import static org.assertj.core.api.Assertions.assertThat;

import io.connectionledger.model.Decision;
import io.connectionledger.model.Pod;
import io.connectionledger.model.PodAddress;
import io.connectionledger.model.PoolPolicy;
import io.connectionledger.streams.rules.LeaseTerms;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;

class PoolShardTest {

  private static final long NOW_MS = 1_700_000_000_000L;
  private static final long NOW_NANOS = NOW_MS * 1_000_000;

  @Test
  void shouldGiveATokenToWhoLookedAtTheClockFirstAndHadTheLockLast() {
    PoolPolicy twoAtOnce =
        new PoolPolicy(
            "chat",
            0.01,
            2,
            10,
            PoolPolicy.Mode.ENFORCE,
            PoolPolicy.OnOwnerLoss.DENY,
            List.of(new Pod("one", PodAddress.parse("10.0.0.1:80"))));
    LeaseTerms terms = new LeaseTerms(Duration.ofSeconds(10), 3, Duration.ofSeconds(15));
    PoolShard shard = new PoolShard(List.of(twoAtOnce), terms, NOW_MS);
    shard.caughtUp();

    Decision first = shard.decide("chat", null, NOW_NANOS + 1_000);
    Decision second = shard.decide("chat", null, NOW_NANOS);
    Decision third = shard.decide("chat", null, NOW_NANOS + 2_000);

    assertThat(first).isInstanceOf(Decision.Allowed.class);
    assertThat(second).isInstanceOf(Decision.Allowed.class);
    assertThat(third).isInstanceOf(Decision.Rejected.class);
  }
}
