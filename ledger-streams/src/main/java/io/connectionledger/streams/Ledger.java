package io.connectionledger.streams;

import io.connectionledger.model.Affinity;
import io.connectionledger.model.Decision;
import io.connectionledger.model.PoolReadiness;
import io.connectionledger.model.PoolView;
import io.connectionledger.model.RejectionReason;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * What admission and the query API may ask the ledger. Every method is safe for any thread and
 * returns without waiting for Kafka; only {@link #rejections} may read from a local disk.
 */
public interface Ledger {

  /**
   * Decides one check and, when it allows, holds the slot: from its return on, the reservation
   * counts against the pod's limit until it is opened, failed, released or expired. The caller has
   * the decision recorded in {@link io.connectionledger.model.Topics#DECISIONS}, or calls {@link
   * #release}.
   *
   * @param key what {@link #affinity} knows the client by; null when it says nothing
   * @return the decision; {@link RejectionReason#UNKNOWN_POOL} for a pool without a policy, which
   *     creates no state, and {@link RejectionReason#NO_OWNER} when this instance does not own the
   *     pool or has not caught up yet
   */
  Decision decide(String pool, @Nullable String key);

  /** By what clients of the pool are known again; {@link Affinity#NONE} when they need not be. */
  Affinity affinity(String pool);

  /**
   * Gives a reservation back that will never be used, because its decision could not be recorded or
   * nobody waits for it any more. Idempotent; does nothing when the connection is already open.
   */
  void release(Decision.Allowed reservation);

  /**
   * Runs {@code checks} while there are three more pools for it to ask about: one that allows, one
   * whose pods are full and one whose rate is used up. They follow the rules as every pool does,
   * are in no answer but {@link #decide}'s, and are gone with all their state on return. Their
   * decisions may not be recorded. For one thread at a time.
   *
   * @param checks takes the names of the pools, and may use any thread until it returns
   */
  void rehearse(Consumer<List<String>> checks);

  /** The names of all pools that have a policy, in alphabetical order. */
  Set<String> pools();

  /** The pool at this moment; empty when this instance does not own it or knows no such pool. */
  Optional<PoolView> connections(String pool);

  /** How far the counts of the pool can be relied on; empty as for {@link #connections}. */
  Optional<PoolReadiness> readiness(String pool);

  /**
   * Rejections by window and reason, up to now; empty as for {@link #connections}. Every window is
   * present; a reason without rejections is not.
   */
  Optional<Map<Window, Map<RejectionReason, Long>>> rejections(String pool);

  /**
   * Whether every store is restored and every record that existed when this instance started has
   * been applied. The answer may turn false again when partitions move.
   */
  boolean ready();

  /** Why {@link #ready} is false, for people; "ready" when it is true. */
  String status();
}
