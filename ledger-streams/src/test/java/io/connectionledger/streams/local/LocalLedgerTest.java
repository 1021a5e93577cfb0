package io.connectionledger.streams.local;

import static org.assertj.core.api.Assertions.assertThat;

import io.connectionledger.model.PodAddress;
import io.connectionledger.model.event.Decision;
import io.connectionledger.model.policy.Pod;
import io.connectionledger.model.policy.PolicyRecord;
import io.connectionledger.model.policy.PoolPolicy;
import io.connectionledger.model.view.PoolReport;
import io.connectionledger.model.view.PoolView.PodView;
import io.connectionledger.model.view.PoolView.State;
import io.connectionledger.streams.ownership.NoOtherInstances;
import io.connectionledger.streams.ownership.PoolShard;
import io.connectionledger.streams.query.RunningTopology;
import io.connectionledger.streams.rules.lease.LeaseTerms;
import io.connectionledger.streams.store.Counts;
import io.connectionledger.streams.store.Rejected;
import io.connectionledger.streams.store.StandbyCopy;
import io.connectionledger.testkit.ManualTicker;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** How policies reach the pools of an instance. */
class LocalLedgerTest {

  private static final LeaseTerms TERMS =
      new LeaseTerms(Duration.ofSeconds(10), 3, Duration.ofSeconds(15));
  private static final PodAddress POD = PodAddress.parse("10.0.0.1:80");

  private final LocalLedger ledger =
      new LocalLedger(Map.of("chat", policy("chat", 1)), 1, TERMS, new ManualTicker());

  LocalLedgerTest() {
    ledger.runBy(new Running(), new NoOtherInstances());
  }

  @Test
  void shouldDecideNothingBeforeThePoliciesAreKnown() {
    // Given
    own();
    assertThat(ledger.ledger().queries().ready()).isFalse();
    assertThat(ledger.ledger().queries().status()).isEqualTo("the policies are not read yet");
    assertThat(ledger.ledger().queries().isOwned("chat")).isFalse();
    assertThat(decide("chat")).isEqualTo("no_owner");
    // When
    ledger.follow(Map.of("chat", record("chat", 1)));
    // Then
    assertThat(ledger.ledger().queries().ready()).isTrue();
    assertThat(ledger.ledger().queries().isOwned("chat")).isTrue();
    assertThat(decide("chat")).isEqualTo("allowed");
    assertThat(decide("chat")).isEqualTo("pod_limit");
  }

  @Test
  void shouldOwnNothingThatItMayNotDecide() {
    // Given
    ledger.follow(Map.of("chat", record("chat", 1)));
    PoolShard shard = ledger.emptyShard(0);
    ledger.shards().add(0, shard);
    assertThat(ledger.ledger().queries().isOwned("chat")).isFalse();
    shard.caughtUp();
    assertThat(ledger.ledger().queries().isOwned("chat")).isTrue();
    assertThat(ledger.ledger().queries().isOwned("nope")).isFalse();
    // When
    shard.behind();
    // Then
    assertThat(ledger.ledger().queries().isOwned("chat")).isFalse();
    assertThat(decide("chat")).isEqualTo("no_owner");
  }

  @Test
  void shouldFollowAChangeWhileItOwnsThePool() {
    // Given
    ledger.follow(Map.of("chat", record("chat", 1)));
    own();
    assertThat(decide("chat")).isEqualTo("allowed");
    // When
    ledger.follow(Map.of("chat", record("chat", 2)));
    // Then
    assertThat(decide("chat")).isEqualTo("allowed");
    assertThat(decide("chat")).isEqualTo("pod_limit");
  }

  @Test
  void shouldBringAShardUpToDateThatWasMadeBeforeAChange() {
    // Given
    PoolShard made = ledger.emptyShard(0);
    ledger.follow(
        Map.of(
            "chat",
            new PolicyRecord(policy("chat", 2), policy("chat", 1), Set.of(POD), 0),
            "game",
            record("game", 1)));
    // When
    made.caughtUp();
    ledger.shards().add(0, made);
    // Then
    assertThat(decide("chat")).isEqualTo("no_pods");
    assertThat(decide("game")).isEqualTo("allowed");
  }

