package io.connectionledger.streams.ownership;

import static org.assertj.core.api.Assertions.assertThat;

import io.connectionledger.model.event.OwnershipHeartbeat;
import io.connectionledger.model.event.OwnershipHeartbeat.Kind;
import io.connectionledger.streams.Owner;
import io.connectionledger.streams.ownership.PartitionLease.Candidacy;
import io.connectionledger.testkit.ManualTicker;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

/** The rules of ownership, one partition, one log, time by hand. */
class PartitionLeaseTest {

  private static final Duration MAX_UNSEEN = Duration.ofSeconds(25);

  private final ManualTicker ticker = new ManualTicker();
  private final Node a = new Node("a");
  private final Node b = new Node("b");

  /** An instance that reads the log at once. */
  private final class Node {
    final PartitionLease lease;
    final AtomicLong decidesUntilNanos = new AtomicLong();
    Candidacy candidacy = new Candidacy(decidesUntilNanos::set);

    Node(String name) {
      this(name, name + "-run");
    }

    Node(String name, String run) {
      lease = new PartitionLease(name, run);
      lease.following();
    }

    void stands() {
      candidacy = new Candidacy(decidesUntilNanos::set);
      lease.stand(candidacy);
    }

    OwnershipHeartbeat says() {
      return Objects.requireNonNull(
          lease.due("host-" + lease.hashCode() + ":1", ticker.nowNanos()), "nothing to say");
    }

    boolean wins() {
      return lease.clear(ticker.nowNanos()) == candidacy;
    }

    void decidesFromNow() {
      assertThat(wins()).isTrue();
      candidacy.won().complete(null);
      lease.decides(candidacy);
    }

    boolean isUnclean() {
      return lease.isUnclean(candidacy, MAX_UNSEEN, ticker.nowNanos());
    }

    boolean decides() {
      return ticker.nowNanos() < decidesUntilNanos.get();
    }
  }

  private void logged(OwnershipHeartbeat beat) {
    a.lease.read(beat, ticker.nowNanos());
    b.lease.read(beat, ticker.nowNanos());
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
    ticker.advance(PartitionLease.BEAT);
    OwnershipHeartbeat beat = a.says();
    ticker.advance(Duration.ofSeconds(1));
    logged(beat);

    ticker.advance(PartitionLease.LEASE.minusSeconds(1).minusNanos(1));
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

    ticker.advance(PartitionLease.TAKEOVER_DELAY.minusNanos(1));
    boolean early = b.wins();
    ticker.advance(Duration.ofNanos(1));

    assertThat(early).isFalse();
    assertThat(b.wins()).isTrue();
  }

  @Test
  void shouldFenceAnOwnerThatReadsTheClaimOfAnother() {
    owns(a);
    b.stands();
    OwnershipHeartbeat claim = b.says();

    Candidacy ended = a.lease.read(claim, ticker.nowNanos());

    assertThat(ended).isSameAs(a.candidacy);
    assertThat(a.decides()).isFalse();
  }

  @Test
  void shouldIgnoreTheBeatsOfAnOwnerThatWakesUpBehindTheClaimOfAnother() {
    owns(a);
    ticker.advance(PartitionLease.BEAT);
    OwnershipHeartbeat asleep = a.says();
    b.stands();
    OwnershipHeartbeat claim = b.says();
    b.lease.read(claim, ticker.nowNanos());
    ticker.advance(PartitionLease.TAKEOVER_DELAY);
    b.decidesFromNow();

    b.lease.read(asleep, ticker.nowNanos());
    a.lease.read(claim, ticker.nowNanos());
    a.lease.read(asleep, ticker.nowNanos());
    b.lease.read(b.says(), ticker.nowNanos());

    assertThat(a.decides()).isFalse();
    assertThat(b.decides()).isTrue();
  }

  @Test
  void shouldNotWaitForAnOwnerThatHasResigned() {
    owns(a);
    b.stands();
    logged(b.says());
    boolean before = b.wins();

    logged(Objects.requireNonNull(a.lease.resignation(a.candidacy, ticker.nowNanos())));

    assertThat(before).isFalse();
    assertThat(b.wins()).isTrue();
  }

  @Test
  void shouldNotTakeTheResignationFromAnEarlierTermForOneFromTheLast() {
    owns(a);
    OwnershipHeartbeat resignation =
        Objects.requireNonNull(a.lease.resignation(a.candidacy, ticker.nowNanos()));
    a.lease.end(a.candidacy);
    ticker.advance(PartitionLease.BEAT);
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
    again.lease.read(new OwnershipHeartbeat(Kind.DECIDING, "a", "a-run", 7, "", 0, 0), 0);
    again.stands();

    again.lease.read(again.says(), ticker.nowNanos());

    assertThat(again.wins()).isTrue();
  }

  @Test
  void shouldLetTheFirstInTheLogHaveATermThatTwoClaim() {
    a.stands();
    b.stands();
    OwnershipHeartbeat first = a.says();
    OwnershipHeartbeat second = b.says();
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

    boolean ended = a.lease.leave(a.candidacy, ticker.nowNanos());
    ticker.advance(PartitionLease.BEAT);
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

    boolean early = a.lease.mayStandAgain(a.candidacy, ticker.nowNanos());
    ticker.advance(PartitionLease.TAKEOVER_DELAY);

    assertThat(early).isFalse();
    assertThat(a.lease.mayStandAgain(a.candidacy, ticker.nowNanos())).isTrue();
  }

