package io.connectionledger.kubernetes.discovery;

import io.connectionledger.kubernetes.watch.ListWatch;
import io.connectionledger.model.PodNetworks;
import io.connectionledger.model.Ticker;
import io.connectionledger.model.policy.KubernetesPods;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.KubernetesResourceList;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.dsl.FilterWatchListDeletable;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import java.time.Duration;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Publishes the endpoints of pools whose pods are in Kubernetes, and each change of them at once.
 * Any number of instances may do so for the same pools: what one has published the others leave.
 * Thread-safe. One thread does the work, and one more waits for each watch.
 *
 * <p>Whatever becomes of the API server, what was published stays. {@link #stale} says of which
 * pools that may be old.
 */
public final class SliceDiscovery implements AutoCloseable {

  /** Prometheus: {@code ledger_kubernetes_watch_up}. */
  private static final String WATCH_UP = "ledger.kubernetes.watch.up";

  /** Prometheus: {@code ledger_endpoints_stale}. */
  private static final String STALE = "ledger.endpoints.stale";

  /** How long there may be no watch before that is said: watches end now and then. */
  private static final Duration GRACE = Duration.ofSeconds(3);

  private static final Duration LOOK = Duration.ofSeconds(1);

  /** How often pools are compared with what is published although nothing has happened. */
  private static final Duration COMPARE = Duration.ofSeconds(5);

  private static final Duration CLOSE = Duration.ofSeconds(10);
  private static final Logger LOGGER = LoggerFactory.getLogger(SliceDiscovery.class);

  private record Watched<T extends HasMetadata>(ObjectView<T> view, ListWatch<T> watch) {

    /** What is in the way, if something has been for a while. */
    Optional<String> outage(long nowNanos) {
      return watch
          .outage()
          .filter(outage -> nowNanos - outage.sinceNanos() >= GRACE.toNanos())
          .map(ListWatch.Outage::reason);
    }
  }

  private final KubernetesClient client;
  private final EndpointSink sink;
  private final PodNetworks networks;
  private final MeterRegistry registry;
  private final Ticker ticker;
  private final ScheduledThreadPoolExecutor executor =
      new ScheduledThreadPoolExecutor(
          1,
          Thread.ofPlatform().daemon().name("discovery").factory(),
          new ThreadPoolExecutor.DiscardPolicy());

  // The maps are the executor's thread's own.
  private final Map<String, FollowedPool> pools = new TreeMap<>();
  private final Map<String, Gauge> gauges = new HashMap<>();
  private final Map<Scope, Watched<?>> scopes = new HashMap<>();

  private volatile Map<String, String> stale = Map.of();
  private volatile Set<Scope.Kind> down = Set.of();

  /**
   * Starts without any pool. The client stays the caller's.
   *
   * @param networks where pods may be
   */
  public SliceDiscovery(
      KubernetesClient client,
      EndpointSink sink,
      PodNetworks networks,
      MeterRegistry registry,
      Ticker ticker) {
    this.client = client;
    this.networks = networks;
    this.sink = sink;
    this.registry = registry;
    this.ticker = ticker;
    for (Scope.Kind kind : Scope.Kind.values()) {
      Gauge.builder(WATCH_UP, this, discovery -> discovery.down.contains(kind) ? 0 : 1)
          .tag("kind", kind.plural)
          .description("Whether everything is watched that is to be watched in Kubernetes")
          .strongReference(true)
          .register(registry);
    }
    every(LOOK, this::look);
    every(COMPARE, this::compare);
  }

  /**
   * Follows these pools from now on, and no others; what is published of a pool that it followed
   * before is removed. Returns at once.
   *
   * @param wanted where the pods are, by the pool's name
   */
  public void pools(Map<String, KubernetesPods> wanted) {
    Map<String, KubernetesPods> copy = new TreeMap<>(wanted);
    execute(() -> follow(copy));
  }

  /** The pools whose endpoints may be old, each with a sentence that says why. */
  public Map<String, String> stale() {
    return stale;
  }

  private void every(Duration period, Runnable task) {
    var unused =
        executor.scheduleWithFixedDelay(
            () -> guarded(task), period.toNanos(), period.toNanos(), TimeUnit.NANOSECONDS);
  }

  private void execute(Runnable task) {
    executor.execute(() -> guarded(task));
  }

  /** The executor would keep an exception to itself, and never run the task again. */
  private static void guarded(Runnable task) {
    try {
      task.run();
    } catch (RuntimeException e) {
      LOGGER.atError().setCause(e).log("Discovery failed");
    }
  }

  private void follow(Map<String, KubernetesPods> wanted) {
    Set<String> ended = new HashSet<>(pools.keySet());
    ended.removeAll(wanted.keySet());
    ended.forEach(this::end);
    wanted.forEach(
        (pool, pods) -> {
          FollowedPool before = pools.get(pool);
          if (before == null || !before.wanted().equals(pods)) {
            begin(pool, pods, before == null ? new EndpointRules(pool) : before.rules());
          }
        });
    Set<Scope> used =
        pools.values().stream()
            .map(pool -> Scope.of(pool.wanted()))
            .collect(Collectors.toUnmodifiableSet());
    scopes.forEach(
        (scope, watched) -> {
          if (!used.contains(scope)) {
            close(watched);
          }
        });
    scopes.keySet().retainAll(used);
  }

  private void begin(String pool, KubernetesPods wanted, EndpointRules rules) {
    Scope scope = Scope.of(wanted);
    Watched<?> watched = scopes.computeIfAbsent(scope, this::watch);
    FollowedPool followed = new FollowedPool(pool, wanted, watched.view(), rules, sink);
    pools.put(pool, followed);
    gauges.computeIfAbsent(
        pool,
        name ->
            Gauge.builder(STALE, this, discovery -> discovery.stale.containsKey(name) ? 1 : 0)
                .tag("pool", name)
                .description("Whether the endpoints may be old")
                .strongReference(true)
                .register(registry));
    if (watched.outage(ticker.nowNanos()).isEmpty()) {
      followed.compare(ticker.nowNanos());
    }
  }

  private void end(String pool) {
    FollowedPool followed = pools.remove(pool);
    Gauge gauge = gauges.remove(pool);
    if (gauge != null) {
      var unused = registry.remove(gauge);
    }
    if (followed != null) {
      followed.end();
    }
  }

  private Watched<?> watch(Scope scope) {
    return switch (scope.kind()) {
      case ENDPOINT_SLICES ->
          watch(
              scope,
              new AllowedEndpoints<>(new SliceReader(), networks, registry),
              client
                  .discovery()
                  .v1()
                  .endpointSlices()
                  .inNamespace(scope.namespace())
                  .withLabel(SliceReader.SERVICE));
      case PODS ->
          watch(
              scope,
              new AllowedEndpoints<>(new PodReader(), networks, registry),
              client.pods().inNamespace(scope.namespace()).withLabels(scope.labels()));
    };
  }

  private <T extends HasMetadata> Watched<T> watch(
      Scope scope,
      EndpointReader<T> reader,
      FilterWatchListDeletable<T, ? extends KubernetesResourceList<T>, ?> request) {
    ObjectView<T> view =
        new ObjectView<>(reader, this::execute, concerned -> changed(scope, concerned));
    return new Watched<>(view, new ListWatch<>(scope.toString(), request, view, ticker));
  }

  private void changed(Scope scope, Predicate<KubernetesPods> concerned) {
    long nowNanos = ticker.nowNanos();
    pools.values().stream()
        .filter(pool -> Scope.of(pool.wanted()).equals(scope) && concerned.test(pool.wanted()))
        .forEach(pool -> guarded(() -> pool.compare(nowNanos)));
  }

  /** Makes up for what the sink did not take, and for what had to wait. */
  private void compare() {
    long nowNanos = ticker.nowNanos();
    scopes.forEach(
        (scope, watched) -> {
          if (watched.outage(nowNanos).isEmpty()) {
            changed(scope, pods -> true);
          }
        });
  }

  private void look() {
    long nowNanos = ticker.nowNanos();
    Map<Scope, String> outages = new HashMap<>();
    scopes.forEach(
        (scope, watched) ->
            watched.outage(nowNanos).ifPresent(reason -> outages.put(scope, reason)));
    Map<String, String> sentences = new TreeMap<>();
    pools.forEach(
        (name, pool) -> {
          Scope scope = Scope.of(pool.wanted());
          String reason = outages.get(scope);
          if (reason == null) {
            pool.keeps().ifPresent(sentence -> sentences.put(name, sentence));
          } else {
            sentences.put(name, "the " + scope + " cannot be watched: " + reason);
          }
        });
    stale = Map.copyOf(sentences);
    down = outages.keySet().stream().map(Scope::kind).collect(Collectors.toUnmodifiableSet());
  }

  private static void close(Watched<?> watched) {
    try {
      watched.watch().close();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /** Ends the watches. What is published stays. */
  @Override
  public void close() throws InterruptedException {
    execute(() -> scopes.values().forEach(SliceDiscovery::close));
    executor.shutdown();
    if (!executor.awaitTermination(CLOSE.toSeconds(), TimeUnit.SECONDS)) {
      throw new IllegalStateException("discovery goes on although it was closed");
    }
  }
}
