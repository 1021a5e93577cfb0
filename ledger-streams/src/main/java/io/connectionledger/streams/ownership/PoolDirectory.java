package io.connectionledger.streams.ownership;

import io.connectionledger.model.policy.Affinity;
import io.connectionledger.model.policy.PolicyRecord;
import io.connectionledger.model.policy.PoolIndex;
import io.connectionledger.model.policy.PoolPolicy;
import io.connectionledger.model.policy.PoolPolicy.OnOwnerLoss;
import io.connectionledger.model.policy.PoolPolicy.Placement;
import io.connectionledger.streams.Owner;
import io.connectionledger.streams.Partitions;
import io.connectionledger.streams.PoolRouting;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/**
 * The pools that have a policy: in which partition each is, and who decides for it. Thread-safe.
 */
public final class PoolDirectory implements PoolRouting {

  private final int partitions;
  private final Map<String, Integer> partitionOf = new ConcurrentHashMap<>();
  private volatile Map<String, PoolPolicy> policies;
  private volatile PoolIndex index;
  private volatile boolean known;
  private volatile PartitionOwners owners = PartitionOwners.UNKNOWN;

  /**
   * The pools of the configuration, until {@link #serve} says which there really are.
   *
   * @param partitions of every topic of the ledger
   */
  public PoolDirectory(Map<String, PoolPolicy> policies, int partitions) {
    this.policies = Collections.unmodifiableMap(new TreeMap<>(policies));
    this.index = PoolIndex.of(policies.values());
    this.partitions = partitions;
    policies.keySet().forEach(pool -> partitionOf.put(pool, partitionOf(pool)));
  }

  /** From now on these are the pools. */
  public void serve(Map<String, PolicyRecord> current) {
    Map<String, PoolPolicy> serving = new TreeMap<>();
    current.forEach(
        (pool, record) -> {
          serving.put(pool, record.policy());
          partitionOf.put(pool, partitionOf(pool));
        });
    partitionOf.keySet().retainAll(serving.keySet());
    policies = Collections.unmodifiableMap(serving);
    index = PoolIndex.of(serving.values());
    known = true;
  }

  public void ownedBy(PartitionOwners others) {
    owners = others;
  }

  public int partitions() {
    return partitions;
  }

  /** The partition that a pool of this name is or would be in. */
  public int partitionOf(String pool) {
    return Partitions.of(pool, partitions);
  }

  /** The partition of a pool that has a policy; null for others. */
  public @Nullable Integer partition(String pool) {
    return partitionOf.get(pool);
  }

  public @Nullable PoolPolicy policy(String pool) {
    return policies.get(pool);
  }

  public List<PoolPolicy> ofPartition(int partition) {
    return policies.values().stream()
        .filter(policy -> partitionOf(policy.pool()) == partition)
        .toList();
  }

  /** What the pools claim now. */
  public PoolIndex index() {
    return index;
  }

  /** Whether the policies have been read. */
  public boolean isKnown() {
    return known;
  }

  @Override
  public Set<String> pools() {
    return policies.keySet();
  }

  @Override
  public String poolOf(String authority, String path) {
    String claimed = index.byRequest(authority, path);
    if (claimed != null) {
      return claimed;
    }
    Set<String> pools = pools();
    return pools.size() == 1 ? pools.iterator().next() : "";
  }

  @Override
  public Affinity affinity(String pool) {
    PoolPolicy policy = policies.get(pool);
    return policy == null || policy.placement() != Placement.AFFINITY
        ? Affinity.NONE
        : policy.affinity();
  }

  @Override
  public OnOwnerLoss onOwnerLoss(String pool) {
    PoolPolicy policy = policies.get(pool);
    return policy == null ? OnOwnerLoss.DENY : policy.onOwnerLoss();
  }

  @Override
  public Owner owner(String pool) {
    Integer partition = partitionOf.get(pool);
    return partition == null ? Owner.NOBODY : owners.owner(partition);
  }

  @Override
  public void disowned(String pool, Owner.Other owner) {
    Integer partition = partitionOf.get(pool);
    if (partition != null) {
      owners.disowned(partition, owner);
    }
  }

  @Override
  public void unreachable(String pool, Owner.Other owner) {
    Integer partition = partitionOf.get(pool);
    if (partition != null) {
      owners.unreachable(partition, owner);
    }
  }

  @Override
  public Set<String> others() {
    return owners.others();
  }
}
