package io.connectionledger.streams;

import static org.assertj.core.api.Assertions.assertThat;

import io.connectionledger.model.OwnerBeat;
import io.connectionledger.model.OwnerBeat.Kind;
import io.connectionledger.streams.Ledger.Owner;
import io.connectionledger.streams.Tenure.Mandate;
import io.connectionledger.testkit.ManualTicker;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

/** The rules of ownership, one partition, one log, time by hand. */
class TenureTest {

  private static final Duration HIDDEN = Duration.ofSeconds(25);

  private final ManualTicker ticker = new ManualTicker();
  private final Node a = new Node("a");
  private final Node b = new Node("b");

  /** An instance that reads the log at once. */
  private final class Node {
    final Tenure tenure;
    final AtomicLong decidesUntilNanos = new AtomicLong();
    Mandate mandate = new Mandate(decidesUntilNanos::set);

    Node(String name) {
      this(name, name + "-run");
    }

    Node(String name, String run) {
      tenure = new Tenure(name, run);
      tenure.following();
    }

    void stands() {
      mandate = new Mandate(decidesUntilNanos::set);
      tenure.stand(mandate);
    }

    OwnerBeat says() {
      return Objects.requireNonNull(
          tenure.due("host-" + tenure.hashCode() + ":1", ticker.nowNanos()), "nothing to say");
    }

    boolean wins() {
      return tenure.clear(ticker.nowNanos()) == mandate;
    }

    void decidesFromNow() {
      assertThat(wins()).isTrue();
      mandate.won().complete(null);
      tenure.decides(mandate);
    }

    boolean isUnclean() {
      return tenure.isUnclean(mandate, HIDDEN, ticker.nowNanos());
    }

    boolean decides() {
      return ticker.nowNanos() < decidesUntilNanos.get();
    }
  }

  private void logged(OwnerBeat beat) {
    a.tenure.read(beat, ticker.nowNanos());
    b.tenure.read(beat, ticker.nowNanos());
  }

  private void owns(Node node) {
    node.stands();
    logged(node.says());
    node.decidesFromNow();
    logged(node.says());
  }

  @Test
  void shouldWinAnEmptyLogAtOnce() {
    a.stands();
    logged(a.says());

    assertThat(a.wins()).isTrue();
  }

  @Test
  void shouldNotWinBeforeTheClaimHasComeBack() {
    a.stands();
    a.says();

    assertThat(a.wins()).isFalse();
    assertThat(a.decides()).isFalse();
  }

  @Test
  void shouldDecideOnlyForALeaseAfterTheLastBeatThatCameBackWasWritten() {
    owns(a);
    ticker.advance(Tenure.BEAT);
    OwnerBeat beat = a.says();
    ticker.advance(Duration.ofSeconds(1));
    logged(beat);

    ticker.advance(Tenure.LEASE.minusSeconds(1).minusNanos(1));
    boolean before = a.decides();
    ticker.advance(Duration.ofNanos(1));

    assertThat(before).isTrue();
    assertThat(a.decides()).isFalse();
  }

  @Test
  void shouldDecideAgainWhenItsBeatsComeBackAndNobodyCameBetween() {
    owns(a);
    ticker.advance(Duration.ofSeconds(60));
    boolean silent = a.decides();

    logged(a.says());

    assertThat(silent).isFalse();
    assertThat(a.decides()).isTrue();
  }

  @Test
  void shouldWaitUntilTheLastBeatOfAnotherBindsNoMore() {
    owns(a);
    b.stands();
    logged(b.says());

    ticker.advance(Tenure.BINDING.minusNanos(1));
    boolean early = b.wins();
    ticker.advance(Duration.ofNanos(1));

    assertThat(early).isFalse();
    assertThat(b.wins()).isTrue();
  }

  @Test
  void shouldFenceAnOwnerThatReadsTheClaimOfAnother() {
    owns(a);
    b.stands();
    OwnerBeat claim = b.says();

    Mandate ended = a.tenure.read(claim, ticker.nowNanos());

    assertThat(ended).isSameAs(a.mandate);
    assertThat(a.decides()).isFalse();
  }

