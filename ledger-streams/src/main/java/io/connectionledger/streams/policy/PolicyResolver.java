package io.connectionledger.streams.policy;

import io.connectionledger.model.PodAddress;
import io.connectionledger.model.endpoints.DiscoveredPods;
import io.connectionledger.model.endpoints.PoolEndpoints;
import io.connectionledger.model.policy.PolicyRecord;
import io.connectionledger.model.policy.PoolPolicy;
import java.util.ArrayList;
import java.util.Collection;
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
 * Where a policy leaves it to Kubernetes which pods there are, they come from the endpoints.
 *
 * <p>Pure; not thread-safe.
 */
final class PolicyResolver {

  /** What the topics say of more pools than this is ignored. */
  static final int MAX_POOLS = 10_000;

  /** What the topic says of more slices of a pool than this is ignored. */
  static final int MAX_SLICES = 1_000;

  private final Map<String, PolicyRecord> stored = new HashMap<>();

  /** Pools whose base the topic may not know yet. */
  private final Set<String> untold = new HashSet<>();

  /** Bases that are on their way to the topic. */
  private final Map<String, PoolPolicy> told = new HashMap<>();

  private Map<String, PoolPolicy> base;

  /** Whether pools that are in Kubernetes are missing in the base, which stay as they were. */
  private boolean partial;

  /** By pool, the pods that the base wants drained, by name or address. */
  private Map<String, Set<String>> drain = Map.of();

  /** By pool and slice. */
  private final Map<String, Map<String, PoolEndpoints>> endpoints = new HashMap<>();

  /** By pool, why Kubernetes is not heard by this instance. */
  private Map<String, String> unheard = Map.of();

  /** Parameters as for {@link #base}. */
  PolicyResolver(Map<String, PoolPolicy> base, boolean isPartial) {
    this.base = Map.copyOf(base);
    partial = isPartial;
    untold.addAll(base.keySet());
  }

  /**
   * Takes another base; pools that are the same in both are not affected.
   *
   * @param isPartial whether it is not known yet which pools Kubernetes has: those of which the
   *     topic knows stay
   */
  void base(Map<String, PoolPolicy> other, boolean isPartial) {
    partial = isPartial;
    Map<String, PoolPolicy> before = base;
    Map<String, PoolPolicy> all = new HashMap<>(other);
    if (isPartial) {
      stored.values().forEach(record -> keep(record, all));
    }
    base = Map.copyOf(all);
    untold.retainAll(base.keySet());
    base.forEach(
        (pool, policy) -> {
          if (!policy.equals(before.get(pool))) {
            untold.add(pool);
          }
        });
    stored.values().forEach(this::heard);
  }

  /** Takes other pods of the base to be drained, by pool. */
  void drain(Map<String, Set<String>> other) {
    drain = Map.copyOf(other);
  }

  /** Whether the policy of a pool may be {@link #stored}: beyond {@link #MAX_POOLS} none is new. */
  boolean hasRoomFor(String pool) {
    return stored.size() < MAX_POOLS || stored.containsKey(pool);
  }

  /** Whether a slice may be among the {@link #endpoints}. */
  boolean hasRoomFor(PoolEndpoints slice) {
    Map<String, PoolEndpoints> slices = endpoints.get(slice.pool());
    return slices == null
        ? endpoints.size() < MAX_POOLS
        : slices.size() < MAX_SLICES || slices.containsKey(slice.slice());
  }

  /** Takes what a slice has now, unless something later is known. */
  void endpoints(PoolEndpoints slice) {
    Map<String, PoolEndpoints> slices =
        endpoints.computeIfAbsent(slice.pool(), pool -> new TreeMap<>());
    slices.merge(
        slice.slice(),
        slice,
        (before, now) -> now.resourceVersion() >= before.resourceVersion() ? now : before);
  }

  /** A slice is gone. */
  void withoutEndpoints(String pool, String slice) {
    Map<String, PoolEndpoints> slices = endpoints.get(pool);
    if (slices != null) {
      slices.remove(slice);
    }
  }

  /** What the slices of a pool have. */
  Collection<PoolEndpoints> endpoints(String pool) {
    return List.copyOf(endpoints.getOrDefault(pool, Map.of()).values());
  }

  /** Takes, by pool, why Kubernetes is not heard here; pools of which it is heard are left out. */
  void unheard(Map<String, String> other) {
    unheard = Map.copyOf(other);
  }

  /** Takes a record of the topic. */
  void stored(PolicyRecord record) {
    String pool = record.pool();
    stored.put(pool, record);
    if (partial) {
      Map<String, PoolPolicy> all = new HashMap<>(base);
      keep(record, all);
      base = Map.copyOf(all);
    }
    heard(record);
    if (record.base().equals(told.get(pool))) {
      told.remove(pool);
      if (base.containsKey(pool) && !record.base().equals(base.get(pool))) {
        // It has changed again since it was told.
        untold.add(pool);
      }
    }
  }

  private static void keep(PolicyRecord record, Map<String, PoolPolicy> all) {
    if (record.base().kubernetes() != null) {
      all.putIfAbsent(record.pool(), record.base());
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

  /** The policy that counts with its pods; null for a pool that the base does not name. */
  @Nullable PolicyRecord of(String pool) {
    PolicyRecord written = written(pool);
    return written == null || written.policy().kubernetes() == null
        ? written
        : written.resolved(discovered(pool), drain.getOrDefault(pool, Set.of()));
  }

  private DiscoveredPods discovered(String pool) {
    Map<String, PoolEndpoints> slices = endpoints.getOrDefault(pool, Map.of());
    return slices.isEmpty()
        ? DiscoveredPods.NONE
        : DiscoveredPods.of(slices.values(), unheard.get(pool));
  }

  /**
   * The policy that counts as it is written, without the pods that Kubernetes has; null for a pool
   * that the base does not name.
   */
  @Nullable PolicyRecord written(String pool) {
    PoolPolicy own = base.get(pool);
    if (own == null) {
      return null;
    }
    PolicyRecord record = stored.get(pool);
    return record != null ? record : PolicyRecord.ofBase(own, Set.of(), 0);
  }

  /** What has to be written so that no drain outlasts its pod: another may get the address. */
  List<PolicyRecord> outdatedDrains(long nowMs) {
    List<PolicyRecord> outdated = new ArrayList<>();
    for (String pool : base.keySet()) {
      PolicyRecord written = written(pool);
      if (written == null
          || written.policy().kubernetes() == null
          || written.draining().isEmpty()
          || endpoints.getOrDefault(pool, Map.of()).isEmpty()) {
        continue;
      }
      Set<PodAddress> present = new HashSet<>(written.draining());
      present.retainAll(discovered(pool).endpoints().keySet());
      if (present.size() < written.draining().size()) {
        outdated.add(written.withDraining(present, nowMs));
      }
    }
    return outdated;
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
