package io.connectionledger.app.kubernetes;

import io.connectionledger.app.config.LedgerConfig;
import io.connectionledger.kubernetes.KubernetesClients;
import io.connectionledger.kubernetes.cost.DeletionCost;
import io.connectionledger.kubernetes.cost.PoolLoad;
import io.connectionledger.kubernetes.discovery.EndpointSink;
import io.connectionledger.kubernetes.discovery.SliceDiscovery;
import io.connectionledger.kubernetes.leader.Leadership;
import io.connectionledger.kubernetes.pool.PoolResources;
import io.connectionledger.kubernetes.pool.PoolStatus;
import io.connectionledger.kubernetes.pool.StatusWriter;
import io.connectionledger.model.PodNetworks;
import io.connectionledger.model.Ticker;
import io.connectionledger.model.endpoints.PoolEndpoints;
import io.connectionledger.model.policy.KubernetesPods;
import io.connectionledger.model.policy.PolicyRecord;
import io.connectionledger.model.policy.PoolPolicy;
import io.connectionledger.model.view.PoolReport;
import io.connectionledger.model.view.PoolView.PodView;
import io.connectionledger.streams.policy.KafkaPolicyStore;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.micrometer.core.instrument.MeterRegistry;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * What an instance does in Kubernetes: follows ConnectionPools, publishes the endpoints of pools,
 * and, of all instances the one that leads, writes statuses and deletion costs. Thread-safe.
 */
public final class KubernetesSide implements AutoCloseable {

  private static final long LOOK_MS = 500;

  private final LedgerConfig.Kubernetes config;
  private final KafkaPolicyStore policies;
  private final PodNetworks networks;
  private final MeterRegistry registry;
  private final Ticker ticker;
  private final KubernetesClient client = KubernetesClients.create(null);
  private final PoolResources resources;
  private final List<AutoCloseable> parts = new ArrayList<>();
  private @Nullable SliceDiscovery discovery;
  private Map<String, String> unheard = Map.of();

  /** Where the pods of each pool are that Kubernetes has. */
  private volatile Map<String, KubernetesPods> pods = Map.of();

  private KubernetesSide(
      LedgerConfig.Kubernetes config,
      KafkaPolicyStore policies,
      Collection<PoolPolicy> configured,
      PoolSources sources,
      PodNetworks networks,
      MeterRegistry registry,
      Ticker ticker) {
    this.config = config;
    this.policies = policies;
    this.networks = networks;
    this.registry = registry;
    this.ticker = ticker;
    resources =
        PoolResources.start(client, config.namespaces(), configured, sources::resources, ticker);
  }

  /**
   * Starts to follow ConnectionPools.
   *
   * @param configured the pools of the configuration, which come before them
   * @param networks where pods may be
   */
  public static KubernetesSide start(
      LedgerConfig.Kubernetes config,
      KafkaPolicyStore policies,
      Collection<PoolPolicy> configured,
      PoolSources sources,
      PodNetworks networks,
      MeterRegistry registry,
      Ticker ticker) {
    return new KubernetesSide(config, policies, configured, sources, networks, registry, ticker);
  }

  /** Takes the pools that the configuration has from now on. */
  public void configured(Collection<PoolPolicy> others) {
    resources.configured(others);
  }

  /** Publishes the endpoints of pools from now on. */
  public synchronized void discover() {
    SliceDiscovery started =
        new SliceDiscovery(client, new Sink(policies), networks, registry, ticker);
    ScheduledExecutorService looks =
        Executors.newSingleThreadScheduledExecutor(
            Thread.ofPlatform().daemon().name("discovery-looks").factory());
    var unused =
        looks.scheduleWithFixedDelay(this::tellUnheard, LOOK_MS, LOOK_MS, TimeUnit.MILLISECONDS);
    parts.add(started);
    parts.add(looks::shutdownNow);
    discovery = started;
    started.pools(pods);
  }

  private void tellUnheard() {
    Map<String, String> now = Objects.requireNonNull(discovery).stale();
    if (!now.equals(unheard)) {
      unheard = now;
      policies.unheard(now);
    }
  }

  /** Takes the policies of all pools. */
  public synchronized void follow(Map<String, PolicyRecord> all) {
    Map<String, KubernetesPods> found = new HashMap<>();
    all.forEach(
        (pool, record) -> {
          KubernetesPods where = record.policy().kubernetes();
          if (where != null) {
            found.put(pool, where);
          }
        });
    pods = Map.copyOf(found);
    if (discovery != null) {
      discovery.pools(pods);
    }
  }

  /**
   * Writes statuses, and deletion costs if the configuration wants them, while this instance leads.
   *
   * @param identity by which the instances differ
   * @param reports what the ledger says of a pool, wherever it is owned. May wait
   */
  public synchronized void lead(String identity, Function<String, Optional<PoolReport>> reports) {
    String namespace = Objects.requireNonNullElse(client.getNamespace(), "default");
    Leadership leadership =
        Leadership.start(client, namespace, identity, Leadership.Terms.USUAL, ticker);
    parts.add(leadership);
    parts.add(
        StatusWriter.start(
            client,
            resources,
            leadership,
            pool -> reports.apply(pool).map(PoolStatus::of),
            ticker));
    if (config.deletionCost()) {
      parts.add(DeletionCost.start(client, leadership, () -> loads(reports), ticker));
    }
  }

  private List<PoolLoad> loads(Function<String, Optional<PoolReport>> reports) {
    List<PoolLoad> loads = new ArrayList<>();
    pods.forEach(
        (pool, where) ->
            reports
                .apply(pool)
                .filter(report -> report.scaling().ready())
                .ifPresent(report -> loads.add(new PoolLoad(where, active(report)))));
    return loads;
  }

  private static Map<String, Integer> active(PoolReport report) {
    Map<String, Integer> active = new HashMap<>();
    for (PodView pod : report.connections().pods()) {
      active.merge(pod.pod(), pod.active(), Integer::sum);
    }
    return active;
  }

  @Override
  public synchronized void close() throws Exception {
    for (AutoCloseable part : parts.reversed()) {
      part.close();
    }
    resources.close();
    client.close();
  }

  private record Sink(KafkaPolicyStore policies) implements EndpointSink {

    @Override
    public void publish(PoolEndpoints record) {
      policies.publish(record);
    }

    @Override
    public void remove(String pool, String slice) {
      policies.unpublish(pool, slice);
    }

    @Override
    public Collection<PoolEndpoints> known(String pool) {
      return policies.endpoints(pool);
    }
  }
}
