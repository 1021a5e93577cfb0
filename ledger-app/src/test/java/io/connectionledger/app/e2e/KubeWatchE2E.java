package io.connectionledger.app.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import io.connectionledger.app.config.ConfigLoader;
import io.connectionledger.app.config.LedgerConfig;
import io.connectionledger.app.config.Role;
import io.connectionledger.app.envoy.EnvoyProcess;
import io.connectionledger.app.serve.LedgerNode;
import io.connectionledger.app.websocket.WebSocketClients.Connection;
import io.connectionledger.app.websocket.WebSocketPod;
import io.connectionledger.kubernetes.pool.ConnectionPool;
import io.connectionledger.model.Ticker;
import io.connectionledger.testkit.KubeApi;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.NamespaceBuilder;
import io.fabric8.kubernetes.api.model.discovery.v1.Endpoint;
import io.fabric8.kubernetes.api.model.discovery.v1.EndpointBuilder;
import io.fabric8.kubernetes.api.model.discovery.v1.EndpointSliceBuilder;
import io.fabric8.kubernetes.client.Config;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientBuilder;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.fabric8.kubernetes.client.dsl.Resource;
import io.fabric8.kubernetes.client.utils.Serialization;
import java.io.IOException;
import java.io.InputStream;
import java.net.Inet4Address;
import java.net.InetAddress;
import java.net.NetworkInterface;
import java.net.SocketException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * A ConnectionPool whose pods a real API server names, from their EndpointSlices to what a real
 * Envoy gets over ADS. The ledger is what the chart lets it be: a service account with the chart's
 * roles. {@code -Dkube.changes=2000} takes minutes.
 */
@Tag("kube-api")
class KubeWatchE2E {

  private static final String NAMESPACE = "shop";
  private static final String POOL = "shop.chat";

  /** Of the ledger, its service account and its Lease. */
  private static final String LEDGER_NAMESPACE = "connection-ledger";

  /** What of the chart's objects the API server needs to know the ledger. */
  private static final Set<String> KINDS =
      Set.of(
          "Namespace",
          "CustomResourceDefinition",
          "ServiceAccount",
          "Role",
          "RoleBinding",
          "ClusterRole",
          "ClusterRoleBinding");

  private static final String CONNECTION_POOL =
      """
      apiVersion: connectionledger.io/v1alpha1
      kind: ConnectionPool
      metadata: { name: chat, namespace: shop }
      spec: { service: chat, port: ws, perPodMaxConnections: 200 }
      """;

  private static final int REAL_PODS = 3;
  private static final int SLICES = 4;
  private static final int PODS_A_SLICE = 49;
  private static final int WEBSOCKETS = 500;
  private static final int CHANGES = Integer.getInteger("kube.changes", 80);
  private static final Duration PATIENCE = Duration.ofSeconds(30);

  /** How long a change may take on a machine that pauses; how long it took is printed. */
  private static final Duration CHANGE_TIMEOUT = Duration.ofSeconds(5);

  /** What Envoy says of an endpoint that takes connections, and of others. */
  private enum Health {
    HEALTHY,
    UNHEALTHY,
    DRAINING
  }

  @TempDir private Path folder;
  private final Ticker ticker = Ticker.system();
  private final Random random = new Random(20);
  private final List<WebSocketPod> pods = new ArrayList<>();

  /** The truth, by address. */
  private final Map<String, Health> endpoints = new TreeMap<>();

  /** The endpoints of the slices of pods that nobody connects to, by the slice's number. */
  private final Map<Integer, Map<String, Health>> slices = new HashMap<>();

  private final List<Long> tookMs = new ArrayList<>();
  private KubeApi api;
  private KubernetesClient client;
  private LedgerNode ledger;
  private Fleet fleet;

