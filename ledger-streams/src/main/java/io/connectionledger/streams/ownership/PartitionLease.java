package io.connectionledger.streams.ownership;

import io.connectionledger.model.event.OwnershipHeartbeat;
import io.connectionledger.model.event.OwnershipHeartbeat.Kind;
import io.connectionledger.streams.Owner;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.OptionalLong;
import java.util.concurrent.CompletableFuture;
import java.util.function.LongConsumer;
import org.jspecify.annotations.Nullable;

/**
 * Who may decide for one partition, concluded from its {@link OwnershipHeartbeat}s in the order of
 * the log. All instances read the same, so all agree on whose beats count: those of the claim with
 * the highest term so far. Of two that may claim at once, this is why never both decide:
 *
 * <ul>
 *   <li>An owner decides until {@link #LEASE} after it <em>wrote</em> a beat that counted when it
 *       came back. One that comes back behind another's claim does not count.
 *   <li>A claimant waits, once its claim has come back, until {@link #TAKEOVER_DELAY} has passed
 *       since it <em>read</em> the last beat of any other run that counted, or until that run has
 *       resigned. A beat is read after it was written, so {@code TAKEOVER_DELAY} ends after the
 *       {@code LEASE}.
 * </ul>
 *
 * <p>Only spans of monotonic clocks are compared, never two clocks. Thread-safe; docs/decisions
 * tells the whole argument.
 */
final class PartitionLease {

  /** How long an owner that hears nothing of its own beats may go on. */
  static final Duration LEASE = Duration.ofSeconds(3);

  /**
   * How long a beat binds those who read it: the lease, more than any drift of a clock in it, and
   * what an admitted connection takes to show in Envoy's log.
   */
  static final Duration TAKEOVER_DELAY = LEASE.plusMillis(1_500);

  /** How often an owner says that it is one: a lease survives that two beats are late. */
  static final Duration BEAT = Duration.ofSeconds(1);

  /** How long an owner that nobody relieves goes on after its task has left it. */
  static final Duration HANDOVER_GRACE = Duration.ofSeconds(20);

  /** An instance that claims has few others beside it: more runs are invented. */
  static final int MAX_OTHERS = 100;

  private static final long NEVER = Long.MIN_VALUE;

  private final String instance;
  private final String run;

  /** Other runs whose beats counted and that have not resigned since. */
  private final Map<String, Heard> others = new HashMap<>();

  /** When somebody last began to decide without the last word of whoever did before. */
  private long uncleanNanos = NEVER;

  /** The claim that counts: the highest term so far. */
  private Holder holder = Holder.NONE;

  private long holderHeardNanos = NEVER;
  private boolean doubted;
  private boolean unreachable;
  private boolean following;
  private @Nullable Candidacy candidacy;

  /**
   * The last beat of a run.
   *
   * @param nanos when it was read
   * @param dead whether the run is known to decide nothing any more
   */
  private record Heard(long term, long nanos, boolean dead) {}

  private record Holder(long term, String instance, String run, Kind kind, String address) {
    static final Holder NONE = new Holder(0, "", "", Kind.RESIGNED, "");

    static Holder of(OwnershipHeartbeat beat) {
      return new Holder(beat.term(), beat.instance(), beat.run(), beat.kind(), beat.address());
    }

    boolean is(OwnershipHeartbeat beat) {
      return term == beat.term() && run.equals(beat.run());
    }
  }

  /** One attempt of this run to own the partition. All its state belongs to the lease. */
  static final class Candidacy {
    private final LongConsumer lease;
    private final CompletableFuture<Void> won = new CompletableFuture<>();
    private long term;
    private boolean accepted;
    private boolean deciding;
    private boolean ended;
    private boolean overruled;
    private long leaseEndNanos = NEVER;
    private long leftNanos = NEVER;
    private long beatNanos = NEVER;
    private long uncleanNanos = NEVER;

    /**
     * Not claimed yet.
     *
     * @param lease takes, for any thread, until when this run may decide; in the past for not at
     *     all
     */
    Candidacy(LongConsumer lease) {
      this.lease = lease;
      lease.accept(NEVER);
    }

    /** Completes when no other run may decide any more. */
    CompletableFuture<Void> won() {
      return won;
    }
  }

  /** Of a partition of which nothing has been read. */
  PartitionLease(String instance, String run) {
    this.instance = instance;
    this.run = run;
  }

  /** Everything that was in the log when reading began has been read. */
  synchronized void following() {
    following = true;
  }