  @Test
  void shouldIgnoreTheBeatsOfAnOwnerThatWakesUpBehindTheClaimOfAnother() {
    owns(a);
    ticker.advance(Tenure.BEAT);
    OwnerBeat asleep = a.says();
    b.stands();
    OwnerBeat claim = b.says();
    b.tenure.read(claim, ticker.nowNanos());
    ticker.advance(Tenure.BINDING);
    b.decidesFromNow();

    b.tenure.read(asleep, ticker.nowNanos());
    a.tenure.read(claim, ticker.nowNanos());
    a.tenure.read(asleep, ticker.nowNanos());
    b.tenure.read(b.says(), ticker.nowNanos());

    assertThat(a.decides()).isFalse();
    assertThat(b.decides()).isTrue();
  }

  @Test
  void shouldNotWaitForAnOwnerThatHasResigned() {
    owns(a);
    b.stands();
    logged(b.says());
    boolean before = b.wins();

    logged(Objects.requireNonNull(a.tenure.resignation(a.mandate, ticker.nowNanos())));

    assertThat(before).isFalse();
    assertThat(b.wins()).isTrue();
  }

  @Test
  void shouldNotTakeTheResignationFromAnEarlierTermForOneFromTheLast() {
    owns(a);
    OwnerBeat resignation =
        Objects.requireNonNull(a.tenure.resignation(a.mandate, ticker.nowNanos()));
    a.tenure.end(a.mandate);
    ticker.advance(Tenure.BEAT);
    owns(a);
    b.stands();
    logged(b.says());

    logged(resignation);

    assertThat(b.wins()).isFalse();
  }

  @Test
  void shouldNotWaitForAFormerRunOfItself() {
    owns(a);
    Node again = new Node("a", "a-next-run");
    again.tenure.read(new OwnerBeat(Kind.DECIDING, "a", "a-run", 7, "", 0, 0), 0);
    again.stands();

    again.tenure.read(again.says(), ticker.nowNanos());

    assertThat(again.wins()).isTrue();
  }

  @Test
  void shouldLetTheFirstInTheLogHaveATermThatTwoClaim() {
    a.stands();
    b.stands();
    OwnerBeat first = a.says();
    OwnerBeat second = b.says();
    assertThat(first.term()).isEqualTo(second.term());

    logged(first);
    logged(second);

    assertThat(a.wins()).isTrue();
    assertThat(b.wins()).isFalse();
    assertThat(b.says().term()).isGreaterThan(first.term());
  }

  @Test
  void shouldDecideOnAfterItsTaskHasLeftUntilAnotherClaims() {
    owns(a);

    boolean ended = a.tenure.leave(a.mandate, ticker.nowNanos());
    ticker.advance(Tenure.BEAT);
    logged(a.says());
    boolean between = a.decides();
    b.stands();
    logged(b.says());

    assertThat(ended).isFalse();
    assertThat(between).isTrue();
    assertThat(a.decides()).isFalse();
  }

  @Test
  void shouldStandAgainOnlyWhenWhoOverruledItIsSilent() {
    owns(a);
    b.stands();
    logged(b.says());

    boolean early = a.tenure.mayStandAgain(a.mandate, ticker.nowNanos());
    ticker.advance(Tenure.BINDING);

    assertThat(early).isFalse();
    assertThat(a.tenure.mayStandAgain(a.mandate, ticker.nowNanos())).isTrue();
  }

  @Test
  void shouldDecideNothingOnceItMayHaveMissedABeat() {
    owns(a);

    a.tenure.lostTrack();
    logged(new OwnerBeat(Kind.CLAIMING, "c", "c-run", 1, "", 0, 0));

    assertThat(a.decides()).isFalse();
    assertThat(a.tenure.due("", ticker.nowNanos())).isNull();
  }

