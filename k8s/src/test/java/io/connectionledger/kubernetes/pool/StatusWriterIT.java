package io.connectionledger.kubernetes.pool;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.connectionledger.kubernetes.WriterCluster;
import io.connectionledger.kubernetes.leader.Leadership;
import io.connectionledger.model.Ticker;
import io.fabric8.kubernetes.api.model.Condition;
import io.fabric8.kubernetes.api.model.ServiceBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.Watch;
import io.fabric8.kubernetes.client.Watcher;
import io.fabric8.kubernetes.client.WatcherException;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * Two instances that would write statuses, on a real API server and with no more rights than
 * needed.
 */
@Tag("kube-api")
final class StatusWriterIT {

  private static final Leadership.Terms SHORT =
      new Leadership.Terms(Duration.ofSeconds(4), Duration.ofSeconds(3), Duration.ofMillis(300));
  private static final Duration PATIENCE = Duration.ofSeconds(40);

  /** What the way of an event to this test may add or take. */
  private static final Duration JITTER = Duration.ofSeconds(1);

  private static WriterCluster cluster;
  private final Ticker ticker = Ticker.system();

  /** An instance whose figures grow each time that they are asked for. */
  private final class Instance implements AutoCloseable {

    private final KubernetesClient client = cluster.writer();
    private final AtomicInteger asked = new AtomicInteger();
    private final PoolResources resources;
    private final Leadership leadership;
    private final StatusWriter writer;

    Instance(String name, int from, String namespace) {
      resources = PoolResources.start(client, List.of(namespace), List.of(), pools -> {}, ticker);
      leadership = Leadership.start(client, WriterCluster.LEASES, name, SHORT, ticker);
      writer =
          StatusWriter.start(
              client,
              resources,
              leadership,
              pool -> Optional.of(figures(from + asked.incrementAndGet())),
              ticker);
    }

    @Override
    public void close() throws InterruptedException {
      writer.close();
      leadership.close();
      resources.close();
      client.close();
    }
  }

  private static PoolStatus figures(int active) {
    return new PoolStatus(active, 1, 40, 3, 2, 1.0, true, List.of());
  }

  /** A status and when it was seen. */
  private record Seen(long atNanos, int active) {}

  @BeforeAll
  static void start() throws IOException, InterruptedException {
    cluster = WriterCluster.start(Path.of("target", "kube-api-status"), "--only-api");
  }

  @AfterAll
  static void stop() {
    cluster.close();
  }

  @Test
  void oneWritesAtMostOnceInFiveSecondsAndTheOtherWhenItIsGone() throws InterruptedException {
    cluster.createNamespace("busy");
    create(Resources.pool("busy", "chat", "{}"));
    List<Seen> seen = new CopyOnWriteArrayList<>();
    try (Watch unused = watch("busy", seen);
        Instance first = new Instance("first", 1_000, "busy")) {
      await().atMost(PATIENCE).until(() -> seen.size() == 1);
      try (Instance second = new Instance("second", 2_000, "busy")) {
        await().atMost(PATIENCE).until(() -> seen.size() == 3);

        assertThat(seen).allMatch(status -> status.active < 2_000);

        first.leadership.close();
        int writtenByFirst = seen.size();
        await().atMost(PATIENCE).until(() -> seen.size() == writtenByFirst + 2);

        assertThat(seen.subList(writtenByFirst, seen.size()))
            .allMatch(status -> status.active > 2_000);
        assertThat(first.leadership.isLeader()).isFalse();
        assertThat(second.leadership.isLeader()).isTrue();
      }
    }
    for (int i = 1; i < seen.size(); i++) {
      assertThat(seen.get(i).atNanos - seen.get(i - 1).atNanos)
          .isGreaterThan(StatusWriter.INTERVAL.minus(JITTER).toNanos());
    }
  }

  @Test
  void theConditionsSayWhatIsWrong() throws InterruptedException {
    cluster.createNamespace("wrong");
    create(Resources.pool("wrong", "first", "{ clusters: [ x ] }"));
    try (Instance unused = new Instance("only", 0, "wrong")) {
      await().atMost(PATIENCE).until(() -> "True".equals(status("first", "Accepted")));
      assertThat(condition("first", "Ready").getStatus()).isEqualTo("True");
      assertThat(condition("first", "ResolvedRefs").getReason()).isEqualTo("ServiceNotFound");

      cluster
          .admin()
          .resource(
              new ServiceBuilder()
                  .withNewMetadata()
                  .withName("chat")
                  .withNamespace("wrong")
                  .endMetadata()
                  .withNewSpec()
                  .addNewPort()
                  .withPort(8080)
                  .endPort()
                  .endSpec()
                  .build())
          .create();
      create(Resources.pool("wrong", "second", "{ clusters: [ x ] }"));
      create(
          Resources.pool(
              "wrong", "third", "{ service: null, selector: { matchLabels: { app: none } } }"));

      await().atMost(PATIENCE).until(() -> "True".equals(status("first", "ResolvedRefs")));
      await().atMost(PATIENCE).until(() -> "False".equals(status("second", "Accepted")));
      assertThat(condition("second", "Accepted").getMessage())
          .isEqualTo(
              "spec.clusters has 'x': allowed is what no other pool claims; pool 'wrong.first' does");
      assertThat(condition("second", "Ready").getReason()).isEqualTo("NotAccepted");
      await().atMost(PATIENCE).until(() -> "False".equals(status("third", "ResolvedRefs")));
      assertThat(condition("third", "ResolvedRefs").getReason()).isEqualTo("NoPodsSelected");
    }
  }

  private static void create(ConnectionPool pool) {
    Object unused = cluster.admin().resource(pool).create();
  }

  private static @Nullable String status(String name, String type) {
    return get(name)
        .flatMap(status -> status.condition(type))
        .map(Condition::getStatus)
        .orElse(null);
  }

  private static Condition condition(String name, String type) {
    return get(name).flatMap(status -> status.condition(type)).orElseThrow();
  }

  private static Optional<ConnectionPoolStatus> get(String name) {
    return Optional.ofNullable(
        cluster
            .admin()
            .resources(ConnectionPool.class)
            .inNamespace("wrong")
            .withName(name)
            .get()
            .getStatus());
  }

  private Watch watch(String namespace, List<Seen> seen) {
    return cluster
        .admin()
        .resources(ConnectionPool.class)
        .inNamespace(namespace)
        .watch(
            new Watcher<ConnectionPool>() {
              @Override
              public void eventReceived(Action action, ConnectionPool pool) {
                ConnectionPoolStatus status = pool.getStatus();
                if (status != null && status.active() != null) {
                  seen.add(new Seen(ticker.nowNanos(), status.active()));
                }
              }

              @Override
              public void onClose(WatcherException cause) {
                throw new IllegalStateException("the API server ended the watch", cause);
              }
            });
  }
}