  /**
   * Beats may have been missed: whatever was concluded is void.
   *
   * @return the candidacy that this ended; null without one
   */
  synchronized @Nullable Candidacy lostTrack() {
    following = false;
    return overruleCandidacy() ? candidacy : null;
  }

  /** Stands for the ownership; the candidacy before it must have ended. */
  synchronized void stand(Candidacy candidate) {
    candidacy = candidate;
  }

  synchronized @Nullable Candidacy candidacy() {
    return candidacy;
  }

  /**
   * What this run has to say now; null when it is nothing.
   *
   * @param address where it answers other instances; empty while it does not
   */
  synchronized @Nullable OwnershipHeartbeat due(String address, long nowNanos) {
    Candidacy own = candidacy;
    if (own == null
        || own.ended
        || !following
        || (own.beatNanos != NEVER && beatsBefore(nowNanos) == beatsBefore(own.beatNanos))) {
      return null;
    }
    if (own.term == 0) {
      // By the clock, so that terms go on rising when the log has forgotten them.
      own.term = Math.max(holder.term + 1, nowNanos / 1_000_000);
    }
    own.beatNanos = nowNanos;
    return beat(own, own.deciding ? Kind.DECIDING : Kind.CLAIMING, address, nowNanos);
  }

  /** All partitions beat at the same moments, so that Kafka gets their beats in one request. */
  private static long beatsBefore(long nanos) {
    return Math.floorDiv(nanos, BEAT.toNanos());
  }

  /** The last word of a candidacy that has ended; null when it never claimed anything. */
  synchronized @Nullable OwnershipHeartbeat resignation(Candidacy own, long nowNanos) {
    return own.term == 0 ? null : beat(own, Kind.RESIGNED, "", nowNanos);
  }

  private OwnershipHeartbeat beat(Candidacy own, Kind kind, String address, long nowNanos) {
    return new OwnershipHeartbeat(
        kind, instance, run, own.term, address, nowNanos, nowNanos / 1_000_000);
  }

  /**
   * Takes the next beat of the log.
   *
   * @param nowNanos not before it was read
   * @return the candidacy of this run that it ended; null when it ended none
   */
  synchronized @Nullable Candidacy read(OwnershipHeartbeat beat, long nowNanos) {
    if (beat.kind() == Kind.RESIGNED) {
      resigned(beat, nowNanos);
      return null;
    }
    boolean ended = false;
    if (beat.term() > holder.term) {
      ended = !isOwn(beat) && overruleCandidacy();
    } else if (!holder.is(beat)) {
      claimAgainAfter(beat);
      return null;
    }
    holder = Holder.of(beat);
    holderHeardNanos = nowNanos;
    doubted = false;
    unreachable = false;
    if (beat.kind() == Kind.DECIDING) {
      others.remove(beat.run());
      if (!others.isEmpty()) {
        uncleanNanos = nowNanos;
      }
      others.clear();
    }
    if (isOwn(beat)) {
      extend(beat);
    } else {
      // A former run of this instance is dead: its data directory is ours.
      boolean dead = beat.instance().equals(instance);
      others.put(beat.run(), new Heard(beat.term(), nowNanos, dead));
      if (others.size() > MAX_OTHERS) {
        forgetOld(nowNanos);
      }
    }
    return ended ? candidacy : null;
  }

  /** Those that bind nobody any more; that they never resigned stays known. */
  private void forgetOld(long nowNanos) {
    if (others.values().removeIf(heard -> nowNanos - heard.nanos >= TAKEOVER_DELAY.toNanos())) {
      uncleanNanos = nowNanos;
    }
  }

  /** How many other runs are remembered. */
  synchronized int others() {
    return others.size();
  }

  private boolean isOwn(OwnershipHeartbeat beat) {
    return beat.run().equals(run);
  }

  private void resigned(OwnershipHeartbeat beat, long nowNanos) {
    Heard heard = others.get(beat.run());
    if (heard != null && heard.term <= beat.term()) {
      others.remove(beat.run());
    }
    if (beat.term() > holder.term || holder.is(beat)) {
      holder = Holder.of(beat);
      holderHeardNanos = nowNanos;
    }
  }

  private boolean overruleCandidacy() {
    Candidacy own = candidacy;
    if (own == null || own.ended || !own.accepted) {
      return false;
    }
    own.overruled = true;
    fence(own);
    return true;
  }

