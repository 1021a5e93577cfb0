package io.connectionledger.kubernetes.cost;

import io.connectionledger.kubernetes.cost.CostPlan.Candidate;
import io.connectionledger.kubernetes.leader.Leadership;
import io.connectionledger.model.Ticker;
import io.connectionledger.model.policy.KubernetesPods;
import io.fabric8.kubernetes.api.model.ListOptionsBuilder;
import io.fabric8.kubernetes.api.model.ObjectMeta;
import io.fabric8.kubernetes.api.model.OwnerReference;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.PodBuilder;
import io.fabric8.kubernetes.api.model.Service;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.fabric8.kubernetes.client.dsl.base.PatchContext;
import io.fabric8.kubernetes.client.dsl.base.PatchType;
import java.net.HttpURLConnection;
import java.time.Duration;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.event.Level;

/**
 * Tells Kubernetes which pods hold the fewest connections, so that a ReplicaSet that scales down
 * removes those first. It does so while this instance leads, each pod at most once a minute, and
 * leaves alone what somebody else has set. One thread does all of it.
 */
public final class DeletionCost implements AutoCloseable {

  /** How far the writes of one pod are apart at least. */
  public static final Duration INTERVAL = Duration.ofMinutes(1);

  private static final Duration LOOK = Duration.ofSeconds(20);
  private static final Duration CLOSE = Duration.ofSeconds(5);
  private static final Logger LOGGER = LoggerFactory.getLogger(DeletionCost.class);

  private final KubernetesClient client;
  private final Leadership leadership;
  private final Supplier<? extends Collection<PoolLoad>> loads;
  private final Ticker ticker;
  private final CostPlan plan = new CostPlan(INTERVAL);
  private boolean leading;
  private final ScheduledExecutorService executor =
      Executors.newSingleThreadScheduledExecutor(
          Thread.ofPlatform().daemon().name("deletion-cost").factory());

  private DeletionCost(
      KubernetesClient client,
      Leadership leadership,
      Supplier<? extends Collection<PoolLoad>> loads,
      Ticker ticker) {
    this.client = client;
    this.leadership = leadership;
    this.loads = loads;
    this.ticker = ticker;
  }

  /**
   * Starts to write.
   *
   * @param client stays the caller's, as {@code leadership} does
   * @param loads of the pools whose counts are complete; the pods of others keep their costs. May
   *     wait
   */
  public static DeletionCost start(
      KubernetesClient client,
      Leadership leadership,
      Supplier<? extends Collection<PoolLoad>> loads,
      Ticker ticker) {
    return start(client, leadership, loads, LOOK, ticker);
  }

  /** {@link #start} for tests, which cannot wait so long. */
  static DeletionCost start(
      KubernetesClient client,
      Leadership leadership,
      Supplier<? extends Collection<PoolLoad>> loads,
      Duration look,
      Ticker ticker) {
    DeletionCost cost = new DeletionCost(client, leadership, loads, ticker);
    var unused =
        cost.executor.scheduleWithFixedDelay(
            cost::round, 0, look.toMillis(), TimeUnit.MILLISECONDS);
    return cost;
  }

  private void round() {
    try {
      if (leadership.isLeader() != leading) {
        leading = !leading;
        plan.begin(ticker.nowNanos());
      }
      if (leading) {
        write();
      }
    } catch (KubernetesClientException away) {
      LOGGER
          .atWarn()
          .addKeyValue("reason", away.getMessage())
          .log("The API server cannot be asked to take deletion costs, trying again");
    } catch (RuntimeException bug) {
      LOGGER.atError().setCause(bug).log("Deletion costs cannot be written");
    }
  }

  private void write() {
    Map<String, Candidate> pods = new LinkedHashMap<>();
    for (PoolLoad load : loads.get()) {
      try {
        candidates(load).forEach(pod -> pods.merge(pod.uid(), pod, Candidate::with));
      } catch (KubernetesClientException refused) {
        log("namespace", load.pods().namespace(), refused);
      }
    }
    CostPlan.Plan next = plan.next(pods.values(), ticker.nowNanos());
    for (Candidate pod : next.foreign()) {
      LOGGER
          .atWarn()
          .addKeyValue("pod", pod.namespace() + "/" + pod.name())
          .addKeyValue("cost", pod.cost())
          .log("A pod has a deletion cost that the ledger did not write: it stays");
    }
    for (CostPlan.Write write : next.writes()) {
      if (!leadership.isLeader()) {
        return;
      }
      write(write);
    }
  }

