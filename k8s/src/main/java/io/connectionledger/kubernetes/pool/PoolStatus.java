package io.connectionledger.kubernetes.pool;

import io.connectionledger.model.view.PoolReport;
import io.connectionledger.model.view.PoolView.PodView;
import java.util.List;
import java.util.Map;

/**
 * What the ledger has to say in the status of a pool.
 *
 * @param capacity connections that the pods which take any may hold together
 * @param rejected5m connections that were not admitted in the last five minutes
 * @param desiredPods how many pods there should be
 * @param completeness the share of the open connections whose last heartbeat is not overdue, 0 to 1
 * @param ready whether a controller may act on this
 * @param reasons why it may not, a sentence each that begins with a word for its kind and a colon
 */
public record PoolStatus(
    int active,
    int reserved,
    long capacity,
    long rejected5m,
    int desiredPods,
    double completeness,
    boolean ready,
    List<String> reasons) {

  private static final String FIVE_MINUTES = "5m";

  public PoolStatus {
    reasons = List.copyOf(reasons);
  }

  /** What a report comes to. */
  public static PoolStatus of(PoolReport report) {
    return new PoolStatus(
        report.connections().active(),
        report.connections().reserved(),
        report.connections().pods().stream()
            .filter(PoolStatus::takesConnections)
            .mapToLong(PodView::limit)
            .sum(),
        report.rejections().windows().getOrDefault(FIVE_MINUTES, Map.of()).values().stream()
            .mapToLong(Long::longValue)
            .sum(),
        report.scaling().desiredPods(),
        report.readiness().completeness(),
        report.scaling().ready(),
        report.scaling().reasons());
  }

  private static boolean takesConnections(PodView pod) {
    return switch (pod.state()) {
      case AVAILABLE, FULL, OVER_LIMIT -> true;
      default -> false;
    };
  }
}
