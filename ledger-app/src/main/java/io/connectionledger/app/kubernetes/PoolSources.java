package io.connectionledger.app.kubernetes;

import io.connectionledger.kubernetes.pool.PoolResource;
import io.connectionledger.model.policy.PoolPolicy;
import io.connectionledger.streams.policy.KafkaPolicyStore;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The pools of the configuration and those of ConnectionPools, brought together into what the
 * policies are based on. Thread-safe.
 */
public final class PoolSources {

  private final KafkaPolicyStore policies;
  private Map<String, PoolPolicy> configured;

  /** Null as long as Kubernetes has not said which there are. */
  private @Nullable Map<String, PoolResource> resources;

  /**
   * What the policies began with.
   *
   * @param awaitsResources whether ConnectionPools are to come
   */
  public PoolSources(
      KafkaPolicyStore policies, Map<String, PoolPolicy> configured, boolean awaitsResources) {
    this.policies = policies;
    this.configured = configured;
    this.resources = awaitsResources ? null : Map.of();
  }

  /** Takes what the configuration and the policy file have from now on. */
  public synchronized void configured(Map<String, PoolPolicy> others) {
    configured = others;
    tell();
  }

  /** Takes the ConnectionPools that are in force from now on. */
  synchronized void resources(Map<String, PoolResource> others) {
    resources = others;
    tell();
  }

  private void tell() {
    Map<String, PoolPolicy> all = new LinkedHashMap<>(configured);
    Map<String, Set<String>> drain = new HashMap<>();
    if (resources != null) {
      resources.forEach(
          (pool, resource) -> {
            all.put(pool, resource.policy());
            if (!resource.drain().isEmpty()) {
              drain.put(pool, resource.drain());
            }
          });
    }
    policies.base(all, resources == null, drain);
  }
}
