package io.connectionledger.admission.keda;

import java.util.List;

/** What an autoscaler may know of a pool. */
public sealed interface Demand {

  /** Where it is asked for. Safe for any thread; may wait some seconds for another instance. */
  @FunctionalInterface
  interface Source {

    Demand of(String pool);
  }

  /**
   * A pool whose figures can be acted on.
   *
   * @param desiredPods how many pods the pool should have
   * @param inUse whether it has connections, or turned some away of late
   */
  record Known(int desiredPods, boolean inUse) implements Demand {}

  /**
   * A pool whose figures must not be acted on now; ask again.
   *
   * @param reasons a line each
   */
  record Unready(List<String> reasons) implements Demand {}

  /** No pool has this name; to ask again helps only after a change of the configuration. */
  record NoSuchPool() implements Demand {}
}
