package io.connectionledger.model.view;

import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * How far a pool's counts can be relied on at one moment.
 *
 * @param asOfMs milliseconds since the epoch
 * @param ready whether a controller may act on the counts
 * @param completeness the share of the open connections whose last heartbeat is not overdue, 0 to
 *     1; 1 for a pool without connections
 * @param envoys those that hold connections of the pool, by node id
 * @param reasons why it is not ready, a sentence each that begins with a word for its kind and a
 *     colon; empty when it is
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

  /** The kinds of {@link #reasons}: the words before their colons, each once. */
  public Set<String> kinds() {
    return reasons.stream()
        .map(reason -> reason.substring(0, Math.max(0, reason.indexOf(':'))))
        .filter(kind -> !kind.isEmpty())
        .collect(Collectors.toCollection(TreeSet::new));
  }

  /**
   * One Envoy.
   *
   * @param lastSeenMs when it last reported anything about the pool, milliseconds since the epoch
   * @param heartbeatMs at which interval it really repeats open connections; null while none was
   *     heard twice
   */
  public record EnvoyView(
      String node, long lastSeenMs, int connections, @Nullable Long heartbeatMs) {

    /** One of which nothing was heard twice. */
    public EnvoyView(String node, long lastSeenMs, int connections) {
      this(node, lastSeenMs, connections, null);
    }
  }
}
