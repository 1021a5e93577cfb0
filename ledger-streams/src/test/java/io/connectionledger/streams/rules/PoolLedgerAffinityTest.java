package io.connectionledger.streams.rules;

import static org.assertj.core.api.Assertions.assertThat;

import io.connectionledger.model.PodAddress;
import io.connectionledger.model.event.ConnectionEvent;
import io.connectionledger.model.event.Decision;
import io.connectionledger.model.event.RejectionReason;
import io.connectionledger.model.policy.Affinity;
import io.connectionledger.model.policy.Pod;
import io.connectionledger.model.policy.PoolPolicy;
import io.connectionledger.streams.rules.lease.LeaseTerms;
import io.connectionledger.streams.rules.placement.CircuitBreaker;
import io.connectionledger.streams.rules.state.Changes;
import java.time.Duration;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** Clients that return to their pod. */
class PoolLedgerAffinityTest {

  private static final long NOW_MS = 1_800_000_000_000L;
  private static final int PODS = 5;
  private static final LeaseTerms TERMS =
      new LeaseTerms(Duration.ofSeconds(10), 3, Duration.ofSeconds(15));

  private final Changes changes = new Changes();

  private static PoolLedger ledger(int limit) {
    List<Pod> pods =
        IntStream.range(0, PODS)
            .mapToObj(i -> new Pod("pod-" + i, new PodAddress("10.0.0." + (i + 1), 80)))
            .toList();
    return new PoolLedger(
        new PoolPolicy(
                "chat",
                PoolPolicy.UNLIMITED_RATE,
                1,
                limit,
                PoolPolicy.Mode.ENFORCE,
                PoolPolicy.OnOwnerLoss.DENY,
                pods)
            .placing(
                PoolPolicy.Placement.AFFINITY, Affinity.header("x-user"), Duration.ofSeconds(30)),
        TERMS,
        NOW_MS);
  }

  private static Decision decide(PoolLedger ledger, String user) {
    return ledger.decide(user, NOW_MS * 1_000_000);
  }

  private static PodAddress place(PoolLedger ledger, String user) {
    return ((Decision.Allowed) decide(ledger, user)).pod();
  }

  @Test
  void shouldSendAClientToTheSamePodEveryTimeAndOverARestart() {
    PoolLedger ledger = ledger(10_000);
    Map<String, PodAddress> homes = new HashMap<>();
    for (int i = 0; i < 500; i++) {
      homes.put("user-" + i, place(ledger, "user-" + i));
    }

    PoolLedger restarted = ledger(10_000);

    assertThat(Set.copyOf(homes.values())).hasSize(PODS);
    homes.forEach(
        (user, home) -> {
          assertThat(place(ledger, user)).isEqualTo(home);
          assertThat(place(restarted, user)).isEqualTo(home);
        });
  }

  @Test
  void shouldSendAClientElsewhereOnlyWhileItsPodIsFull() {
    PoolLedger ledger = ledger(2);
    Decision.Allowed first = (Decision.Allowed) decide(ledger, "anna");
    PodAddress home = first.pod();
    boolean secondAtHome = place(ledger, "anna").equals(home);
    PodAddress elsewhere = place(ledger, "anna");
    boolean stillTheSame = place(ledger, "anna").equals(elsewhere);
    ledger.release(first.id());

    assertThat(secondAtHome).isTrue();
    assertThat(elsewhere).isNotEqualTo(home);
    assertThat(stillTheSame).isTrue();
    assertThat(place(ledger, "anna")).isEqualTo(home);
  }

  @Test
  void shouldCountARejectionForWantOfRoomForTheClientsOwnPod() {
    PoolLedger ledger = ledger(1);
    PodAddress home = place(ledger, "anna");
    for (int i = 1; i < PODS; i++) {
      assertThat(ledger.decide(NOW_MS * 1_000_000)).isInstanceOf(Decision.Allowed.class);
    }

    assertThat(((Decision.Rejected) decide(ledger, "anna")).pod()).isEqualTo(home);
    assertThat(((Decision.Rejected) ledger.decide(NOW_MS * 1_000_000)).pod()).isNull();
  }

  @Test
  void shouldSendAClientElsewhereWhileTheCircuitOfItsPodIsOpen() {
    PoolLedger ledger = ledger(1_000);
    PodAddress home = place(ledger, "anna");
    for (int i = 0; i < CircuitBreaker.FAILURES; i++) {
      ledger.apply(new Decision.Allowed("chat", "f" + i, home, 0, NOW_MS), changes);
      ledger.apply(
          new ConnectionEvent.Failed("chat", "f" + i, home, "e", 503, "via_upstream", NOW_MS),
          changes);
    }
    PodAddress elsewhere = place(ledger, "anna");

    ledger.apply(new ConnectionEvent.Opened("chat", "c1", home, "e", 1, NOW_MS + 1), changes);

    assertThat(elsewhere).isNotEqualTo(home);
    assertThat(place(ledger, "anna")).isEqualTo(home);
  }

  @Test
  void shouldPlaceAClientThatIsNotKnownOnThePodWithTheFewest() {
    PoolLedger ledger = ledger(1_000);
    Set<PodAddress> used = new HashSet<>();
    for (int i = 0; i < PODS; i++) {
      used.add(((Decision.Allowed) ledger.decide(NOW_MS * 1_000_000)).pod());
    }

    assertThat(used).hasSize(PODS);
  }

  /** Full pods, random clients: nobody is turned away while there is room, and no limit breaks. */
  @Test
  void shouldFillEveryPodToItsLimitAndNoFurther() {
    for (int seed = 0; seed < 100; seed++) {
      Random random = new Random(seed);
      int limit = 1 + random.nextInt(20);
      PoolLedger ledger = ledger(limit);
      for (int i = 0; i < limit * PODS; i++) {
        assertThat(decide(ledger, "user-" + random.nextInt(8)))
            .as("seed %d", seed)
            .isInstanceOf(Decision.Allowed.class);
      }

      Decision.Rejected last = (Decision.Rejected) decide(ledger, "user-1");

      assertThat(last.reason()).isEqualTo(RejectionReason.POD_LIMIT);
      assertThat(ledger.view(NOW_MS).pods())
          .as("seed %d", seed)
          .allSatisfy(pod -> assertThat(pod.reserved()).isEqualTo(limit));
    }
  }
}
