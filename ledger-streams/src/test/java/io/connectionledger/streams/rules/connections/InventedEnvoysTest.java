package io.connectionledger.streams.rules.connections;

import static org.assertj.core.api.Assertions.assertThat;

import io.connectionledger.model.PodAddress;
import io.connectionledger.model.policy.Pod;
import io.connectionledger.model.policy.PoolPolicy;
import io.connectionledger.streams.rules.lease.LeaseTerms;
import io.connectionledger.streams.rules.placement.PodState;
import io.connectionledger.streams.rules.placement.PodTable;
import io.connectionledger.streams.rules.state.Changes;
import io.connectionledger.testkit.PolicyFixtures;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** What a pool takes in of Envoys that may have been invented, and of one that invents. */
class InventedEnvoysTest {

  private static final PodAddress POD = PodAddress.parse("10.0.0.1:80");
  private static final LeaseTerms TERMS =
      new LeaseTerms(Duration.ofSeconds(10), 3, Duration.ofSeconds(15));

  /** As those of a pool, and smaller. */
  private static final ConnectionTable.Bounds BOUNDS =
      new ConnectionTable.Bounds(2_000, 500, 1_000, 4_000);

  private final EnvoyTable envoys = new EnvoyTable(TERMS);
  private final PodTable pods = new PodTable();
  private final ConnectionTable connections = connections();
  private final Changes changes = new Changes();

  private ConnectionTable connections() {
    PoolPolicy policy =
        PolicyFixtures.unlimited("chat", 10_000_000, List.of(new Pod("pod-1", POD)));
    pods.place(policy, Set.of(), Set.of(), 1);
    return new ConnectionTable(policy, TERMS, pods, envoys, new CloseRate(), 1, BOUNDS);
  }

  private void alive(String node, String id) {
    boolean unused = connections.seen(id, pods.slot(POD), envoys.slot(node), null, changes);
  }

  private void admitted(String node, String id) {
    PodState pod = pods.slot(POD);
    connections.reserve(id, pod, null);
    alive(node, id);
  }

  @Test
  void shouldRefuseWhatOneEnvoyHoldsBeyondItsQuotaAndNothingOfOthers() {
    for (int i = 0; i < BOUNDS.openOfAnEnvoy() + 10; i++) {
      alive("greedy", "g" + i);
    }

    alive("other", "o1");
    admitted("greedy", "admitted");

    assertThat(changes.refused()).isEqualTo(10);
    assertThat(connections.open().size()).isEqualTo(BOUNDS.openOfAnEnvoy() + 2);
  }

  @Test
  void shouldKeepRoomForTheEnvoysThatOpenWhatWasAdmitted() {
    admitted("real", "admitted");
    for (int i = 0; i < BOUNDS.openUnproven() + 10; i++) {
      alive("invented-" + i % 100, "i" + i);
    }

    alive("real", "known");

    assertThat(changes.refused()).isEqualTo(10);
    assertThat(connections.open().size()).isEqualTo(BOUNDS.openUnproven() + 2);
  }

  @Test
  void shouldRefuseWhatAPoolHoldsBeyondItsBoundAndNothingThatWasAdmitted() {
    for (int i = 0; i < 5; i++) {
      admitted("real-" + i, "admitted-" + i);
    }
    for (int i = 5; i < BOUNDS.open() + 10; i++) {
      alive("real-" + i % 5, "r" + i);
    }

    admitted("real-0", "one-more");

    assertThat(changes.refused()).isEqualTo(10);
    assertThat(connections.open().size()).isEqualTo(BOUNDS.open() + 1);
  }

  @Test
  void shouldForgetTheOldestOfTooManyThatHaveEnded() {
    for (int i = 0; i < BOUNDS.ended(); i++) {
      connections.closed("c" + i, "envoy-1", changes);
    }
    changes.clear();

    connections.closed("next", "envoy-1", changes);

    assertThat(changes.connections()).hasSize(2).containsEntry("c0", null);
    assertThat(connections.hasOutcome("c0")).isFalse();
    assertThat(connections.hasOutcome("c1")).isTrue();
    assertThat(connections.hasOutcome("next")).isTrue();
  }

  /** They are told apart by where clients reached them, which is whatever a check says. */
  @Test
  void shouldHaveListenersShareOneReporterWhenThereAreTooMany() {
    Reservations reservations = connections.reservations();
    for (int i = 0; i < Reservations.MAX_REPORTERS; i++) {
      assertThat(reservations.reporter("10.0.0.1:" + i).isShared()).isFalse();
    }

    assertThat(reservations.reporter("10.0.0.2:1").isShared()).isTrue();
    assertThat(reservations.reporter("10.0.0.1:1").isShared()).isFalse();
    assertThat(reservations.reporters()).hasSize(Reservations.MAX_REPORTERS + 1);
  }

  @Test
  void shouldForgetTheEnvoysFirstThatNeverOpenedWhatWasAdmitted() {
    admitted("real", "admitted");
    connections.closed("admitted", "real", changes);
    for (int i = 0; i < 5_000; i++) {
      EnvoyTable.Slot invented = envoys.slot("invented-" + i);
      invented.restoreInterval(60_000);
      envoys.learned(invented);
    }
    changes.clear();

    connections.tick(2, 1, 2, changes);

    assertThat(envoys.find("real")).isNotNull();
    assertThat(envoys.idle()).hasSize(1_000);
    assertThat(changes.intervals()).hasSize(4_001).containsKey("invented-0");
    assertThat(changes.intervals().values()).containsOnlyNulls();
  }
}
