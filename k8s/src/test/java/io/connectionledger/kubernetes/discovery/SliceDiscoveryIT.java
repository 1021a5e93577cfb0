package io.connectionledger.kubernetes.discovery;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.connectionledger.kubernetes.KubernetesClients;
import io.connectionledger.model.PodAddress;
import io.connectionledger.model.PodNetworks;
import io.connectionledger.model.Ticker;
import io.connectionledger.model.endpoints.PoolEndpoints;
import io.connectionledger.model.endpoints.PoolEndpoints.Endpoint;
import io.connectionledger.model.policy.KubernetesPods;
import io.connectionledger.testkit.KubeApi;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.KubernetesResourceList;
import io.fabric8.kubernetes.api.model.NamespaceBuilder;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.discovery.v1.EndpointSlice;
import io.fabric8.kubernetes.client.Config;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientBuilder;
import io.fabric8.kubernetes.client.Watch;
import io.fabric8.kubernetes.client.Watcher;
import io.fabric8.kubernetes.client.WatcherException;
import io.fabric8.kubernetes.client.dsl.FilterWatchListDeletable;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.stream.Collectors;
import org.awaitility.core.ConditionFactory;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInfo;
import org.junit.jupiter.api.parallel.Isolated;

/** The endpoints of real Services, of an API server that forgets, sends away and dies. */
@Isolated("it counts seconds")
@Tag("kube-api")
final class SliceDiscoveryIT {

  /** Some hundredths of a second on a machine that has nothing else to do. */
  private static final Duration AT_ONCE = Duration.ofSeconds(3);

  private static KubeApi api;
  private static KubernetesClient admin;

  private final Ticker ticker = Ticker.system();
  private final RecordingSink sink = new RecordingSink(ticker);
  private final SimpleMeterRegistry registry = new SimpleMeterRegistry();
  private KubernetesClient client;
  private SliceDiscovery discovery;
  private String namespace;

  @BeforeAll
  static void startKubernetes() throws IOException, InterruptedException {
    api =
        KubeApi.start(
            Path.of("target", "kube-api"),
            "--nodes",
            "2",
            "--apiserver-flag",
            "--goaway-chance=0.01",
            "--apiserver-flag",
            "--etcd-compaction-interval=10s");
    admin = KubernetesClients.create(api.kubeconfig());
  }

  @AfterAll
  static void stopKubernetes() {
    admin.close();
    api.close();
  }

  @BeforeEach
  void start(TestInfo test) {
    namespace = "test-" + Integer.toHexString(test.getDisplayName().hashCode());
    admin
        .resource(
            new NamespaceBuilder().withNewMetadata().withName(namespace).endMetadata().build())
        .create();
    apply(
        """
        apiVersion: apps/v1
        kind: Deployment
        metadata: { name: backend }
        spec:
          replicas: 3
          selector: { matchLabels: { app: backend } }
          template:
            metadata: { labels: { app: backend } }
            spec:
              containers:
              - name: backend
                image: backend
                ports: [ { name: ws, containerPort: 8080 }, { name: metrics, containerPort: 9090 } ]
        """);
    apply(
        """
        apiVersion: v1
        kind: Service
        metadata: { name: backend }
        spec:
          selector: { app: backend }
          ports:
          - { name: ws, port: 80, targetPort: ws }
          - { name: metrics, port: 81, targetPort: metrics }
        """);
    client = KubernetesClients.create(api.kubeconfig());
    discovery = new SliceDiscovery(client, sink.instance(), PodNetworks.USUAL, registry, ticker);
  }

  @AfterEach
  void stop() throws InterruptedException {
    discovery.close();
    client.close();
    admin.namespaces().withName(namespace).delete();
  }

  private void apply(String yaml) {
    admin
        .load(new ByteArrayInputStream(yaml.getBytes(StandardCharsets.UTF_8)))
        .inNamespace(namespace)
        .create();
  }

  private KubernetesPods service(String port) {
    return new KubernetesPods(namespace, "backend", Map.of(), port);
  }