  @Test
  void shouldDecideNothingOnceItMayHaveMissedABeat() {
    owns(a);

    a.lease.lostTrack();
    logged(new OwnershipHeartbeat(Kind.CLAIMING, "c", "c-run", 1, "", 0, 0));

    assertThat(a.decides()).isFalse();
    assertThat(a.lease.due("", ticker.nowNanos())).isNull();
  }

  @Test
  void shouldNameTheOwnerWhileItIsHeard() {
    owns(a);
    Owner fresh = b.lease.owner(ticker.nowNanos());
    ticker.advance(PartitionLease.LEASE);
    Owner silent = b.lease.owner(ticker.nowNanos());

    assertThat(fresh).isInstanceOf(Owner.Other.class);
    assertThat(silent).isEqualTo(Owner.NOBODY);
    assertThat(a.lease.owner(ticker.nowNanos())).isEqualTo(Owner.NOBODY);
  }

  @Test
  void shouldNameNobodyWhileThePartitionChangesHands() {
    owns(a);
    b.stands();
    logged(b.says());

    assertThat(a.lease.owner(ticker.nowNanos())).isEqualTo(Owner.CHANGING);
    assertThat(b.lease.owner(ticker.nowNanos())).isEqualTo(Owner.CHANGING);
  }

  @Test
  void shouldNotNameAnOwnerThatDisownsOrDoesNotAnswerUntilItIsHeardAgain() {
    owns(a);
    Owner.Other owner = (Owner.Other) b.lease.owner(ticker.nowNanos());

    b.lease.disowned(owner);
    Owner disowned = b.lease.owner(ticker.nowNanos());
    b.lease.unreachable(owner);
    Owner unreachable = b.lease.owner(ticker.nowNanos());
    ticker.advance(PartitionLease.BEAT);
    logged(a.says());

    assertThat(disowned).isEqualTo(Owner.CHANGING);
    assertThat(unreachable).isEqualTo(Owner.NOBODY);
    assertThat(b.lease.owner(ticker.nowNanos())).isEqualTo(owner);
  }

  @Test
  void shouldHoldChecksBackUntilTheLogIsKnown() {
    PartitionLease starting = new PartitionLease("c", "c-run");

    assertThat(starting.owner(ticker.nowNanos())).isEqualTo(Owner.CHANGING);
    starting.following();
    assertThat(starting.owner(ticker.nowNanos())).isEqualTo(Owner.NOBODY);
  }

  @Test
  void shouldSayThatAnOwnerDiedWithoutALastWord() {
    owns(a);
    b.stands();
    logged(b.says());
    ticker.advance(PartitionLease.TAKEOVER_DELAY);
    b.decidesFromNow();

    assertThat(b.isUnclean()).isTrue();
    ticker.advance(MAX_UNSEEN);
    assertThat(b.isUnclean()).isFalse();
  }

  @Test
  void shouldSayThatAnOwnerLeftWithItsLastWord() {
    owns(a);
    b.stands();
    logged(b.says());
    logged(Objects.requireNonNull(a.lease.resignation(a.candidacy, ticker.nowNanos())));
    b.decidesFromNow();

    assertThat(b.isUnclean()).isFalse();
  }

  @Test
  void shouldNotForgetADeathWhenTheNextOwnerLeavesInOrder() {
    Node c = new Node("c");
    for (OwnershipHeartbeat beat :
        List.of(
            new OwnershipHeartbeat(Kind.DECIDING, "a", "a-run", 7, "", 0, 0),
            new OwnershipHeartbeat(Kind.DECIDING, "b", "b-run", 8, "", 0, 0),
            new OwnershipHeartbeat(Kind.RESIGNED, "b", "b-run", 8, "", 0, 0))) {
      c.lease.read(beat, ticker.nowNanos());
    }
    c.stands();
    c.lease.read(c.says(), ticker.nowNanos());
    c.decidesFromNow();

    assertThat(c.isUnclean()).isTrue();
  }

  @Test
  void shouldTakeAFormerRunOfItselfThatDiedForOneWithoutALastWord() {
    Node again = new Node("a", "a-next-run");
    again.lease.read(
        new OwnershipHeartbeat(Kind.DECIDING, "a", "a-run", 7, "", 0, 0), ticker.nowNanos());
    again.stands();
    again.lease.read(again.says(), ticker.nowNanos());
    again.decidesFromNow();

    assertThat(again.isUnclean()).isTrue();
  }

  @Test
  void shouldForgetRunsThatBindNobodyWhenThereAreTooMany() {
    for (int i = 1; i <= 10 * PartitionLease.MAX_OTHERS; i++) {
      ticker.advance(Duration.ofMillis(100));
      logged(new OwnershipHeartbeat(Kind.CLAIMING, "invented", "run-" + i, i, "host:1", 1, 1));
    }

    // As many as still bind: those of the last 4.5 s.
    assertThat(a.lease.others()).isLessThanOrEqualTo(PartitionLease.MAX_OTHERS);
    a.stands();
    logged(a.says());
    assertThat(a.wins()).isFalse();
    ticker.advance(PartitionLease.TAKEOVER_DELAY);
    assertThat(a.wins()).isTrue();
    assertThat(a.isUnclean()).isTrue();
  }
}