  private static void fence(Candidacy own) {
    own.ended = true;
    own.lease.accept(NEVER);
  }

  /** Two claimed the same term, and the other was first in the log. */
  private void claimAgainAfter(OwnershipHeartbeat beat) {
    Candidacy own = candidacy;
    if (own != null && isOwn(beat) && beat.term() == own.term && !own.accepted) {
      own.term = 0;
      own.beatNanos = NEVER;
    }
  }

  private void extend(OwnershipHeartbeat beat) {
    Candidacy own = candidacy;
    if (own != null && !own.ended && beat.term() == own.term) {
      own.accepted = true;
      own.leaseEndNanos = Math.max(own.leaseEndNanos, beat.sentNanos() + LEASE.toNanos());
      own.lease.accept(own.leaseEndNanos);
    }
  }

  /** The candidacy that nobody else stands in the way of any more, once; null else. */
  synchronized @Nullable Candidacy clear(long nowNanos) {
    Candidacy own = candidacy;
    if (own == null || own.ended || !own.accepted || own.won.isDone()) {
      return null;
    }
    boolean clear =
        others.values().stream()
            .allMatch(heard -> heard.dead || nowNanos - heard.nanos >= TAKEOVER_DELAY.toNanos());
    if (!clear) {
      return null;
    }
    own.uncleanNanos = others.isEmpty() ? uncleanNanos : nowNanos;
    return own;
  }

  /**
   * Whether, within the last {@code span}, the partition went to a run, this one included, without
   * the last word of the one before, which may have made decisions that it did not record.
   */
  synchronized boolean isUnclean(Candidacy won, Duration span, long nowNanos) {
    return won.uncleanNanos != NEVER && nowNanos - won.uncleanNanos < span.toNanos();
  }

  /** The candidacy that was won decides from now on, and says so with its next beat. */
  synchronized void decides(Candidacy own) {
    own.deciding = true;
    own.beatNanos = NEVER;
  }

  /**
   * The task has left this run, which decides on until another claims the partition.
   *
   * @return whether that ended the candidacy at once, because it did not decide
   */
  synchronized boolean leave(Candidacy own, long nowNanos) {
    own.leftNanos = nowNanos;
    if (own.ended || own.deciding) {
      return false;
    }
    fence(own);
    return true;
  }

  /** Ends the candidacy; false when it has ended before. */
  synchronized boolean end(@Nullable Candidacy own) {
    if (own == null || own.ended) {
      return false;
    }
    fence(own);
    return true;
  }

  synchronized boolean isLingering(Candidacy own, long nowNanos) {
    return own.leftNanos != NEVER && nowNanos - own.leftNanos >= HANDOVER_GRACE.toNanos();
  }

  synchronized boolean hasLeft(Candidacy own) {
    return own.leftNanos != NEVER;
  }

  /**
   * Whether a run that was overruled and still has the task may stand again: the other has resigned
   * or is silent. As long as it speaks, the task is on its way from one to the other.
   */
  synchronized boolean mayStandAgain(Candidacy own, long nowNanos) {
    return own.overruled
        && own == candidacy
        && own.leftNanos == NEVER
        && (holder.kind == Kind.RESIGNED
            || nowNanos - holderHeardNanos >= TAKEOVER_DELAY.toNanos());
  }

  /** Who decides, for a check that this run may not decide. */
  synchronized Owner owner(long nowNanos) {
    if (holder.term == 0 && !following) {
      return Owner.CHANGING;
    }
    if (holder.term == 0 || nowNanos - holderHeardNanos >= LEASE.toNanos() || unreachable) {
      return Owner.NOBODY;
    }
    return holder.kind != Kind.DECIDING
            || doubted
            || holder.address.isEmpty()
            || holder.instance.equals(instance)
        ? Owner.CHANGING
        : new Owner.Other(holder.address, holder.term);
  }

  /** For how long the holder has not been heard; empty when none ever was. */
  synchronized OptionalLong silentMs(long nowNanos) {
    return holder.term == 0
        ? OptionalLong.empty()
        : OptionalLong.of(Math.max(0, nowNanos - holderHeardNanos) / 1_000_000);
  }

  /** The owner says that it is none: nobody asks it again before it is heard again. */
  synchronized void disowned(Owner.Other owner) {
    doubted |= owner.term() == holder.term;
  }

  /** The owner does not answer: nobody asks it again before it is heard again. */
  synchronized void unreachable(Owner.Other owner) {
    unreachable |= owner.term() == holder.term;
  }
}