  private KubernetesPods selected(String port) {
    return new KubernetesPods(namespace, null, Map.of("app", "backend"), port);
  }

  private void scale(int replicas) {
    Object unused =
        admin.apps().deployments().inNamespace(namespace).withName("backend").scale(replicas);
  }

  private void annotateReady(String pod, String ready) {
    Pod unused =
        admin
            .pods()
            .inNamespace(namespace)
            .withName(pod)
            .edit(
                p ->
                    p.edit()
                        .editMetadata()
                        .addToAnnotations("kube-api/ready", ready)
                        .endMetadata()
                        .build());
  }

  private static ConditionFactory soon() {
    return await().atMost(Duration.ofSeconds(60)).pollInterval(Duration.ofMillis(20));
  }

  private void awaitReady(String pool, int pods) {
    soon()
        .untilAsserted(
            () ->
                assertThat(sink.endpoints(pool))
                    .hasSize(pods)
                    .allMatch(endpoint -> endpoint.ready() && !endpoint.terminating()));
  }

  private void awaitTruth(String pool) {
    soon().untilAsserted(() -> assertThat(addresses(pool)).isEqualTo(podsWithTheirPort()));
  }

  private Set<PodAddress> addresses(String pool) {
    return sink.endpoints(pool).stream()
        .filter(Endpoint::ready)
        .map(Endpoint::address)
        .collect(Collectors.toSet());
  }

  /** Of the ready ones, by the API server, which is asked anew. */
  private Set<PodAddress> podsWithTheirPort() {
    return admin
        .pods()
        .inNamespace(namespace)
        .withLabel("app", "backend")
        .list()
        .getItems()
        .stream()
        .filter(pod -> pod.getMetadata().getDeletionTimestamp() == null)
        .filter(
            pod ->
                pod.getStatus().getConditions().stream()
                    .anyMatch(c -> c.getType().equals("Ready") && c.getStatus().equals("True")))
        .map(pod -> new PodAddress(pod.getStatus().getPodIP(), 8080))
        .collect(Collectors.toSet());
  }

  /** When a watch beside that of the discovery was told of each version. */
  private <T extends HasMetadata> Watch times(
      FilterWatchListDeletable<T, ? extends KubernetesResourceList<T>, ?> request,
      Map<Long, Long> times) {
    return request.watch(
        new Watcher<T>() {
          @Override
          public void eventReceived(Action action, T object) {
            times.put(Long.valueOf(object.getMetadata().getResourceVersion()), ticker.nowNanos());
          }

          @Override
          public void onClose(WatcherException cause) {
            times.clear();
          }
        });
  }

  /** All that was published after {@code from} was so at once after its event. */
  private void assertAtOnce(Map<Long, Long> times, int from) {
    List<RecordingSink.Published> log = sink.log();
    List<RecordingSink.Published> published = log.subList(from, log.size());
    // The watch of the test may be told later than that of the discovery.
    soon()
        .untilAsserted(
            () ->
                assertThat(published)
                    .allSatisfy(
                        entry -> assertThat(times).containsKey(entry.record().resourceVersion())));
    assertThat(published)
        .hasSizeGreaterThan(5)
        .allSatisfy(
            entry ->
                assertThat(
                        entry.atNanos() - times.getOrDefault(entry.record().resourceVersion(), 0L))
                    .isLessThan(AT_ONCE.toNanos()));
  }

