package io.connectionledger.streams.rules;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;

import io.connectionledger.model.PodAddress;
import io.connectionledger.model.event.Decision;
import io.connectionledger.model.event.Loan;
import io.connectionledger.model.policy.Pod;
import io.connectionledger.model.policy.PoolPolicy;
import io.connectionledger.model.policy.PoolPolicy.OnOwnerLoss;
import io.connectionledger.model.view.PoolView.PodView;
import io.connectionledger.streams.rules.lease.LeaseTerms;
import io.connectionledger.streams.rules.state.Changes;
import io.connectionledger.streams.rules.state.StoredConnection;
import io.connectionledger.testkit.PolicyFixtures;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.assertj.core.groups.Tuple;
import org.junit.jupiter.api.Test;

/** What an owner lends, one pool with one pod. */
class PoolLedgerLoanTest {

  private static final LeaseTerms TERMS =
      new LeaseTerms(Duration.ofSeconds(10), 3, Duration.ofSeconds(15));
  private static final PodAddress POD = PodAddress.parse("10.0.0.1:80");
  private static final long START_MS = 1_800_000_000_000L;
  private static final long START = START_MS * 1_000_000;

  private final Changes changes = new Changes();
  private PoolLedger ledger = ledger(100, PoolPolicy.UNLIMITED_RATE, 1, OnOwnerLoss.SHARE);

  private static PoolLedger ledger(int limit, double rate, int burst, OnOwnerLoss onOwnerLoss) {
    return new PoolLedger(policy(limit, rate, burst, onOwnerLoss), TERMS, START_MS);
  }

  private static PoolPolicy policy(int limit, double rate, int burst, OnOwnerLoss onOwnerLoss) {
    return PolicyFixtures.limited(
        "chat", rate, burst, limit, onOwnerLoss, List.of(new Pod("one", POD)));
  }

  private Loan lend(List<String> held, int borrowers) {
    return ledger.lend(held, borrowers, START);
  }

  private static List<String> ids(Loan loan) {
    return loan.added().stream().map(Decision.Allowed::id).toList();
  }

  private int reserved() {
    return ledger.view(START_MS).reserved();
  }

  private void fill(int upTo) {
    while (reserved() < upTo) {
      assertThat(ledger.decide(START)).isInstanceOf(Decision.Allowed.class);
    }
  }

  @Test
  void shouldLendAQuarterOfTheRoomAtMostToAllTogether() {
    assertThat(lend(List.of(), 2).added()).hasSize(12);
    assertThat(lend(List.of(), 2).added()).hasSize(12);
    assertThat(lend(List.of(), 2).added()).isEmpty();
    assertThat(reserved()).isEqualTo(24);
  }

  @Test
  void shouldLendNothingWhereRoomIsScarce() {
    ledger = ledger(7, PoolPolicy.UNLIMITED_RATE, 1, OnOwnerLoss.SHARE);

    assertThat(lend(List.of(), 2)).isEqualTo(Loan.NONE);
  }

  @Test
  void shouldWantBackWhatIsTooMuchWhenRoomBecomesScarce() {
    List<String> held = ids(lend(List.of(), 2));
    fill(96);

    Loan loan = lend(held, 2);

    assertThat(loan.added()).isEmpty();
    assertThat(loan.kept()).isEqualTo(held.subList(0, 2));
    assertThat(reserved()).isEqualTo(96);
    held.subList(2, held.size()).forEach(ledger::release);
    assertThat(reserved()).isEqualTo(86);
  }

  @Test
  void shouldLendNothingUnlessThePolicyShares() {
    for (OnOwnerLoss other : List.of(OnOwnerLoss.DENY, OnOwnerLoss.ALLOW)) {
      ledger = ledger(100, PoolPolicy.UNLIMITED_RATE, 1, other);

      assertThat(lend(List.of(), 1)).isEqualTo(Loan.NONE);
    }
  }

