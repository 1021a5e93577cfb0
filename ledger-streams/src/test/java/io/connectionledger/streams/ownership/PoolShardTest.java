package io.connectionledger.streams.ownership;

import static org.assertj.core.api.Assertions.assertThat;

import io.connectionledger.model.PodAddress;
import io.connectionledger.model.event.ConnectionEvent;
import io.connectionledger.model.event.Decision;
import io.connectionledger.model.event.Presence;
import io.connectionledger.model.policy.Pod;
import io.connectionledger.model.policy.PoolPolicy;
import io.connectionledger.streams.rules.lease.LeaseTerms;
import io.connectionledger.streams.rules.state.Changes;
import io.connectionledger.testkit.PolicyFixtures;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class PoolShardTest {

  private static final long NOW_MS = 1_700_000_000_000L;
  private static final long NOW_NANOS = NOW_MS * 1_000_000;

  @Test
  void shouldGiveATokenToWhoLookedAtTheClockFirstAndHadTheLockLast() {
    PoolPolicy twoAtOnce =
        PolicyFixtures.limited(
            "chat", 0.01, 2, 10, List.of(new Pod("one", PodAddress.parse("10.0.0.1:80"))));
    LeaseTerms terms = new LeaseTerms(Duration.ofSeconds(10), 3, Duration.ofSeconds(15));
    PoolShard shard = new PoolShard(List.of(twoAtOnce), terms, NOW_MS);
    shard.caughtUp();

    Decision first = shard.decide("chat", NOW_NANOS + 1_000);
    Decision second = shard.decide("chat", NOW_NANOS);
    Decision third = shard.decide("chat", NOW_NANOS + 2_000);

    assertThat(first).isInstanceOf(Decision.Allowed.class);
    assertThat(second).isInstanceOf(Decision.Allowed.class);
    assertThat(third).isInstanceOf(Decision.Rejected.class);
  }

  @Test
  void shouldLetNoTimePassUntilItHasCaughtUp() {
    PodAddress pod = PodAddress.parse("10.0.0.1:80");
    PoolPolicy policy = PolicyFixtures.unlimited("chat", 2, List.of(new Pod("one", pod)));
    LeaseTerms terms = new LeaseTerms(Duration.ofSeconds(10), 3, Duration.ofSeconds(15));
    PoolShard shard = new PoolShard(List.of(policy), terms, NOW_MS);
    shard.apply(
        new ConnectionEvent.Opened("chat", "c", pod, "envoy-1", NOW_MS, NOW_MS), new Changes());

    boolean gaveUp = hear(shard, NOW_MS, NOW_MS + 600_000);
    shard.caughtUp();
    boolean gaveUpAtOnce = hear(shard, NOW_MS + 600_000, NOW_MS + 610_000);
    boolean gaveUpUnreported = hear(shard, NOW_MS + 610_000, NOW_MS + 620_000);

    assertThat(gaveUp).isFalse();
    assertThat(gaveUpAtOnce).isFalse();
    assertThat(gaveUpUnreported).isTrue();
  }

  @Test
  void shouldPassOnWhatIsWrongWithTheEnvoysOfAnIngestUntilItIsSilent() {
    PoolPolicy policy =
        PolicyFixtures.unlimited(
            "chat", 2, List.of(new Pod("one", PodAddress.parse("10.0.0.1:80"))));
    LeaseTerms terms = new LeaseTerms(Duration.ofSeconds(10), 3, Duration.ofSeconds(15));
    PoolShard shard = new PoolShard(List.of(policy), terms, NOW_MS);
    shard.caughtUp();
    shard.heard(
        new Presence("ingest-1", Map.of(), NOW_MS, List.of("node-id: two are one")), NOW_MS);
    shard.heard(new Presence("ingest-2", Map.of(), NOW_MS), NOW_MS);

    List<String> told = shard.readiness("chat", NOW_MS).orElseThrow().reasons();
    for (int i = 1; i <= 6; i++) {
      shard.tick(NOW_MS + i * 500L);
      shard.heard(new Presence("ingest-2", Map.of(), NOW_MS + i * 500L), NOW_MS + i * 500L);
    }
    List<String> later = shard.readiness("chat", NOW_MS + 3_000).orElseThrow().reasons();

    assertThat(told).containsExactly("node-id: two are one");
    assertThat(later).isEmpty();
  }

  /** An ingest is heard that has a stream of the Envoy; returns whether anything was given up. */
  private static boolean hear(PoolShard shard, long fromMs, long toMs) {
    boolean gaveUp = false;
    for (long atMs = fromMs; atMs < toMs; atMs += 500) {
      gaveUp |= !shard.heard(new Presence("ingest", Map.of("envoy-1", 1L), atMs), atMs).isEmpty();
    }
    return gaveUp;
  }
}
