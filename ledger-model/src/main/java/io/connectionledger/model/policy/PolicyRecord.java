package io.connectionledger.model.policy;

import io.connectionledger.model.PodAddress;
import io.connectionledger.model.Topics;
import io.connectionledger.model.endpoints.DiscoveredPods;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * The policy of a pool as all instances share it: a value of {@link Topics#POLICIES}, of which the
 * latest counts.
 *
 * @param policy what the pool is decided by
 * @param base what the configuration or the policy file wanted when this was written; other than
 *     {@code policy} when the HTTP API has changed it since
 * @param draining pods of the policy that take no new connections; others are left out
 * @param paces of those of the draining that are to be empty by a time; others are left out
 * @param atMs when it was written, milliseconds since the epoch
 * @param discovered what Kubernetes says of the pods, which then are the policy's; null where the
 *     policy names them itself, and as long as it is not resolved
 */
public record PolicyRecord(
    PoolPolicy policy,
    PoolPolicy base,
    Set<PodAddress> draining,
    Map<PodAddress, DrainPace> paces,
    long atMs,
    @Nullable DiscoveredPods discovered) {

  public PolicyRecord {
    Set<PodAddress> pods =
        policy.pods().stream().map(Pod::address).collect(Collectors.toUnmodifiableSet());
    boolean unresolved = policy.kubernetes() != null && discovered == null;
    draining =
        draining.stream()
            .filter(pod -> unresolved || pods.contains(pod))
            .collect(Collectors.toUnmodifiableSet());
    Map<PodAddress, DrainPace> known = new HashMap<>(paces);
    known.keySet().retainAll(draining);
    paces = Map.copyOf(known);
  }

  /** One that is not resolved. */
  public PolicyRecord(
      PoolPolicy policy,
      PoolPolicy base,
      Set<PodAddress> draining,
      Map<PodAddress, DrainPace> paces,
      long atMs) {
    this(policy, base, draining, paces, atMs, null);
  }

  /** One whose pods drain at no pace, if they do. */
  public PolicyRecord(PoolPolicy policy, PoolPolicy base, Set<PodAddress> draining, long atMs) {
    this(policy, base, draining, Map.of(), atMs);
  }

  /**
   * The same with the pods that Kubernetes has; those that are terminating drain, too.
   *
   * @param alsoDraining names or addresses of others that do
   */
  public PolicyRecord resolved(DiscoveredPods found, Set<String> alsoDraining) {
    Set<PodAddress> all = new HashSet<>(draining);
    all.addAll(found.terminating());
    all.addAll(found.named(alsoDraining));
    List<Pod> pods =
        found.names().entrySet().stream()
            .limit(PoolPolicy.MAX_PODS)
            .map(pod -> new Pod(pod.getValue(), pod.getKey()))
            .toList();
    return new PolicyRecord(policy.withPods(pods), base, all, paces, atMs, found);
  }

  /** Pods that are not ready for new connections although they do not drain. */
  public Set<PodAddress> notReady() {
    return discovered == null ? Set.of() : discovered.notReady();
  }

  /** What the configuration wants, with nothing changed. */
  public static PolicyRecord ofBase(PoolPolicy base, Set<PodAddress> draining, long atMs) {
    return new PolicyRecord(base, base, draining, atMs);
  }

  public String pool() {
    return policy.pool();
  }

  /** Whether the policy is another than the configuration wants. */
  public boolean isOverride() {
    return !(discovered == null ? policy : policy.withPods(List.of())).equals(base);
  }

  public PolicyRecord withPolicy(PoolPolicy other, long nowMs) {
    return new PolicyRecord(other, base, draining, paces, nowMs);
  }

  public PolicyRecord withDraining(Set<PodAddress> pods, long nowMs) {
    return new PolicyRecord(policy, base, pods, paces, nowMs);
  }

  /** The same by another base; what the API has set, but for draining, is gone. */
  public PolicyRecord withBase(PoolPolicy other, long nowMs) {
    return new PolicyRecord(other, other, draining, paces, nowMs);
  }

  /**
   * The pod drains from now on.
   *
   * @param pace null to let it take its time
   */
  public PolicyRecord withDrain(PodAddress pod, @Nullable DrainPace pace, long nowMs) {
    Set<PodAddress> pods = new HashSet<>(draining);
    pods.add(pod);
    Map<PodAddress, DrainPace> all = new HashMap<>(paces);
    if (pace == null) {
      all.remove(pod);
    } else {
      all.put(pod, pace);
    }
    return new PolicyRecord(policy, base, pods, all, nowMs);
  }

  /** The pod drains no more. */
  public PolicyRecord withoutDrain(PodAddress pod, long nowMs) {
    Set<PodAddress> pods = new HashSet<>(draining);
    pods.remove(pod);
    return withDraining(pods, nowMs);
  }
}