  @Test
  void shouldPublishEachChangeOfAServiceAtOnce() throws InterruptedException {
    // Given
    discovery.pools(Map.of("chat", service("ws")));
    awaitReady("chat", 3);
    int from = sink.log().size();
    String first = sink.endpoints("chat").getFirst().name();
    String last = sink.endpoints("chat").getLast().name();
    Map<Long, Long> times = new ConcurrentHashMap<>();
    FilterWatchListDeletable<EndpointSlice, ? extends KubernetesResourceList<EndpointSlice>, ?>
        slices =
            admin
                .discovery()
                .v1()
                .endpointSlices()
                .inNamespace(namespace)
                .withLabel(SliceReader.SERVICE);
    try (Watch watch = times(slices, times)) {
      // When
      annotateReady(first, "false");
      soon().until(() -> is(first, false, false));
      annotateReady(first, "true");
      soon().until(() -> is(first, true, false));
      var unused = admin.pods().inNamespace(namespace).withName(last).delete();
      soon().until(() -> is(last, false, true));
      soon().until(() -> sink.endpoints("chat").stream().noneMatch(e -> e.name().equals(last)));
      scale(20);
      awaitReady("chat", 20);
      scale(2);
      awaitReady("chat", 2);
      // Then
      assertAtOnce(times, from);
    }
    assertThat(sink.endpoints("chat"))
        .allMatch(e -> e.address().port() == 8080 && Set.of("zone-0", "zone-1").contains(e.zone()));
    awaitTruth("chat");
    assertThat(discovery.stale()).isEmpty();
  }

  private boolean is(String pod, boolean ready, boolean terminating) {
    return sink.endpoints("chat").stream()
        .anyMatch(
            e -> e.name().equals(pod) && e.ready() == ready && e.terminating() == terminating);
  }

  @Test
  void shouldPublishEachChangeOfSelectedPodsAtOnce() throws InterruptedException {
    // Given
    discovery.pools(Map.of("chat", selected("ws"), "figures", selected("9090")));
    awaitReady("chat", 3);
    awaitReady("figures", 3);
    int from = sink.log().size();
    String first = sink.endpoints("chat").getFirst().name();
    String last = sink.endpoints("chat").getLast().name();
    Map<Long, Long> times = new ConcurrentHashMap<>();
    try (Watch watch = times(admin.pods().inNamespace(namespace).withLabel("app"), times)) {
      // When
      annotateReady(first, "false");
      soon().until(() -> is(first, false, false));
      var unused = admin.pods().inNamespace(namespace).withName(last).delete();
      soon().until(() -> is(last, false, true));
      annotateReady(first, "true");
      scale(12);
      awaitReady("chat", 12);
      scale(2);
      awaitReady("chat", 2);
      // Then
      assertAtOnce(times, from);
    }
    awaitTruth("chat");
    assertThat(sink.endpoints("figures"))
        .hasSize(2)
        .allMatch(endpoint -> endpoint.address().port() == 9090);
  }

  @Test
  void shouldKeepTheLastEndpointsOfAServiceThatHasNoneAnyMore() {
    discovery.pools(Map.of("chat", service("8080"), "other", service("ws")));
    awaitReady("chat", 3);

    scale(0);

    soon().until(() -> sink.records("chat").stream().allMatch(PoolEndpoints::stale));
    assertThat(sink.endpoints("chat")).isNotEmpty().noneMatch(Endpoint::ready);
    soon().until(() -> discovery.stale().size() == 2);
    assertThat(discovery.stale().get("chat"))
        .matches(
            "Kubernetes has no endpoints for service "
                + namespace
                + "/backend any more: the last \\d are kept");
    assertThat(registry.get("ledger.endpoints.stale").tag("pool", "chat").gauge().value()).isOne();

    scale(2);

    awaitReady("chat", 2);
    soon().until(() -> discovery.stale().isEmpty());
    assertThat(registry.get("ledger.endpoints.stale").tag("pool", "chat").gauge().value()).isZero();
  }

  @Test
  void shouldOutliveTheApiServer() throws IOException, InterruptedException {
    // Given
    discovery.pools(Map.of("chat", service("ws"), "pods", selected("ws")));
    awaitReady("chat", 3);
    awaitReady("pods", 3);
    Set<Endpoint> before = new HashSet<>(sink.endpoints("chat"));
    for (int crash = 0; crash < 2; crash++) {
      // When
      api.killApiServer();
      // Then
      soon().until(() -> discovery.stale().size() == 2);
      assertThat(discovery.stale().get("chat"))
          .startsWith("the endpointslices of namespace " + namespace + " cannot be watched: ");
      assertThat(up("endpointslices") + up("pods")).isZero();
      assertThat(sink.endpoints("chat")).hasSameElementsAs(before);
      assertThat(sink.records("chat")).noneMatch(PoolEndpoints::stale);

      api.startApiServer();
      soon().until(() -> discovery.stale().isEmpty());
      assertThat(up("endpointslices") + up("pods")).isEqualTo(2);
      scale(5 + crash);
      awaitReady("chat", 5 + crash);
      awaitReady("pods", 5 + crash);
      awaitTruth("chat");
      before = new HashSet<>(sink.endpoints("chat"));
    }
  }

