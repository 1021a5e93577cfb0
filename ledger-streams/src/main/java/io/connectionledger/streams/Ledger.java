package io.connectionledger.streams;

import io.connectionledger.model.Affinity;
import io.connectionledger.model.Decision;
import io.connectionledger.model.Loan;
import io.connectionledger.model.PoolPolicy.OnOwnerLoss;
import io.connectionledger.model.PoolReadiness;
import io.connectionledger.model.PoolRejections;
import io.connectionledger.model.PoolReport;
import io.connectionledger.model.PoolView;
import io.connectionledger.model.PoolView.PodView;
import io.connectionledger.model.RejectionReason;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What admission and the query API may ask the ledger. Every method is safe for any thread and
 * returns without waiting for Kafka; only {@link #rejections}, {@link #report} and {@link #standby}
 * may read from a local disk.
 */
public interface Ledger {

  /** Who decides for a pool that this instance may not decide for. */
  sealed interface Owner {

    Owner CHANGING = new Changing();
    Owner NOBODY = new Nobody();

    /**
     * Another instance.
     *
     * @param address where it answers other instances, host:port
     * @param term of its ownership; a later owner has a higher one
     */
    record Other(String address, long term) implements Owner {}

    /** The pool is changing hands: within a moment somebody decides, maybe this instance. */
    record Changing() implements Owner {}

    /** No instance that is known, or none that can be reached. */
    record Nobody() implements Owner {}
  }

  /** Is told what has changed. */
  @FunctionalInterface
  interface Watcher {

    Watcher NONE = (pool, pods) -> {};

    /**
     * These pods of the pool are so now; one that is gone and empty has no connections. May not
     * wait.
     */
    void changed(String pool, List<PodView> pods);
  }

  /**
   * Decides one check and, when it allows, holds the slot: from its return on, the reservation
   * counts against the pod's limit until it is opened, failed, released or expired. The caller has
   * the decision recorded in {@link io.connectionledger.model.Topics#DECISIONS}, or calls {@link
   * #release}.
   *
   * @param key what {@link #affinity} knows the client by; null when it says nothing
   * @param listener where the client reached its Envoy, ip:port; null when the check does not say
   * @return the decision; {@link RejectionReason#UNKNOWN_POOL} for a pool without a policy, which
   *     creates no state, and {@link RejectionReason#NO_OWNER} when this instance cannot prove that
   *     it owns the pool or has not caught up yet; {@link #owner} then tells who may be asked
   */
  Decision decide(String pool, @Nullable String key, @Nullable String listener);

  /**
   * Whether the pool has come here without the last word of its owner before. Until what that may
   * have admitted has shown, the pool's decisions may not be answered before they are recorded.
   */
  boolean reservesHeadroom(String pool);

  /**
   * How long a connection may be unknown that was admitted and of which no decision is recorded.
   */
  Duration maxUnseen();

  /** By what clients of the pool are known again; {@link Affinity#NONE} when they need not be. */
  Affinity affinity(String pool);

  /**
   * Gives a reservation back that will never be used, because its decision could not be recorded or
   * nobody waits for it any more. Idempotent; does nothing when the connection is already open.
   */
  void release(Decision.Allowed reservation);

  /** Who decides for the pool, when {@link #decide} has said {@link RejectionReason#NO_OWNER}. */
  Owner owner(String pool);

  /** The owner has said that it is none; it is not named again before it proves to be one. */
  void disowned(String pool, Owner.Other owner);

  /** The owner does not answer; it is not named again before it is heard again. */
  void unreachable(String pool, Owner.Other owner);

  /** Where other instances answer, host:port, as far as they have been heard of late. */
  Set<String> others();

  /** Slots that owners lend to other instances, for the time in which a pool has no owner. */
  interface Loans {

    /**
     * Lends, as the owner; the added ones must be recorded before the borrower is told of them.
     *
     * @param held ids of what the borrower has unused
     * @param borrowers how many instances borrow, at least 1
     * @return empty when this instance may not decide for the pool
     */
    Optional<Loan> lend(String pool, List<String> held, int borrowers);

    /** The ids of what this instance has borrowed and not used. */
    List<String> borrowed(String pool);

    /**
     * Takes the owner's answer.
     *
     * @param asked the ids that the owner was told of
     * @param askedNanos before the owner was asked, on the ledger's ticker
     * @return what is not used here any more and may be given back
     */
    List<Decision.Allowed> take(String pool, List<String> asked, Loan loan, long askedNanos);

    /** Admits with a borrowed slot while nobody is known to own the pool; null when none is due. */
    Decision.@Nullable Allowed spend(String pool);

    /** Admits with a borrowed slot where the owner has no other room; null when there is none. */
    Decision.@Nullable Allowed spendAsRoom(String pool);
  }

  /** What is lent to this instance and by it. */
  Loans loans();

  /** What to answer for the pool while nobody decides for it. */
  OnOwnerLoss onOwnerLoss(String pool);

  /**
   * The pool that claims a request; null when none does.
   *
   * @param authority the host that it is for, with a port or without
   * @param path with its query
   */
  @Nullable String poolOf(String authority, String path);

  /** The names of all pools that have a policy, in alphabetical order. */
  Set<String> pools();

  /** The pool at this moment; empty when this instance does not own it or knows no such pool. */
  Optional<PoolView> connections(String pool);

  /**
   * Has {@code watcher}, and none that was named before, told of the changes in the pools that this
   * instance owns, several times a second. What changed before is not told.
   */
  void watch(Watcher watcher);

  /** How far the counts of the pool can be relied on; empty as for {@link #connections}. */
  Optional<PoolReadiness> readiness(String pool);

  /** Rejections by window and reason, up to now; empty as for {@link #connections}. */
  Optional<PoolRejections> rejections(String pool);

  /** All about the pool, up to now; empty as for {@link #connections}. */
  Optional<PoolReport> report(String pool);

  /**
   * What this instance has of a pool whose owner cannot be asked, with how old it may be; empty
   * when it keeps no copy of it. Reads the whole pool from a local disk, once a second at most.
   */
  Optional<PoolReport> standby(String pool);

  /**
   * Whether every store has been restored and every record that existed when this instance started
   * has been applied. It stays so while partitions move: their checks wait, or others decide them.
   * It turns false when the local state must be restored again, or when it is not known any more
   * who owns what.
   */
  boolean ready();

  /** Why {@link #ready} is false, for people; "ready" when it is true. */
  String status();
}
