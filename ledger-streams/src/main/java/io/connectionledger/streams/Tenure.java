package io.connectionledger.streams;

import io.connectionledger.model.OwnerBeat;
import io.connectionledger.model.OwnerBeat.Kind;
import io.connectionledger.streams.Ledger.Owner;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.OptionalLong;
import java.util.concurrent.CompletableFuture;
import java.util.function.LongConsumer;
import org.jspecify.annotations.Nullable;

/**
 * Who may decide for one partition, concluded from its {@link OwnerBeat}s in the order of the log.
 * All instances read the same, so all agree on whose beats count: those of the claim with the
 * highest term so far. Of two that may claim at once, this is why never both decide:
 *
 * <ul>
 *   <li>An owner decides until {@link #LEASE} after it <em>wrote</em> a beat that counted when it
 *       came back. One that comes back behind another's claim does not count.
 *   <li>A claimant waits, once its claim has come back, until {@link #BINDING} has passed since it
 *       <em>read</em> the last beat of any other run that counted, or until that run has resigned.
 *       A beat is read after it was written, so {@code BINDING} ends after the {@code LEASE}.
 * </ul>
 *
 * <p>Only spans of monotonic clocks are compared, never two clocks. Thread-safe; docs/decisions
 * tells the whole argument.
 */
final class Tenure {

  /** How long an owner that hears nothing of its own beats may go on. */
  static final Duration LEASE = Duration.ofSeconds(3);

  /**
   * How long a beat binds those who read it: the lease, more than any drift of a clock in it, and
   * what an admitted connection takes to show in Envoy's log.
   */
  static final Duration BINDING = LEASE.plusMillis(1_500);

  /** How often an owner says that it is one. */
  static final Duration BEAT = Duration.ofMillis(500);

  /** How long an owner that nobody relieves goes on after its task has left it. */
  static final Duration LINGER = Duration.ofSeconds(10);

  private static final long NEVER = Long.MIN_VALUE;

  private final String instance;
  private final String run;

  /** Runs of other instances whose beats counted, and when the last one was read. */
  private final Map<String, Heard> others = new HashMap<>();

  /** The claim that counts: the highest term so far. */
  private Holder holder = Holder.NONE;

  private long holderHeardNanos = NEVER;
  private boolean doubted;
  private boolean unreachable;
  private boolean following;
  private @Nullable Mandate mandate;

  private record Heard(long term, long nanos) {}

  private record Holder(long term, String instance, String run, Kind kind, String address) {
    static final Holder NONE = new Holder(0, "", "", Kind.RESIGNED, "");

    static Holder of(OwnerBeat beat) {
      return new Holder(beat.term(), beat.instance(), beat.run(), beat.kind(), beat.address());
    }

    boolean is(OwnerBeat beat) {
      return term == beat.term() && run.equals(beat.run());
    }
  }

  /** One attempt of this run to own the partition. All its state belongs to the tenure. */
  static final class Mandate {
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

    /**
     * Not claimed yet.
     *
     * @param lease takes, for any thread, until when this run may decide; in the past for not at
     *     all
     */
    Mandate(LongConsumer lease) {
      this.lease = lease;
      lease.accept(NEVER);
    }

    /** Completes when no other run may decide any more. */
    CompletableFuture<Void> won() {
      return won;
    }
  }

