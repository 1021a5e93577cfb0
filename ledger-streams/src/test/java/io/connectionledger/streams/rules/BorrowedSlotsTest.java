package io.connectionledger.streams.rules;

import static org.assertj.core.api.Assertions.assertThat;

import io.connectionledger.model.PodAddress;
import io.connectionledger.model.event.ConnectionIds;
import io.connectionledger.model.event.Decision;
import io.connectionledger.model.event.Loan;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class BorrowedSlotsTest {

  private static final PodAddress POD = PodAddress.parse("10.0.0.1:80");
  private static final long START = 1_800_000_000_000_000_000L;
  private static final long SECOND = 1_000_000_000L;

  private final BorrowedSlots borrowed = new BorrowedSlots();

  private static List<Decision.Allowed> slots(int count) {
    return IntStream.range(0, count)
        .mapToObj(
            i -> new Decision.Allowed("chat", ConnectionIds.nextLent(START / 1_000_000), POD, 7, 1))
        .toList();
  }

  private List<Decision.Allowed> lent(int count) {
    List<Decision.Allowed> slots = slots(count);
    borrowed.take(List.of(), new Loan(List.of(), slots), START, START);
    return slots;
  }

  private static List<String> ids(List<Decision.Allowed> slots) {
    return slots.stream().map(Decision.Allowed::id).toList();
  }

  @Test
  void shouldSpreadWhatItHasOverTheTimeWithoutAnOwner() {
    lent(4);
    long everyNanos = BorrowedSlots.WITHOUT_OWNER.toNanos() / 4;

    assertThat(borrowed.spend(START)).isNotNull();
    assertThat(borrowed.spend(START + everyNanos - 1)).isNull();
    assertThat(borrowed.spend(START + everyNanos)).isNotNull();
    assertThat(borrowed.ids(START + everyNanos)).hasSize(2);
  }

  @Test
  void shouldSpreadWhatIsLeftThenOverTheTimeForWhichItMayBeUsed() {
    lent(4);
    borrowed.spend(START);
    long laterNanos = START + BorrowedSlots.WITHOUT_OWNER.toNanos();
    long leftNanos = Loan.TERM.minus(BorrowedSlots.WITHOUT_OWNER).toNanos();

    assertThat(borrowed.spend(laterNanos)).isNotNull();
    assertThat(borrowed.spend(laterNanos + leftNanos / 3 - 1)).isNull();
    assertThat(borrowed.spend(laterNanos + leftNanos / 3)).isNotNull();
  }

  @Test
  void shouldLeaveNoSecondWithoutAnAdmissionUntilThePoolIsOwnedAgain() {
    lent(9);
    long lastNanos = START;
    for (long now = START;
        now < START + BorrowedSlots.WITHOUT_OWNER.toNanos();
        now += SECOND / 100) {
      if (borrowed.spend(now) != null) {
        lastNanos = now;
      }
      assertThat(now - lastNanos).isLessThanOrEqualTo(SECOND);
    }

    assertThat(borrowed.ids(START + BorrowedSlots.WITHOUT_OWNER.toNanos())).isEmpty();
  }

  @Test
  void shouldUseEachSlotOnce() {
    List<Decision.Allowed> slots = lent(2);

    Decision.Allowed first = Objects.requireNonNull(borrowed.spendAsRoom(START + SECOND));
    Decision.Allowed second = Objects.requireNonNull(borrowed.spendAsRoom(START + SECOND));

    assertThat(first.id()).isEqualTo(slots.getFirst().id());
    assertThat(first.pod()).isEqualTo(POD);
    assertThat(first.atMs()).isEqualTo((START + SECOND) / 1_000_000);
    assertThat(second.id()).isEqualTo(slots.getLast().id());
    assertThat(borrowed.spendAsRoom(START + SECOND)).isNull();
  }

  @Test
  void shouldUseNothingAfterItsTermHoweverLongItWasFrozen() {
    lent(2);

    assertThat(borrowed.spend(START + Loan.TERM.toNanos())).isNull();
    assertThat(borrowed.spendAsRoom(START + Loan.TERM.toNanos())).isNull();
  }

  @Test
  void shouldCountTheTermFromTheQuestionThoughTheAnswerIsLate() {
    long late = START + Loan.TERM.toNanos();

    List<Decision.Allowed> back =
        borrowed.take(List.of(), new Loan(List.of(), slots(1)), START, late);

    assertThat(borrowed.spend(late)).isNull();
    assertThat(back).hasSize(1);
  }

  @Test
  void shouldUseForAnotherTermWhatTheOwnerLeaves() {
    List<String> ids = ids(lent(1));
    borrowed.take(ids, new Loan(ids, List.of()), START + 2 * SECOND, START + 3 * SECOND);

    assertThat(borrowed.ids(START + Loan.TERM.plus(Duration.ofSeconds(2)).toNanos() - 1))
        .isEqualTo(ids);
    assertThat(borrowed.ids(START + Loan.TERM.plus(Duration.ofSeconds(2)).toNanos())).isEmpty();
  }

  @Test
  void shouldGiveBackWhatTheOwnerDoesNotLeaveAndNothingThatWasUsedMeanwhile() {
    List<Decision.Allowed> slots = lent(3);
    List<String> ids = ids(slots);
    borrowed.spendAsRoom(START);

    List<Decision.Allowed> back =
        borrowed.take(ids, new Loan(List.of(ids.get(2)), List.of()), START, START);

    assertThat(back).containsExactly(slots.get(1));
    assertThat(borrowed.ids(START)).containsExactly(ids.get(2));
  }

  @Test
  void shouldNotTakeBackIntoUseWhatWasUsedBeforeTheAnswerCame() {
    List<String> ids = ids(lent(1));
    borrowed.spendAsRoom(START);

    borrowed.take(ids, new Loan(ids, List.of()), START, START);

    assertThat(borrowed.ids(START)).isEmpty();
  }
}