  @BeforeEach
  void start() throws Exception {
    api =
        KubeApi.start(
            folder.resolve("kube"),
            "--only-api",
            "--apiserver-flag",
            "--goaway-chance=0.01",
            "--apiserver-flag",
            "--etcd-compaction-interval=10s");
    client =
        new KubernetesClientBuilder()
            .withConfig(Config.fromKubeconfig(api.kubeconfig().toFile()))
            .build();
    client
        .resource(new NamespaceBuilder().withNewMetadata().withName(NAMESPACE).and().build())
        .create();
    chart()
        .filter(object -> KINDS.contains(object.getKind()))
        .forEach(object -> client.resource(object).serverSideApply());
    String host = hostThatSlicesMayName();
    for (int i = 0; i < REAL_PODS; i++) {
      WebSocketPod pod = WebSocketPod.start(host, 0);
      pods.add(pod);
      endpoints.put(pod.address().toString(), Health.HEALTHY);
      apply("real-" + i, pod.address().port(), Map.of(host, Health.HEALTHY));
    }
    Awaitility.await("the ConnectionPool is taken")
        .atMost(PATIENCE)
        .ignoreException(KubernetesClientException.class)
        .until(() -> connectionPool().serverSideApply() != null);
    System.setProperty(Config.KUBERNETES_KUBECONFIG_FILE, kubeconfigOfTheLedger().toString());
    ledger = ledger();
    fleet =
        Fleet.start(POOL, pods, 1, Fleet.ports(ledger), folder, BootstrapVariants.overAds(folder));
  }

  private Stream<HasMetadata> chart() throws IOException {
    try (InputStream file =
        Files.newInputStream(Fleet.ROOT.resolve("k8s/overlays/local/rendered.yaml"))) {
      return client.load(file).items().stream();
    }
  }

  private Resource<ConnectionPool> connectionPool() {
    return client.resource(Serialization.unmarshal(CONNECTION_POOL, ConnectionPool.class));
  }

  private Path kubeconfigOfTheLedger() throws IOException {
    String token =
        client.raw(
            "/api/v1/namespaces/" + LEDGER_NAMESPACE + "/serviceaccounts/ledger/token",
            "POST",
            Map.of("apiVersion", "authentication.k8s.io/v1", "kind", "TokenRequest"));
    YAMLMapper yaml = new YAMLMapper();
    JsonNode file = yaml.readTree(api.kubeconfig().toFile());
    ((ObjectNode) file.at("/users/0/user"))
        .put("token", yaml.readTree(token).at("/status/token").asText());
    ((ObjectNode) file.at("/contexts/0/context")).put("namespace", LEDGER_NAMESPACE);
    return Files.writeString(folder.resolve("kubeconfig"), yaml.writeValueAsString(file));
  }

  private LedgerNode ledger() throws Exception {
    Path config =
        Files.writeString(
            folder.resolve("kubernetes.yaml"),
            """
            data-dir: %s
            kafka: { port: 0 }
            als: { port: 0 }
            authz: { port: 0 }
            http: { port: 0 }
            xds: { port: 0 }
            lease: { heartbeat: 2s }
            kubernetes: { enabled: true }
            """
                .formatted(folder.resolve("data")));
    LedgerConfig loaded = ConfigLoader.load(config, Map.of());
    return LedgerNode.start(loaded, Role.resolve(Optional.empty(), loaded.kafka()));
  }

  @AfterEach
  void stop() {
    System.clearProperty(Config.KUBERNETES_KUBECONFIG_FILE);
    fleet.close();
    ledger.close();
    client.close();
    api.close();
  }

  @Test
  void shouldFollowEveryChangeOfTwoHundredPodsAndCutNoWebSocket() throws Exception {
    // Given
    awaitEndpoints(PATIENCE);
    List<Connection> open = fleet.open(WEBSOCKETS);
    fleet.awaitActive(WEBSOCKETS);
    // When
    for (int slice = 0; slice < SLICES; slice++) {
      slices.put(slice, new TreeMap<>());
    }
    for (int change = 0; change < CHANGES; change++) {
      if (change == CHANGES / 2) {
        loseApiServer();
      }
      changeSlice(change);
      long startNanos = ticker.nowNanos();
      awaitEndpoints(CHANGE_TIMEOUT);
      tookMs.add((ticker.nowNanos() - startNanos) / 1_000_000);
    }
    // Then
    Collections.sort(tookMs);
    System.out.printf(
        "%d changes of %d pods reached Envoy after %d ms (median), %d ms at most%n",
        CHANGES, endpoints.size(), tookMs.get(CHANGES / 2), tookMs.getLast());
    assertThat(open).noneMatch(connection -> connection.ended().isDone());
    assertThat(fleet.active()).isEqualTo(WEBSOCKETS);
    Awaitility.await("the resource says so")
        .atMost(PATIENCE)
        .until(
            () -> connectionPool().get().getStatus(),
            status -> status != null && Objects.equals(status.active(), WEBSOCKETS));
  }

