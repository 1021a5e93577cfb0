package io.connectionledger.kubernetes.pool;

import io.connectionledger.kubernetes.watch.ListWatch;
import io.connectionledger.model.Ticker;
import io.connectionledger.model.policy.PoolPolicy;
import io.fabric8.kubernetes.api.model.KubernetesResourceList;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.Watcher;
import io.fabric8.kubernetes.client.dsl.FilterWatchListDeletable;
import io.fabric8.kubernetes.client.dsl.MixedOperation;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Follows the ConnectionPools of a cluster and says what the ledger is to go by. One that is
 * refused is left out, or stays as it was when it was accepted last. While the API server is away,
 * all stays as it was. Thread-safe.
 */
public final class PoolResources implements AutoCloseable {

  private static final Logger LOGGER = LoggerFactory.getLogger(PoolResources.class);

  private final Consumer<Map<String, PoolResource>> follower;
  private final List<ListWatch<ConnectionPool>> watches = new ArrayList<>();

  /** Guards all that follows; the follower is told under it, so that it hears things in order. */
  private final Object lock = new Object();

  private final AcceptedPools accepted = new AcceptedPools();
  private final Map<String, ConnectionPool> resources = new HashMap<>();
  private final List<Listed> unlisted = new ArrayList<>();
  private Collection<PoolPolicy> configured;
  private Map<String, Verdict> verdicts = Map.of();

  /** Null before the first one. */
  private @Nullable Map<String, PoolResource> told;

  /** A resource and what the ledger makes of it. */
  public record Judged(ConnectionPool resource, Verdict verdict) {}

  private PoolResources(
      Collection<PoolPolicy> configured, Consumer<Map<String, PoolResource>> follower) {
    this.configured = List.copyOf(configured);
    this.follower = follower;
  }

  /**
   * Starts to follow.
   *
   * @param client stays the caller's
   * @param namespaces of the resources; empty for all that there are
   * @param configured pools that the configuration has: no resource may claim what they do
   * @param follower told what is in force, by pool: first when all resources are known, then after
   *     each change; may not wait
   */
  public static PoolResources start(
      KubernetesClient client,
      Collection<String> namespaces,
      Collection<PoolPolicy> configured,
      Consumer<Map<String, PoolResource>> follower,
      Ticker ticker) {
    PoolResources pools = new PoolResources(configured, follower);
    MixedOperation<ConnectionPool, KubernetesResourceList<ConnectionPool>, ?> all =
        client.resources(ConnectionPool.class);
    // None may be told before it is known how many there are.
    synchronized (pools.lock) {
      if (namespaces.isEmpty()) {
        pools.watch("connectionpools", all.inAnyNamespace(), ticker);
      }
      for (String namespace : namespaces) {
        pools.watch(
            "connectionpools of namespace " + namespace, all.inNamespace(namespace), ticker);
      }
    }
    return pools;
  }

  private void watch(
      String what,
      FilterWatchListDeletable<ConnectionPool, ? extends KubernetesResourceList<ConnectionPool>, ?>
          request,
      Ticker ticker) {
    Listed listener = new Listed();
    unlisted.add(listener);
    watches.add(new ListWatch<>(what, request, listener, ticker));
  }

  /** Takes what the configuration has from now on. */
  public void configured(Collection<PoolPolicy> others) {
    synchronized (lock) {
      configured = List.copyOf(others);
      judge();
    }
  }

  /** All resources and what the ledger makes of each, in alphabetical order; empty at first. */
  public List<Judged> judged() {
    synchronized (lock) {
      List<Judged> judged = new ArrayList<>();
      verdicts.forEach(
          (pool, verdict) -> {
            ConnectionPool resource = resources.get(pool);
            if (resource != null) {
              judged.add(new Judged(resource, verdict));
            }
          });
      return judged;
    }
  }

  /** Since when the resources cannot be watched, and why; empty when they can. */
  public Optional<ListWatch.Outage> outage() {
    return watches.stream().map(ListWatch::outage).flatMap(Optional::stream).findFirst();
  }

  private void judge() {
    if (!unlisted.isEmpty()) {
      return;
    }
    Map<String, Verdict> before = verdicts;
    verdicts = accepted.judge(resources.values(), configured);
    Map<String, PoolResource> inForce = new TreeMap<>();
    verdicts.forEach(
        (pool, verdict) -> {
          if (verdict.inForce() != null) {
            inForce.put(pool, verdict.inForce());
          }
          log(pool, verdict, before.get(pool));
        });
    if (!inForce.equals(told)) {
      told = inForce;
      follower.accept(inForce);
    }
  }

  private static void log(String pool, Verdict verdict, @Nullable Verdict before) {
    if (!verdict.isAccepted()
        && (before == null || !Objects.equals(before.message(), verdict.message()))) {
      LOGGER
          .atWarn()
          .addKeyValue("pool", pool)
          .addKeyValue("reason", verdict.message())
          .log("ConnectionPool refused");
    }
  }

  @Override
  public void close() throws InterruptedException {
    for (ListWatch<ConnectionPool> watch : watches) {
      watch.close();
    }
  }

  /** What one watch says. */
  private final class Listed implements ListWatch.Listener<ConnectionPool> {

    /** The pools of this watch's namespaces. */
    private final Map<String, ConnectionPool> own = new HashMap<>();

    @Override
    public void listed(List<ConnectionPool> objects, long version) {
      synchronized (lock) {
        resources.keySet().removeAll(own.keySet());
        own.clear();
        objects.forEach(object -> own.put(object.pool(), object));
        resources.putAll(own);
        unlisted.remove(this);
        judge();
      }
    }

    @Override
    public void changed(Watcher.Action action, ConnectionPool object, long version) {
      synchronized (lock) {
        String pool = object.pool();
        switch (action) {
          case ADDED, MODIFIED -> {
            own.put(pool, object);
            resources.put(pool, object);
          }
          case DELETED -> {
            own.remove(pool);
            resources.remove(pool);
          }
          case BOOKMARK, ERROR -> {
            return;
          }
        }
        judge();
      }
    }
  }
}
