package io.connectionledger.model.policy;

import io.connectionledger.model.PodAddress;
import io.connectionledger.model.Topics;
import java.util.HashMap;
import java.util.HashSet;
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
 */
public record PolicyRecord(
    PoolPolicy policy,
    PoolPolicy base,
    Set<PodAddress> draining,
    Map<PodAddress, DrainPace> paces,
    long atMs) {

  public PolicyRecord {
    Set<PodAddress> pods =
        policy.pods().stream().map(Pod::address).collect(Collectors.toUnmodifiableSet());
    draining = draining.stream().filter(pods::contains).collect(Collectors.toUnmodifiableSet());
    Map<PodAddress, DrainPace> known = new HashMap<>(paces);
    known.keySet().retainAll(draining);
    paces = Map.copyOf(known);
  }

  /** One whose pods drain at no pace, if they do. */
  public PolicyRecord(PoolPolicy policy, PoolPolicy base, Set<PodAddress> draining, long atMs) {
    this(policy, base, draining, Map.of(), atMs);
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
    return !policy.equals(base);
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