  /** Nobody hears Kubernetes for a while: the pods stay, and it is said why they may be old. */
  private void loseApiServer() throws Exception {
    try (PrometheusServer prometheus =
        PrometheusServer.start(
            folder,
            ChartFiles.impatientRules(folder),
            List.of(ledger.httpPort().orElseThrow()),
            List.of())) {
      api.killApiServer();
      Awaitility.await("the endpoints are called old")
          .atMost(PATIENCE)
          .until(() -> reasons().contains("endpoints-stale: "));
      Map<String, String> panels = ChartFiles.panels(POOL, "none", true);
      Awaitility.await("the alert fires, and the panels have data")
          .atMost(PATIENCE)
          .untilAsserted(
              () -> {
                assertThat(prometheus.firing()).contains("LedgerEndpointsStale");
                prometheus.assertData(panels);
              });
    }
    awaitEndpoints(CHANGE_TIMEOUT);
    api.startApiServer();
    Awaitility.await("the endpoints are no longer called old")
        .atMost(PATIENCE)
        .until(() -> !reasons().contains("endpoints-stale: "));
  }

  private String reasons() {
    return fleet.get("/v1/pools/" + POOL + "/readiness").path("reasons").toString();
  }

  /** Fills a slice at first; later makes some of its pods ready or not, end, or vanish. */
  private void changeSlice(int change) {
    int number = change % SLICES;
    Map<String, Health> slice = slices.get(number);
    for (int i = 0; i < PODS_A_SLICE; i++) {
      String ip = "10.9." + number + "." + (i + 1);
      if (change < SLICES) {
        slice.put(ip, Health.UNHEALTHY);
      } else if (random.nextInt(10) == 0) {
        slice.put(ip, random.nextBoolean() ? Health.UNHEALTHY : Health.DRAINING);
      } else if (random.nextInt(20) == 0) {
        slice.remove(ip);
      }
    }
    apply("many-" + number, 9_000, slice);
    endpoints.keySet().removeIf(address -> address.startsWith("10.9." + number + "."));
    slice.forEach((ip, health) -> endpoints.put(ip + ":9000", health));
  }

  private void apply(String name, int port, Map<String, Health> ips) {
    List<Endpoint> listed = new ArrayList<>();
    ips.forEach(
        (ip, health) ->
            listed.add(
                new EndpointBuilder()
                    .withAddresses(ip)
                    .withNewConditions()
                    .withReady(health == Health.HEALTHY)
                    .withServing(health != Health.UNHEALTHY)
                    .withTerminating(health == Health.DRAINING)
                    .and()
                    .build()));
    client
        .resource(
            new EndpointSliceBuilder()
                .withNewMetadata()
                .withNamespace(NAMESPACE)
                .withName(name)
                .addToLabels("kubernetes.io/service-name", "chat")
                .and()
                .withAddressType("IPv4")
                .addNewPort()
                .withName("ws")
                .withPort(port)
                .and()
                .withEndpoints(listed)
                .build())
        .forceConflicts()
        .serverSideApply();
  }

  private void awaitEndpoints(Duration timeout) {
    Awaitility.await("Envoy has the endpoints")
        .atMost(timeout)
        .pollDelay(Duration.ZERO)
        .pollInterval(Duration.ofMillis(20))
        .untilAsserted(() -> assertThat(ofEnvoy()).isEqualTo(endpoints));
  }

  private Map<String, Health> ofEnvoy() throws Exception {
    EnvoyProcess envoy = fleet.envoys.getFirst();
    JsonNode clusters = new ObjectMapper().readTree(envoy.admin("/clusters?format=json").body());
    Map<String, Health> found = new TreeMap<>();
    for (JsonNode cluster : clusters.path("cluster_statuses")) {
      if (cluster.path("name").asText().equals(POOL)) {
        for (JsonNode host : cluster.path("host_statuses")) {
          JsonNode socket = host.at("/address/socket_address");
          found.put(
              socket.path("address").asText() + ":" + socket.path("port_value").asInt(),
              Health.valueOf(host.at("/health_status/eds_health_status").asText()));
        }
      }
    }
    return found;
  }

  /** An address of this machine that is not of the loopback, which the API server refuses. */
  private static String hostThatSlicesMayName() throws SocketException {
    return NetworkInterface.networkInterfaces()
        .flatMap(NetworkInterface::inetAddresses)
        .filter(Inet4Address.class::isInstance)
        .filter(address -> !address.isLoopbackAddress() && !address.isLinkLocalAddress())
        .map(InetAddress::getHostAddress)
        .findFirst()
        .orElseThrow(() -> new SocketException("this machine has no address but the loopback's"));
  }
}
