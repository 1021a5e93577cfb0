package io.connectionledger.streams;

import io.connectionledger.model.view.PoolHistory;
import io.connectionledger.model.view.PoolReadiness;
import io.connectionledger.model.view.PoolRejections;
import io.connectionledger.model.view.PoolReport;
import io.connectionledger.model.view.PoolView;
import io.connectionledger.model.view.PoolView.PodView;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;

/**
 * What the query API asks. Thread-safe. {@link #rejections}, {@link #history}, {@link #report},
 * {@link #standby} and {@link #desiredPods} may read from a local disk, or ask another instance for
 * some seconds where the implementation says so; the others never wait.
 */
public interface PoolQueries {

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

  /** The names of all pools that have a policy, in alphabetical order. */
  Set<String> pools();

  /** Whether another instance is known to decide for the pool. */
  boolean isElsewhere(String pool);

  /** Whether this instance decides for the pool now. */
  boolean isOwned(String pool);

  /** The pool at this moment; empty when its owner cannot be asked, and for an unknown pool. */
  Optional<PoolView> connections(String pool);

  /** How far the counts of the pool can be relied on; empty as for {@link #connections}. */
  Optional<PoolReadiness> readiness(String pool);

  /** Rejections by window and reason, up to now; empty as for {@link #connections}. */
  Optional<PoolRejections> rejections(String pool);

  /**
   * What happened in the last hour; empty as for {@link #connections}. Reads it once a second at
   * most.
   */
  Optional<PoolHistory> history(String pool);

  /**
   * How many pods the pool should have, as {@link #report} says it and cheaper than that.
   *
   * @param view of a pool that this instance owns
   * @return empty when the pool has moved away, and while partitions move
   */
  OptionalInt desiredPods(PoolView view);

  /** All about the pool, up to now; empty as for {@link #connections}. */
  Optional<PoolReport> report(String pool);

  /**
   * What a standby has of a pool whose owner cannot be asked, with how old it may be; empty when
   * there is no copy. Reads the whole pool, once a second at most.
   */
  Optional<PoolReport> standby(String pool);

  /**
   * Has {@code watcher}, and none that was named before, told of the changes in the pools that this
   * instance owns, several times a second. What changed before is not told.
   */
  void watch(Watcher watcher);

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
