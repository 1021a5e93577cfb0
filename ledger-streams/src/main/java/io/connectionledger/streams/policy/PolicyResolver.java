package io.connectionledger.streams.policy;

import io.connectionledger.model.policy.PolicyRecord;
import io.connectionledger.model.policy.PoolPolicy;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * Which policy of a pool counts. The pools are those of the base, which is what this instance's
 * configuration and policy file want. A pool's policy is the latest record of the topic, and the
 * topic gets a new one when the base is another than the one that the latest record was written
 * over: so what the HTTP API changed lasts until somebody changes the configuration of that pool.
 *
 * <p>Pure; not thread-safe.
 */
final class PolicyResolver {

  private final Map<String, PolicyRecord> stored = new HashMap<>();

  /** Pools whose base the topic may not know yet. */
  private final Set<String> untold = new HashSet<>();

  /** Bases that are on their way to the topic. */
  private final Map<String, PoolPolicy> told = new HashMap<>();

  private Map<String, PoolPolicy> base;

  PolicyResolver(Map<String, PoolPolicy> base) {
    this.base = Map.copyOf(base);
    untold.addAll(base.keySet());
  }

  /** Takes another base; pools that are the same in both are not affected. */
  void base(Map<String, PoolPolicy> other) {
    Map<String, PoolPolicy> before = base;
    base = Map.copyOf(other);
    untold.retainAll(base.keySet());
    base.forEach(
        (pool, policy) -> {
          if (!policy.equals(before.get(pool))) {
            untold.add(pool);
          }
        });
    stored.values().forEach(this::heard);
  }

  /** Takes a record of the topic. */
  void stored(PolicyRecord record) {
    String pool = record.pool();
    stored.put(pool, record);
    heard(record);
    if (record.base().equals(told.get(pool))) {
      told.remove(pool);
      if (base.containsKey(pool) && !record.base().equals(base.get(pool))) {
        // It has changed again since it was told.
        untold.add(pool);
      }
    }
  }

  private void heard(PolicyRecord record) {
    if (record.base().equals(base.get(record.pool()))) {
      untold.remove(record.pool());
    }
  }

  /** Whether the topic knows the base. */
  boolean isTold() {
    return untold.isEmpty();
  }

  /** What has to be written to the topic now, so that it knows the base. */
  List<PolicyRecord> tell(long nowMs) {
    return untold.stream()
        .sorted()
        .map(
            pool -> {
              PolicyRecord last = stored.get(pool);
              PoolPolicy policy = policy(pool);
              told.put(pool, policy);
              return last == null
                  ? PolicyRecord.ofBase(policy, Set.of(), nowMs)
                  : last.withBase(policy, nowMs);
            })
        .toList();
  }

  /** The policy that counts; null for a pool that the base does not name. */
  @Nullable PolicyRecord of(String pool) {
    PoolPolicy own = base.get(pool);
    if (own == null) {
      return null;
    }
    PolicyRecord record = stored.get(pool);
    return record != null ? record : PolicyRecord.ofBase(own, Set.of(), 0);
  }

  /** {@link #of} for all pools of the base, in alphabetical order. */
  Map<String, PolicyRecord> all() {
    Map<String, PolicyRecord> all = new TreeMap<>();
    for (String pool : base.keySet()) {
      PolicyRecord record = of(pool);
      if (record != null) {
        all.put(pool, record);
      }
    }
    return all;
  }

  private PoolPolicy policy(String pool) {
    PoolPolicy policy = base.get(pool);
    if (policy == null) {
      throw new IllegalArgumentException("the base has no pool " + pool);
    }
    return policy;
  }
}
