package io.connectionledger.kubernetes.cost;

import io.connectionledger.kubernetes.leader.Pace;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Which pods are to get another cost. The cost of a pod is how many pods of its ReplicaSet hold
 * fewer connections than it does: connections that come and go change it only when pods change
 * places. A cost that somebody else has set stays. Pure; not thread-safe.
 */
final class CostPlan {

  /** Kubernetes removes the pods of a ReplicaSet with the lowest cost first; without, it is 0. */
  static final String COST = "controller.kubernetes.io/pod-deletion-cost";

  /** The cost that the ledger has written last. */
  static final String MARKER = "connectionledger.io/pod-deletion-cost";

  private final Pace pace;

  /** The uids of pods with a cost of somebody else. */
  private final Set<String> foreign = new HashSet<>();

  /**
   * A pod that may be removed.
   *
   * @param resourceVersion of which {@code cost} and {@code marker} are
   * @param replicaSet the uid of its ReplicaSet
   * @param active established connections
   */
  record Candidate(
      String namespace,
      String name,
      String uid,
      String resourceVersion,
      String replicaSet,
      int active,
      @Nullable String cost,
      @Nullable String marker) {

    /** The same in two pools, to which it belongs. */
    Candidate with(Candidate other) {
      return new Candidate(
          namespace, name, uid, resourceVersion, replicaSet, active + other.active, cost, marker);
    }

    private boolean isForeign() {
      return cost != null && !cost.equals(marker);
    }
  }

  /** A cost that a pod is to get. */
  record Write(Candidate pod, String cost) {}

  /**
   * What is to be done.
   *
   * @param foreign those whose cost is somebody else's, and was not when this was asked before
   */
  record Plan(List<Write> writes, List<Candidate> foreign) {}

  CostPlan(Duration interval) {
    pace = new Pace(interval);
  }

  /** Begins anew: another instance may have written any cost until now. */
  void begin(long nowNanos) {
    pace.begin(nowNanos);
  }

  /** The cost was written, or may have been. */
  void written(Write write, long nowNanos) {
    pace.done(write.pod.uid, nowNanos);
  }

  /** The plan for all pods that there are. */
  Plan next(Collection<Candidate> pods, long nowNanos) {
    Map<String, List<Candidate>> byReplicaSet =
        pods.stream().collect(Collectors.groupingBy(Candidate::replicaSet));
    List<Write> writes = new ArrayList<>();
    List<Candidate> newlyForeign = new ArrayList<>();
    for (Candidate pod : pods) {
      if (pod.isForeign()) {
        if (foreign.add(pod.uid)) {
          newlyForeign.add(pod);
        }
        continue;
      }
      foreign.remove(pod.uid);
      String cost = cost(pod, byReplicaSet.getOrDefault(pod.replicaSet, List.of()));
      if (!Objects.equals(cost, pod.cost) && pace.isDue(pod.uid, pod.marker != null, nowNanos)) {
        writes.add(new Write(pod, cost));
      }
    }
    Set<String> uids = pods.stream().map(Candidate::uid).collect(Collectors.toUnmodifiableSet());
    foreign.retainAll(uids);
    pace.retain(uids);
    return new Plan(writes, newlyForeign);
  }

  private static String cost(Candidate pod, List<Candidate> replicas) {
    return Long.toString(replicas.stream().filter(other -> other.active < pod.active).count());
  }
}