  @Test
  void shouldKeepWhatItKnowsOfAPoolThatLeavesAndComesBack() {
    // Given
    ledger.follow(Map.of("chat", record("chat", 1), "game", record("game", 1)));
    own();
    assertThat(decide("game")).isEqualTo("allowed");
    // When
    ledger.follow(Map.of("chat", record("chat", 1)));
    // Then
    assertThat(ledger.ledger().routing().pools()).containsExactly("chat");
    assertThat(decide("game")).isEqualTo("unknown_pool");
    ledger.follow(Map.of("chat", record("chat", 1), "game", record("game", 1)));
    assertThat(decide("game")).isEqualTo("pod_limit");
  }

  @Test
  void shouldReportOfAPoolThatItOwns() {
    // Given
    ledger.follow(Map.of("chat", record("chat", 1)));
    assertThat(ledger.ledger().queries().report("chat")).isEmpty();
    own();
    assertThat(decide("chat")).isEqualTo("allowed");
    // When
    PoolReport report = ledger.ledger().queries().report("chat").orElseThrow();
    // Then
    assertThat(report.staleMs()).isNull();
    assertThat(report.connections())
        .isEqualTo(ledger.ledger().queries().connections("chat").orElseThrow());
    assertThat(report.readiness())
        .isEqualTo(ledger.ledger().queries().readiness("chat").orElseThrow());
    assertThat(report.rejections())
        .isEqualTo(ledger.ledger().queries().rejections("chat").orElseThrow());
    assertThat(ledger.ledger().queries().desiredPods(report.connections()))
        .hasValue(report.scaling().desiredPods());
    assertThat(report.scaling().ready()).isFalse();
    assertThat(report.scaling().reasons())
        .contains("catching-up: the owner is new and has not decided for a whole lease yet");
    assertThat(ledger.ledger().queries().standby("chat")).isEmpty();
  }

  @Test
  void shouldReportWhatAStandbyHas() {
    // Given
    ledger.follow(Map.of("copied", record("copied", 1)));
    // When
    PoolReport report = ledger.ledger().queries().standby("copied").orElseThrow();
    // Then
    assertThat(report.staleMs()).isEqualTo(1_500);
    assertThat(report.connections().asOfMs()).isEqualTo(7);
    assertThat(report.connections().active()).isEqualTo(1);
    assertThat(report.connections().pods())
        .containsExactly(new PodView("one", POD, 1, 1, 1, State.OVER_LIMIT));
    assertThat(report.readiness().ready()).isFalse();
    assertThat(report.scaling().ready()).isFalse();
    assertThat(report.scaling().desiredPods()).isEqualTo(2);
    assertThat(ledger.ledger().queries().standby("nope")).isEmpty();
  }

  private void own() {
    PoolShard shard = ledger.emptyShard(0);
    shard.caughtUp();
    ledger.shards().add(0, shard);
  }

  private String decide(String pool) {
    return ledger.decide(pool, null, null) instanceof Decision.Rejected rejected
        ? rejected.reason().label()
        : "allowed";
  }

  private static PolicyRecord record(String pool, int limit) {
    return PolicyRecord.ofBase(policy(pool, limit), Set.of(), 0);
  }

  private static PoolPolicy policy(String pool, int limit) {
    return new PoolPolicy(
        pool,
        PoolPolicy.UNLIMITED_RATE,
        1,
        limit,
        PoolPolicy.Mode.ENFORCE,
        PoolPolicy.OnOwnerLoss.DENY,
        List.of(new Pod("one", POD)));
  }

  private static final class Running implements RunningTopology {

    @Override
    public boolean isRunning() {
      return true;
    }

    @Override
    public String state() {
      return "RUNNING";
    }

    @Override
    public Optional<Rejected> rejected(String pool, int partition) {
      return Optional.of(new Rejected(7));
    }

    @Override
    public Optional<Counts> counts(String pool, int partition) {
      return Optional.of(new Counts(7));
    }

    @Override
    public OptionalLong latelyForWantOfRoom(String pool, int partition) {
      return OptionalLong.of(0);
    }

    @Override
    public Optional<StandbyCopy> standby(String pool, int partition) {
      return pool.equals("copied")
          ? Optional.of(
              new StandbyCopy(
                  1_500,
                  7,
                  Map.of(POD, new StandbyCopy.Held(1, 1)),
                  0,
                  0,
                  Set.of(),
                  new Rejected(7)))
          : Optional.empty();
    }
  }
}
