package io.connectionledger.streams;

import static org.assertj.core.api.Assertions.assertThat;

import io.connectionledger.model.Decision;
import io.connectionledger.model.PoolPolicy;
import io.connectionledger.model.RejectionReason;
import io.connectionledger.streams.rules.LeaseTerms;
import io.connectionledger.testkit.ManualTicker;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;

class RehearsalTest {

  private final ManualTicker ticker = new ManualTicker();

  @Test
  void shouldTakeEveryWayThroughTheRules() {
    // Given
    List<PoolPolicy> policies = Rehearsal.pools();
    List<String> pools = policies.stream().map(PoolPolicy::pool).toList();
    PoolShard shard =
        new PoolShard(
            policies,
            new LeaseTerms(Duration.ofSeconds(10), 3, Duration.ofSeconds(15)),
            ticker.nowMs());
    shard.caughtUp();
    // When
    Rehearsal.replay(shard, pools, ticker.nowNanos());
    List<Decision> after =
        pools.stream().map(pool -> shard.decide(pool, ticker.nowNanos())).toList();
    // Then
    assertThat(after.get(0)).isInstanceOf(Decision.Allowed.class);
    assertThat(((Decision.Rejected) after.get(1)).reason()).isEqualTo(RejectionReason.POD_LIMIT);
    assertThat(((Decision.Rejected) after.get(2)).reason()).isEqualTo(RejectionReason.RATE_LIMITED);
  }

  @Test
  void shouldChooseOtherNamesEachTime() {
    assertThat(Rehearsal.pools()).doesNotContainAnyElementsOf(Rehearsal.pools());
  }
}