  /** Of a partition of which nothing has been read. */
  Tenure(String instance, String run) {
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
   * @return the mandate that this ended; null without one
   */
  synchronized @Nullable Mandate lostTrack() {
    following = false;
    return overruleMandate() ? mandate : null;
  }

  /** Stands for the ownership; the mandate before it must have ended. */
  synchronized void stand(Mandate candidate) {
    mandate = candidate;
  }

  synchronized @Nullable Mandate mandate() {
    return mandate;
  }

  /**
   * What this run has to say now; null when it is nothing.
   *
   * @param address where it answers other instances; empty while it does not
   */
  synchronized @Nullable OwnerBeat due(String address, long nowNanos) {
    Mandate own = mandate;
    if (own == null
        || own.ended
        || !following
        || (own.beatNanos != NEVER && nowNanos - own.beatNanos < BEAT.toNanos())) {
      return null;
    }
    if (own.term == 0) {
      // By the clock, so that terms go on rising when the log has forgotten them.
      own.term = Math.max(holder.term + 1, nowNanos / 1_000_000);
    }
    own.beatNanos = nowNanos;
    return beat(own, own.deciding ? Kind.DECIDING : Kind.CLAIMING, address, nowNanos);
  }

  /** The last word of a mandate that has ended; null when it never claimed anything. */
  synchronized @Nullable OwnerBeat resignation(Mandate own, long nowNanos) {
    return own.term == 0 ? null : beat(own, Kind.RESIGNED, "", nowNanos);
  }

  private OwnerBeat beat(Mandate own, Kind kind, String address, long nowNanos) {
    return new OwnerBeat(kind, instance, run, own.term, address, nowNanos, nowNanos / 1_000_000);
  }

  /**
   * Takes the next beat of the log.
   *
   * @param nowNanos not before it was read
   * @return the mandate of this run that it ended; null when it ended none
   */
  synchronized @Nullable Mandate read(OwnerBeat beat, long nowNanos) {
    if (beat.kind() == Kind.RESIGNED) {
      resigned(beat, nowNanos);
      return null;
    }
    boolean ended = false;
    if (beat.term() > holder.term) {
      ended = !isOwn(beat) && overruleMandate();
    } else if (!holder.is(beat)) {
      claimAgainAfter(beat);
      return null;
    }
    holder = Holder.of(beat);
    holderHeardNanos = nowNanos;
    doubted = false;
    unreachable = false;
    if (beat.kind() == Kind.DECIDING) {
      others.clear();
    }
    if (isOwn(beat)) {
      extend(beat);
    } else if (!beat.instance().equals(instance)) {
      // A former run of this instance is dead: its data directory is ours.
      others.put(beat.run(), new Heard(beat.term(), nowNanos));
    }
    return ended ? mandate : null;
  }

  private boolean isOwn(OwnerBeat beat) {
    return beat.run().equals(run);
  }

  private void resigned(OwnerBeat beat, long nowNanos) {
    Heard heard = others.get(beat.run());
    if (heard != null && heard.term <= beat.term()) {
      others.remove(beat.run());
    }
    if (beat.term() > holder.term || holder.is(beat)) {
      holder = Holder.of(beat);
      holderHeardNanos = nowNanos;
    }
  }

  private boolean overruleMandate() {
    Mandate own = mandate;
    if (own == null || own.ended || !own.accepted) {
      return false;
    }
    own.overruled = true;
    fence(own);
    return true;
  }

  private static void fence(Mandate own) {
    own.ended = true;
    own.lease.accept(NEVER);
  }

  /** Two claimed the same term, and the other was first in the log. */
  private void claimAgainAfter(OwnerBeat beat) {
    Mandate own = mandate;
    if (own != null && isOwn(beat) && beat.term() == own.term && !own.accepted) {
      own.term = 0;
      own.beatNanos = NEVER;
    }
  }

  private void extend(OwnerBeat beat) {
    Mandate own = mandate;
    if (own != null && !own.ended && beat.term() == own.term) {
      own.accepted = true;
      own.leaseEndNanos = Math.max(own.leaseEndNanos, beat.sentNanos() + LEASE.toNanos());
      own.lease.accept(own.leaseEndNanos);
    }
  }

  /** The mandate that nobody else stands in the way of any more, once; null else. */
  synchronized @Nullable Mandate clear(long nowNanos) {
    Mandate own = mandate;
    boolean clear =
        own != null
            && !own.ended
            && own.accepted
            && !own.won.isDone()
            && others.values().stream()
                .allMatch(heard -> nowNanos - heard.nanos >= BINDING.toNanos());
    return clear ? own : null;
  }

  /** The mandate that was won decides from now on, and says so with its next beat. */
  synchronized void decides(Mandate own) {
    own.deciding = true;
    own.beatNanos = NEVER;
  }

  /**
   * The task has left this run, which decides on until another claims the partition.
   *
   * @return whether that ended the mandate at once, because it did not decide
   */
  synchronized boolean leave(Mandate own, long nowNanos) {
    own.leftNanos = nowNanos;
    if (own.ended || own.deciding) {
      return false;
    }
    fence(own);
    return true;
  }

  /** Ends the mandate; false when it has ended before. */
  synchronized boolean end(@Nullable Mandate own) {
    if (own == null || own.ended) {
      return false;
    }
    fence(own);
    return true;
  }

  synchronized boolean isLingering(Mandate own, long nowNanos) {
    return own.leftNanos != NEVER && nowNanos - own.leftNanos >= LINGER.toNanos();
  }

  synchronized boolean hasLeft(Mandate own) {
    return own.leftNanos != NEVER;
  }

  /**
   * Whether a run that was overruled and still has the task may stand again: the other has resigned
   * or is silent. As long as it speaks, the task is on its way from one to the other.
   */
  synchronized boolean mayStandAgain(Mandate own, long nowNanos) {
    return own.overruled
        && own == mandate
        && own.leftNanos == NEVER
        && (holder.kind == Kind.RESIGNED || nowNanos - holderHeardNanos >= BINDING.toNanos());
  }

  /** Who decides, for a check that this run may not decide. */
  synchronized Owner owner(long nowNanos) {
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
