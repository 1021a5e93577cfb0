package io.connectionledger.model;

import java.util.Set;
import java.util.stream.Collectors;

/**
 * The policy of a pool as all instances share it: a value of {@link Topics#POLICIES}, of which the
 * latest counts.
 *
 * @param policy what the pool is decided by
 * @param base what the configuration or the policy file wanted when this was written; other than
 *     {@code policy} when the HTTP API has changed it since
 * @param draining pods of the policy that take no new connections; others are left out
 * @param atMs when it was written, milliseconds since the epoch
 */
public record PolicyRecord(
    PoolPolicy policy, PoolPolicy base, Set<PodAddress> draining, long atMs) {

  public PolicyRecord {
    Set<PodAddress> pods =
        policy.pods().stream().map(Pod::address).collect(Collectors.toUnmodifiableSet());
    draining = draining.stream().filter(pods::contains).collect(Collectors.toUnmodifiableSet());
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
    return new PolicyRecord(other, base, draining, nowMs);
  }

  public PolicyRecord withDraining(Set<PodAddress> pods, long nowMs) {
    return new PolicyRecord(policy, base, pods, nowMs);
  }
}
