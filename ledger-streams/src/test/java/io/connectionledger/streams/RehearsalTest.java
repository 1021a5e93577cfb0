package io.connectionledger.streams;

import static org.assertj.core.api.Assertions.assertThat;

import io.connectionledger.model.Decision;
import io.connectionledger.model.PoolPolicy;
import io.connectionledger.model.RejectionReason;
import io.connectionledger.streams.rules.LeaseTerms;
import io.connectionledger.testkit.ManualTicker;
import java.time.Duration;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class RehearsalTest {

  private final ManualTicker ticker = new ManualTicker();

  private final List<PoolPolicy> policies = Rehearsal.pools();
  private final List<String> pools = policies.stream().map(PoolPolicy::pool).toList();
  private final PoolShard shard =
      new PoolShard(
          policies,
          new LeaseTerms(Duration.ofSeconds(10), 3, Duration.ofSeconds(15)),
          ticker.nowMs());

  @BeforeEach
  void replay() {
    shard.caughtUp();
    Rehearsal.replay(shard, pools, ticker.nowNanos());
  }

  @Test
  void shouldTakeEveryWayThroughTheRules() {
    // When
    List<Decision> after =
        pools.stream().map(pool -> shard.decide(pool, ticker.nowNanos())).toList();
    // Then
    assertThat(after.get(0)).isInstanceOf(Decision.Allowed.class);
    assertThat(((Decision.Rejected) after.get(1)).reason()).isEqualTo(RejectionReason.POD_LIMIT);
    assertThat(((Decision.Rejected) after.get(2)).reason()).isEqualTo(RejectionReason.RATE_LIMITED);
  }

  @Test
  void shouldPlaceEachOfAThousandOnAPodOfItsOwn() {
    assertThat(
            Stream.generate(() -> shard.decide(pools.getFirst(), ticker.nowNanos())).limit(1_000))
        .extracting(decision -> ((Decision.Allowed) decision).pod())
        .doesNotHaveDuplicates();
  }

  @Test
  void shouldChooseOtherNamesEachTime() {
    assertThat(Rehearsal.pools()).doesNotContainAnyElementsOf(Rehearsal.pools());
  }
}
