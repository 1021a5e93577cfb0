package io.connectionledger.model;

import java.util.List;

/**
 * How far a pool's counts can be relied on at one moment.
 *
 * @param asOfMs milliseconds since the epoch
 * @param ready whether a controller may act on the counts
 * @param completeness the share of the open connections whose last heartbeat is not overdue, 0 to
 *     1; 1 for a pool without connections
 * @param envoys those that hold connections of the pool, by node id
 * @param reasons why it is not ready, a line each; empty when it is
 */
public record PoolReadiness(
    String pool,
    long asOfMs,
    boolean ready,
    double completeness,
    List<EnvoyView> envoys,
    List<String> reasons) {

  /** The least completeness at which a pool is ready. */
  public static final double ENOUGH = 0.95;

  /**
   * One Envoy.
   *
   * @param lastSeenMs when it last reported anything about the pool, milliseconds since the epoch
   */
  public record EnvoyView(String node, long lastSeenMs, int connections) {}
}