  private Stream<Candidate> candidates(PoolLoad load) {
    KubernetesPods pods = load.pods();
    Map<String, String> labels = labels(pods);
    if (labels.isEmpty()) {
      return Stream.empty();
    }
    return client
        .pods()
        .inNamespace(pods.namespace())
        .withLabels(labels)
        // Of any age: a pod that is written to must be as it was read.
        .list(new ListOptionsBuilder().withResourceVersion("0").build())
        .getItems()
        .stream()
        .flatMap(pod -> candidate(pod, load.active()).stream());
  }

  private Map<String, String> labels(KubernetesPods pods) {
    if (pods.service() == null) {
      return pods.selector();
    }
    Service service =
        client.services().inNamespace(pods.namespace()).withName(pods.service()).get();
    return service == null || service.getSpec().getSelector() == null
        ? Map.of()
        : service.getSpec().getSelector();
  }

  private static Optional<Candidate> candidate(Pod pod, Map<String, Integer> active) {
    ObjectMeta meta = pod.getMetadata();
    Integer held = active.get(meta.getName());
    if (held == null || meta.getDeletionTimestamp() != null) {
      return Optional.empty();
    }
    Map<String, String> annotations =
        Objects.requireNonNullElse(meta.getAnnotations(), Map.<String, String>of());
    return meta.getOwnerReferences().stream()
        .filter(owner -> Boolean.TRUE.equals(owner.getController()))
        // No other controller asks for the cost.
        .filter(owner -> "ReplicaSet".equals(owner.getKind()))
        .map(OwnerReference::getUid)
        .findFirst()
        .map(
            replicaSet ->
                new Candidate(
                    meta.getNamespace(),
                    meta.getName(),
                    meta.getUid(),
                    meta.getResourceVersion(),
                    replicaSet,
                    held,
                    annotations.get(CostPlan.COST),
                    annotations.get(CostPlan.MARKER)));
  }

  private void write(CostPlan.Write write) {
    Candidate pod = write.pod();
    Pod patch =
        new PodBuilder()
            .withNewMetadata()
            .withNamespace(pod.namespace())
            .withName(pod.name())
            .withResourceVersion(pod.resourceVersion())
            .withAnnotations(Map.of(CostPlan.COST, write.cost(), CostPlan.MARKER, write.cost()))
            .endMetadata()
            .build();
    try {
      Object unused = client.resource(patch).patch(PatchContext.of(PatchType.JSON_MERGE));
      plan.written(write, ticker.nowNanos());
    } catch (KubernetesClientException refused) {
      if (!hasChanged(refused)) {
        plan.written(write, ticker.nowNanos());
      }
      log("pod", pod.namespace() + "/" + pod.name(), refused);
    }
  }

  /** Whether a pod is another since it was read, or gone: then its turn comes again soon. */
  private static boolean hasChanged(KubernetesClientException refused) {
    return refused.getCode() == HttpURLConnection.HTTP_NOT_FOUND
        || refused.getCode() == HttpURLConnection.HTTP_CONFLICT;
  }

  private static void log(String kind, String name, KubernetesClientException refused) {
    if (refused.getCode() < HttpURLConnection.HTTP_BAD_REQUEST) {
      throw refused;
    }
    LOGGER
        .atLevel(hasChanged(refused) ? Level.DEBUG : Level.WARN)
        .addKeyValue(kind, name)
        .addKeyValue("reason", refused.getMessage())
        .log("The API server does not take deletion costs, trying again");
  }

  /** Stops; the costs stay. */
  @Override
  public void close() throws InterruptedException {
    executor.shutdown();
    if (!executor.awaitTermination(CLOSE.toSeconds(), TimeUnit.SECONDS)) {
      executor.shutdownNow();
    }
  }
}