  @Test
  void shouldTakeATokenForEachSlotOnceAndLeaveHalfOfTheBucket() {
    ledger = ledger(1_000, 1, 10, OnOwnerLoss.SHARE);

    Loan first = lend(List.of(), 1);
    Loan again = lend(ids(first), 1);
    fill(10);

    assertThat(first.added()).hasSize(5);
    assertThat(again).isEqualTo(new Loan(ids(first), List.of()));
    assertThat(ledger.decide(START)).isInstanceOf(Decision.Rejected.class);
  }

  @Test
  void shouldCountASlotUntilItsTermAndAReservationAfterItIsOver() {
    List<String> held = ids(lend(List.of(), 2));
    long renewedMs = START_MS + 5_000;
    ledger.tick(renewedMs, renewedMs, changes);
    lend(held.subList(0, 1), 2);

    ledger.tick(START_MS + TERMS.lentMs() - 1, 0, changes);
    int before = reserved();
    ledger.tick(START_MS + TERMS.lentMs(), 0, changes);
    int renewed = reserved();
    ledger.tick(renewedMs + TERMS.lentMs(), 0, changes);

    assertThat(TERMS.lentMs()).isEqualTo(27_000);
    assertThat(before).isEqualTo(23);
    assertThat(renewed).isEqualTo(12);
    assertThat(reserved()).isZero();
  }

  @Test
  void shouldKnowWhatItsPredecessorLent() {
    Map<String, StoredConnection> store = new HashMap<>();
    Loan loan = lend(List.of(), 2);
    for (Decision.Allowed slot : loan.added()) {
      changes.clear();
      ledger.apply(slot, changes);
      changes.connections().forEach((id, now) -> store.put(id, Objects.requireNonNull(now)));
    }
    ledger = ledger(100, PoolPolicy.UNLIMITED_RATE, 1, OnOwnerLoss.SHARE);
    store.forEach(ledger::restore);
    ledger.tick(START_MS + TERMS.lentMs() - 1, 0, changes);

    assertThat(reserved()).isEqualTo(12);
    assertThat(lend(ids(loan), 2)).isEqualTo(new Loan(ids(loan), List.of()));
  }

  @Test
  void shouldSayHowManyOfThePodAreLent() {
    Loan loan = lend(List.of(), 2);
    assertThat(told()).containsExactly(tuple(12, 12));

    ledger.apply(used(loan.added().getFirst()), changes);
    assertThat(told()).containsExactly(tuple(12, 11));

    ledger.release(loan.added().getLast().id());
    assertThat(told()).containsExactly(tuple(11, 10));

    ledger.tick(START_MS + TERMS.lentMs(), START_MS + TERMS.lentMs(), changes);
    assertThat(ledger.view(START_MS).lent()).isZero();
    assertThat(ledger.changedPods()).extracting(PodView::lent).containsExactly(0);
  }

  /** Reserved and lent of the pods that have changed. */
  private List<Tuple> told() {
    return ledger.changedPods().stream().map(pod -> tuple(pod.reserved(), pod.lent())).toList();
  }

  private static Decision.Allowed used(Decision.Allowed slot) {
    return new Decision.Allowed(
        slot.pool(),
        slot.id(),
        slot.pod(),
        slot.bucketNanos(),
        START_MS,
        slot.mode(),
        slot.basis(),
        "10.0.0.9:10000");
  }

  @Test
  void shouldWantBackASlotOnAPodThatDrains() {
    List<String> held = ids(lend(List.of(), 2));
    ledger.follow(
        policy(100, PoolPolicy.UNLIMITED_RATE, 1, OnOwnerLoss.SHARE), Set.of(POD), Set.of(), START);

    assertThat(lend(held, 2)).isEqualTo(Loan.NONE);
  }

  @Test
  void shouldForgetInTheStoreWhatWasGivenBack() {
    Loan loan = lend(List.of(), 2);
    Decision.Allowed slot = loan.added().getFirst();
    ledger.apply(slot, changes);
    ledger.release(slot.id());
    changes.clear();

    ledger.tick(START_MS + TERMS.reservationMs(), 0, changes);

    assertThat(changes.connections()).containsEntry(slot.id(), null);
  }
}
