package io.connectionledger.kubernetes.pool;

import io.connectionledger.kubernetes.leader.Leadership;
import io.connectionledger.kubernetes.leader.Pace;
import io.connectionledger.kubernetes.pool.PoolResources.Judged;
import io.connectionledger.model.Ticker;
import io.connectionledger.model.policy.KubernetesPods;
import io.fabric8.kubernetes.api.model.ObjectMeta;
import io.fabric8.kubernetes.api.model.ObjectMetaBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.fabric8.kubernetes.client.dsl.base.PatchContext;
import io.fabric8.kubernetes.client.dsl.base.PatchType;
import java.net.HttpURLConnection;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.event.Level;

/**
 * Writes the status of every ConnectionPool while this instance leads: when it is another than the
 * resource has, and each at most once in five seconds, whoever led before. One thread does all of
 * it, and waits for the API server and for the ledger.
 */
public final class StatusWriter implements AutoCloseable {

  /** How far the writes of one resource are apart at least. */
  public static final Duration INTERVAL = Duration.ofSeconds(5);

  /** The name is that of who owns the status, as the API server notes it. */
  private static final PatchContext APPLY =
      new PatchContext.Builder()
          .withPatchType(PatchType.SERVER_SIDE_APPLY)
          .withFieldManager("connection-ledger")
          .withForce(true)
          .build();

  private static final Duration LOOK = Duration.ofSeconds(1);
  private static final Duration CLOSE = Duration.ofSeconds(5);
  private static final Logger LOGGER = LoggerFactory.getLogger(StatusWriter.class);

  private final KubernetesClient client;
  private final PoolResources resources;
  private final Leadership leadership;
  private final Function<String, Optional<PoolStatus>> reports;
  private final Ticker ticker;
  private final References references;
  private final Pace writes = new Pace(INTERVAL);
  private final Pace looks = new Pace(INTERVAL);

  /** What was last looked at, by the uid of its resource. */
  private final Map<String, Judged> lookedAt = new HashMap<>();

  private boolean leading;
  private final ScheduledExecutorService executor =
      Executors.newSingleThreadScheduledExecutor(
          Thread.ofPlatform().daemon().name("pool-status").factory());

  private StatusWriter(
      KubernetesClient client,
      PoolResources resources,
      Leadership leadership,
      Function<String, Optional<PoolStatus>> reports,
      Ticker ticker) {
    this.client = client;
    this.resources = resources;
    this.leadership = leadership;
    this.reports = reports;
    this.ticker = ticker;
    this.references = new References(client, ticker);
  }

  /**
   * Starts to write.
   *
   * @param client stays the caller's, as {@code resources} and {@code leadership} do
   * @param reports what the ledger says of a pool now; empty when it does not answer. May wait
   */
  public static StatusWriter start(
      KubernetesClient client,
      PoolResources resources,
      Leadership leadership,
      Function<String, Optional<PoolStatus>> reports,
      Ticker ticker) {
    StatusWriter writer = new StatusWriter(client, resources, leadership, reports, ticker);
    var unused =
        writer.executor.scheduleWithFixedDelay(
            writer::round, 0, LOOK.toMillis(), TimeUnit.MILLISECONDS);
    return writer;
  }

  private void round() {
    try {
      if (leadership.isLeader() != leading) {
        leading = !leading;
        writes.begin(ticker.nowNanos());
        looks.begin(ticker.nowNanos());
        lookedAt.clear();
      }
      if (leading) {
        write(resources.judged());
      }
    } catch (KubernetesClientException away) {
      LOGGER
          .atWarn()
          .addKeyValue("reason", away.getMessage())
          .log("The API server cannot be asked to take statuses, trying again");
    } catch (RuntimeException bug) {
      LOGGER.atError().setCause(bug).log("Statuses cannot be written");
    }
  }

  private void write(List<Judged> all) {
    for (Judged each : all) {
      if (!leadership.isLeader()) {
        return;
      }
      String uid = each.resource().getMetadata().getUid();
      if (isDue(uid, each)) {
        looks.done(uid, ticker.nowNanos());
        lookedAt.put(uid, each);
        try {
          write(uid, each);
        } catch (KubernetesClientException refused) {
          if (refused.getCode() < HttpURLConnection.HTTP_BAD_REQUEST) {
            throw refused;
          }
          log(each.resource(), refused);
        }
      }
    }
    List<String> uids = all.stream().map(each -> each.resource().getMetadata().getUid()).toList();
    writes.retain(uids);
    looks.retain(uids);
    lookedAt.keySet().retainAll(uids);
    references.retain(all.stream().flatMap(each -> pods(each.verdict()).stream()).toList());
  }

  /** One that has changed is looked at although it was of late. */
  private boolean isDue(String uid, Judged each) {
    long nowNanos = ticker.nowNanos();
    boolean written = each.resource().getStatus() != null;
    Judged before = lookedAt.get(uid);
    boolean changed =
        before == null
            || before.resource().generation() != each.resource().generation()
            || !before.verdict().equals(each.verdict());
    return writes.isDue(uid, written, nowNanos) && (changed || looks.isDue(uid, written, nowNanos));
  }

  private static Optional<KubernetesPods> pods(Verdict verdict) {
    PoolResource spec = verdict.inForce();
    return spec == null ? Optional.empty() : Optional.ofNullable(spec.policy().kubernetes());
  }

  private void write(String uid, Judged each) {
    ConnectionPool resource = each.resource();
    Optional<PoolStatus> report =
        each.verdict().inForce() == null ? Optional.empty() : reports.apply(resource.pool());
    ConnectionPoolStatus next =
        StatusRule.next(
            resource,
            each.verdict(),
            pods(each.verdict()).map(references::find).orElse(null),
            report,
            Instant.ofEpochMilli(ticker.nowMs()));
    // Asking may have taken a while.
    if (next.equals(StatusRule.before(resource)) || !leadership.isLeader()) {
      return;
    }
    writes.done(uid, ticker.nowNanos());
    client.resource(withStatus(resource.getMetadata(), next)).subresource("status").patch(APPLY);
  }

  /** It is of no account when it was removed, or is another one of the same name by now. */
  private static void log(ConnectionPool resource, KubernetesClientException refused) {
    boolean gone =
        refused.getCode() == HttpURLConnection.HTTP_NOT_FOUND
            || refused.getCode() == HttpURLConnection.HTTP_CONFLICT;
    LOGGER
        .atLevel(gone ? Level.DEBUG : Level.WARN)
        .addKeyValue("pool", resource.pool())
        .addKeyValue("reason", refused.getMessage())
        .log("The API server does not take a status, trying again");
  }

  /** The uid is a condition: another one of the same name is not meant. */
  private static ConnectionPool withStatus(ObjectMeta of, ConnectionPoolStatus status) {
    ConnectionPool applied = new ConnectionPool();
    applied.setMetadata(
        new ObjectMetaBuilder()
            .withNamespace(of.getNamespace())
            .withName(of.getName())
            .withUid(of.getUid())
            .build());
    applied.setStatus(status);
    return applied;
  }

  /** Stops; a status that is being written is waited for. */
  @Override
  public void close() throws InterruptedException {
    executor.shutdown();
    if (!executor.awaitTermination(CLOSE.toSeconds(), TimeUnit.SECONDS)) {
      executor.shutdownNow();
    }
  }
}