  @Test
  void shouldNameTheOwnerWhileItIsHeard() {
    owns(a);
    Owner fresh = b.tenure.owner(ticker.nowNanos());
    ticker.advance(Tenure.LEASE);
    Owner silent = b.tenure.owner(ticker.nowNanos());

    assertThat(fresh).isInstanceOf(Owner.Other.class);
    assertThat(silent).isEqualTo(Owner.NOBODY);
    assertThat(a.tenure.owner(ticker.nowNanos())).isEqualTo(Owner.NOBODY);
  }

  @Test
  void shouldNameNobodyWhileThePartitionChangesHands() {
    owns(a);
    b.stands();
    logged(b.says());

    assertThat(a.tenure.owner(ticker.nowNanos())).isEqualTo(Owner.CHANGING);
    assertThat(b.tenure.owner(ticker.nowNanos())).isEqualTo(Owner.CHANGING);
  }

  @Test
  void shouldNotNameAnOwnerThatDisownsOrDoesNotAnswerUntilItIsHeardAgain() {
    owns(a);
    Owner.Other owner = (Owner.Other) b.tenure.owner(ticker.nowNanos());

    b.tenure.disowned(owner);
    Owner disowned = b.tenure.owner(ticker.nowNanos());
    b.tenure.unreachable(owner);
    Owner unreachable = b.tenure.owner(ticker.nowNanos());
    ticker.advance(Tenure.BEAT);
    logged(a.says());

    assertThat(disowned).isEqualTo(Owner.CHANGING);
    assertThat(unreachable).isEqualTo(Owner.NOBODY);
    assertThat(b.tenure.owner(ticker.nowNanos())).isEqualTo(owner);
  }

  @Test
  void shouldHoldChecksBackUntilTheLogIsKnown() {
    Tenure starting = new Tenure("c", "c-run");

    assertThat(starting.owner(ticker.nowNanos())).isEqualTo(Owner.CHANGING);
    starting.following();
    assertThat(starting.owner(ticker.nowNanos())).isEqualTo(Owner.NOBODY);
  }

  @Test
  void shouldSayThatAnOwnerDiedWithoutALastWord() {
    owns(a);
    b.stands();
    logged(b.says());
    ticker.advance(Tenure.BINDING);
    b.decidesFromNow();

    assertThat(b.isUnclean()).isTrue();
    ticker.advance(HIDDEN);
    assertThat(b.isUnclean()).isFalse();
  }

  @Test
  void shouldSayThatAnOwnerLeftWithItsLastWord() {
    owns(a);
    b.stands();
    logged(b.says());
    logged(Objects.requireNonNull(a.tenure.resignation(a.mandate, ticker.nowNanos())));
    b.decidesFromNow();

    assertThat(b.isUnclean()).isFalse();
  }

  @Test
  void shouldNotForgetADeathWhenTheNextOwnerLeavesInOrder() {
    Node c = new Node("c");
    for (OwnerBeat beat :
        List.of(
            new OwnerBeat(Kind.DECIDING, "a", "a-run", 7, "", 0, 0),
            new OwnerBeat(Kind.DECIDING, "b", "b-run", 8, "", 0, 0),
            new OwnerBeat(Kind.RESIGNED, "b", "b-run", 8, "", 0, 0))) {
      c.tenure.read(beat, ticker.nowNanos());
    }
    c.stands();
    c.tenure.read(c.says(), ticker.nowNanos());
    c.decidesFromNow();

    assertThat(c.isUnclean()).isTrue();
  }

  @Test
  void shouldTakeAFormerRunOfItselfThatDiedForOneWithoutALastWord() {
    Node again = new Node("a", "a-next-run");
    again.tenure.read(new OwnerBeat(Kind.DECIDING, "a", "a-run", 7, "", 0, 0), ticker.nowNanos());
    again.stands();
    again.tenure.read(again.says(), ticker.nowNanos());
    again.decidesFromNow();

    assertThat(again.isUnclean()).isTrue();
  }
}