  private double up(String kind) {
    return registry.get("ledger.kubernetes.watch.up").tag("kind", kind).gauge().value();
  }

  @Test
  void shouldNotTakeSilenceForPeace() throws IOException, InterruptedException {
    discovery.pools(Map.of("chat", service("ws")));
    awaitReady("chat", 3);

    api.pauseApiServer(true);
    try {
      soon().until(() -> discovery.stale().containsKey("chat"));
      assertThat(sink.endpoints("chat")).hasSize(3).allMatch(Endpoint::ready);
    } finally {
      api.pauseApiServer(false);
    }

    soon().until(() -> discovery.stale().isEmpty());
    scale(4);
    awaitReady("chat", 4);
  }

  @Test
  void shouldPublishOnceForAllInstances() throws InterruptedException {
    discovery.pools(Map.of("chat", service("ws")));
    awaitReady("chat", 3);
    List<RecordingSink.Published> ofTheOther = new CopyOnWriteArrayList<>();
    SimpleMeterRegistry others = new SimpleMeterRegistry();
    try (KubernetesClient second = KubernetesClients.create(api.kubeconfig());
        SliceDiscovery other =
            new SliceDiscovery(
                second, sink.instance(ofTheOther), PodNetworks.USUAL, others, ticker)) {
      other.pools(Map.of("chat", service("ws"), "marker", service("metrics")));
      awaitReady("marker", 3);
      assertThat(ofTheOther).noneMatch(published -> published.record().pool().equals("chat"));

      discovery.close();
      scale(6);

      awaitReady("chat", 6);
      awaitTruth("chat");
    }
    discovery = new SliceDiscovery(client, sink.instance(), PodNetworks.USUAL, registry, ticker);
  }

  @Test
  void shouldRemoveThePoolsThatAreNotWantedAnyMore() {
    discovery.pools(Map.of("chat", service("ws"), "games", selected("ws")));
    awaitReady("chat", 3);
    awaitReady("games", 3);

    discovery.pools(Map.of("chat", service("ws")));

    soon().until(() -> sink.records("games").isEmpty());
    scale(4);
    awaitReady("chat", 4);
    assertThat(sink.records("games")).isEmpty();
    assertThat(registry.find("ledger.endpoints.stale").tag("pool", "games").gauge()).isNull();
  }

  @Test
  void shouldFollowAPoolThatMovesToOtherPods() {
    discovery.pools(Map.of("chat", service("ws")));
    awaitReady("chat", 3);

    discovery.pools(Map.of("chat", selected("metrics")));

    soon()
        .untilAsserted(
            () ->
                assertThat(sink.endpoints("chat"))
                    .hasSize(3)
                    .allMatch(endpoint -> endpoint.address().port() == 9090));
  }

  @Test
  void shouldSayThatItMayNotWatch() throws InterruptedException {
    Config config = Config.fromKubeconfig(api.kubeconfig().toFile());
    config.setImpersonateUsername("system:serviceaccount:default:nobody");
    try (KubernetesClient nobody = new KubernetesClientBuilder().withConfig(config).build();
        SliceDiscovery forbidden =
            new SliceDiscovery(
                nobody, sink.instance(), PodNetworks.USUAL, new SimpleMeterRegistry(), ticker)) {
      forbidden.pools(Map.of("chat", service("ws")));

      soon()
          .untilAsserted(
              () ->
                  assertThat(forbidden.stale().get("chat"))
                      .contains("cannot be watched: endpointslices", "is forbidden"));
    }
  }
}
