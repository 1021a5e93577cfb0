package io.connectionledger.streams.query;

import io.connectionledger.model.PodAddress;
import io.connectionledger.model.policy.PolicyRecord;
import io.connectionledger.model.policy.PoolPolicy;
import io.connectionledger.model.view.PoolReadiness;
import io.connectionledger.model.view.PoolRejections;
import io.connectionledger.model.view.PoolRejections.PodRejections;
import io.connectionledger.model.view.PoolReport;
import io.connectionledger.model.view.PoolScaling;
import io.connectionledger.model.view.PoolView;
import io.connectionledger.model.view.PoolView.PodView;
import io.connectionledger.streams.rules.ScaleDownOrder;
import io.connectionledger.streams.rules.ScalingRule;
import io.connectionledger.streams.store.Rejected;
import io.connectionledger.streams.store.StandbyCopy;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/**
 * Puts together what is answered about a pool. Remembers, by pool, the order in which pods were
 * last named for removal. Thread-safe.
 */
final class Reports {

  private final Map<String, ScaleDownOrder> orders = new ConcurrentHashMap<>();

  /**
   * All about a pool.
   *
   * @param staleMs how old it may be; null when this instance owns the pool
   * @param isNew whether the owner decides, but for less than a lease
   */
  PoolReport report(
      @Nullable Long staleMs,
      PoolPolicy policy,
      PoolView view,
      PoolReadiness readiness,
      boolean isNew,
      Rejected rejected) {
    List<String> reasons = new ArrayList<>(readiness.reasons());
    if (isNew) {
      reasons.add("catching-up: the owner is new and has not decided for a whole lease yet");
    }
    PoolScaling scaling =
        new PoolScaling(
            view.pool(),
            view.asOfMs(),
            reasons.isEmpty(),
            reasons,
            orders.computeIfAbsent(view.pool(), pool -> new ScaleDownOrder()).of(view.pods()),
            ScalingRule.desiredPods(policy, view.active(), rejected.latelyForWantOfRoom()));
    return new PoolReport(staleMs, view, rejections(view, rejected), scaling, readiness);
  }

  /** All about a pool that another instance owns. */
  PoolReport report(PolicyRecord record, StandbyCopy copy) {
    return report(
        copy.staleMs(),
        record.policy(),
        copy.view(record),
        copy.readiness(record.pool()),
        false,
        copy.rejected());
  }

  /** The rejections by the names of the pods. */
  static PoolRejections rejections(PoolView view, Rejected rejected) {
    Map<PodAddress, Rejected.Windows> others = new TreeMap<>(rejected.pods());
    List<PodRejections> pods = new ArrayList<>();
    for (PodView pod : view.pods()) {
      others.remove(pod.address());
      pods.add(new PodRejections(pod.pod(), pod.address(), rejected.pod(pod.address()).byLabel()));
    }
    others.forEach(
        (pod, windows) -> pods.add(new PodRejections(pod.toString(), pod, windows.byLabel())));
    return new PoolRejections(view.pool(), view.asOfMs(), rejected.pool().byLabel(), pods);
  }
}
