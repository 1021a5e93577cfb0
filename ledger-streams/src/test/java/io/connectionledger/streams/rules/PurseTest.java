package io.connectionledger.streams.rules;

import static org.assertj.core.api.Assertions.assertThat;

import io.connectionledger.model.ConnectionIds;
import io.connectionledger.model.Decision;
import io.connectionledger.model.Loan;
import io.connectionledger.model.PodAddress;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class PurseTest {

  private static final PodAddress POD = PodAddress.parse("10.0.0.1:80");
  private static final long START = 1_800_000_000_000_000_000L;
  private static final long SECOND = 1_000_000_000L;

  private final Purse purse = new Purse();

  private static List<Decision.Allowed> slots(int count) {
    return IntStream.range(0, count)
        .mapToObj(
            i -> new Decision.Allowed("chat", ConnectionIds.nextLent(START / 1_000_000), POD, 7, 1))
        .toList();
  }

  private List<Decision.Allowed> lent(int count) {
    List<Decision.Allowed> slots = slots(count);
    purse.take(List.of(), new Loan(List.of(), slots), START, START);
    return slots;
  }

  private static List<String> ids(List<Decision.Allowed> slots) {
    return slots.stream().map(Decision.Allowed::id).toList();
  }

  @Test
  void shouldSpreadWhatItHasOverTheTimeWithoutAnOwner() {
    lent(4);
    long everyNanos = Purse.WITHOUT_OWNER.toNanos() / 4;

    assertThat(purse.spend(START)).isNotNull();
    assertThat(purse.spend(START + everyNanos - 1)).isNull();
    assertThat(purse.spend(START + everyNanos)).isNotNull();
    assertThat(purse.ids(START + everyNanos)).hasSize(2);
  }

  @Test
  void shouldSpreadWhatIsLeftThenOverTheTimeForWhichItMayBeUsed() {
    lent(4);
    purse.spend(START);
    long laterNanos = START + Purse.WITHOUT_OWNER.toNanos();
    long leftNanos = Loan.TERM.minus(Purse.WITHOUT_OWNER).toNanos();

    assertThat(purse.spend(laterNanos)).isNotNull();
    assertThat(purse.spend(laterNanos + leftNanos / 3 - 1)).isNull();
    assertThat(purse.spend(laterNanos + leftNanos / 3)).isNotNull();
  }

  @Test
  void shouldLeaveNoSecondWithoutAnAdmissionUntilThePoolIsOwnedAgain() {
    lent(9);
    long lastNanos = START;
    for (long now = START; now < START + Purse.WITHOUT_OWNER.toNanos(); now += SECOND / 100) {
      if (purse.spend(now) != null) {
        lastNanos = now;
      }
      assertThat(now - lastNanos).isLessThanOrEqualTo(SECOND);
    }

    assertThat(purse.ids(START + Purse.WITHOUT_OWNER.toNanos())).isEmpty();
  }

  @Test
  void shouldUseEachSlotOnce() {
    List<Decision.Allowed> slots = lent(2);

    Decision.Allowed first = Objects.requireNonNull(purse.spendAsRoom(START + SECOND));
    Decision.Allowed second = Objects.requireNonNull(purse.spendAsRoom(START + SECOND));

    assertThat(first.id()).isEqualTo(slots.getFirst().id());
    assertThat(first.pod()).isEqualTo(POD);
    assertThat(first.atMs()).isEqualTo((START + SECOND) / 1_000_000);
    assertThat(second.id()).isEqualTo(slots.getLast().id());
    assertThat(purse.spendAsRoom(START + SECOND)).isNull();
  }

  @Test
  void shouldUseNothingAfterItsTermHoweverLongItWasFrozen() {
    lent(2);

    assertThat(purse.spend(START + Loan.TERM.toNanos())).isNull();
    assertThat(purse.spendAsRoom(START + Loan.TERM.toNanos())).isNull();
  }

  @Test
  void shouldCountTheTermFromTheQuestionThoughTheAnswerIsLate() {
    long late = START + Loan.TERM.toNanos();

    List<Decision.Allowed> back = purse.take(List.of(), new Loan(List.of(), slots(1)), START, late);

    assertThat(purse.spend(late)).isNull();
    assertThat(back).hasSize(1);
  }

  @Test
  void shouldUseForAnotherTermWhatTheOwnerLeaves() {
    List<String> ids = ids(lent(1));
    purse.take(ids, new Loan(ids, List.of()), START + 2 * SECOND, START + 3 * SECOND);

    assertThat(purse.ids(START + Loan.TERM.plus(Duration.ofSeconds(2)).toNanos() - 1))
        .isEqualTo(ids);
    assertThat(purse.ids(START + Loan.TERM.plus(Duration.ofSeconds(2)).toNanos())).isEmpty();
  }

  @Test
  void shouldGiveBackWhatTheOwnerDoesNotLeaveAndNothingThatWasUsedMeanwhile() {
    List<Decision.Allowed> slots = lent(3);
    List<String> ids = ids(slots);
    purse.spendAsRoom(START);

    List<Decision.Allowed> back =
        purse.take(ids, new Loan(List.of(ids.get(2)), List.of()), START, START);

    assertThat(back).containsExactly(slots.get(1));
    assertThat(purse.ids(START)).containsExactly(ids.get(2));
  }

  @Test
  void shouldNotTakeBackIntoUseWhatWasUsedBeforeTheAnswerCame() {
    List<String> ids = ids(lent(1));
    purse.spendAsRoom(START);

    purse.take(ids, new Loan(ids, List.of()), START, START);

    assertThat(purse.ids(START)).isEmpty();
  }
}
