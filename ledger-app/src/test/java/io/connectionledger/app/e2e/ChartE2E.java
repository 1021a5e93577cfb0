package io.connectionledger.app.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.MappingIterator;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import io.connectionledger.app.demo.LedgerPorts;
import io.connectionledger.app.envoy.EnvoyBinary;
import io.connectionledger.app.envoy.EnvoyOptions;
import io.connectionledger.app.envoy.EnvoyProcess;
import io.connectionledger.app.serve.LedgerNode;
import io.connectionledger.app.websocket.WebSocketClients;
import io.connectionledger.app.websocket.WebSocketClients.Attempt;
import io.connectionledger.app.websocket.WebSocketClients.Connection;
import io.connectionledger.app.websocket.WebSocketPod;
import io.connectionledger.testkit.FreePorts;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The Envoy of {@code k8s/overlays/local}, as the chart sets it up, with everything real. */
class ChartE2E {

  private static final Path MANIFESTS = Fleet.ROOT.resolve("k8s/overlays/local/rendered.yaml");
  private static final Path DRAIN = Fleet.ROOT.resolve("k8s/chart/files/drain.sh");
  private static final String NODE = "ledger-envoy-7d9f-abcde";

  /** Connections of one Envoy that its own bucket lets in while no ledger answers. */
  private static final int FAIL_OPEN_BURST = 10;

  @TempDir private Path folder;
  private final List<WebSocketPod> pods = Fleet.pods(1);
  private final HttpClient http = HttpClient.newHttpClient();
  private final WebSocketClients clients = new WebSocketClients();
  private LedgerNode ledger;
  private LedgerPorts ports;
  private int health;
  private int admin;

  @BeforeEach
  void start() throws Exception {
    List<Integer> free = FreePorts.some(2);
    health = free.getFirst();
    admin = free.getLast();
    ledger =
        Fleet.ledger(
            folder,
            """
            chat:
              per-pod-max-connections: 20
              pods: [%s]
            """
                .formatted(Fleet.yaml(pods)));
    ports = Fleet.ports(ledger);
    try (LedgerHttp api = new LedgerHttp(ports.http(), Duration.ofSeconds(10))) {
      Awaitility.await("ready")
          .atMost(Duration.ofSeconds(60))
          .until(() -> api.find("/health/ready").isPresent());
    }
  }

  @AfterEach
  void stop() {
    ledger.close();
    clients.close();
    pods.forEach(WebSocketPod::close);
    http.close();
  }

  @Test
  void shouldCarryWebSocketsAndShowItsHealthAndDrain() throws Exception {
    try (EnvoyProcess envoy = envoy(ports);
        LedgerHttp api = new LedgerHttp(ports.http(), Duration.ofSeconds(10))) {
      List<Connection> in = Fleet.opened(attempt(envoy, 3));
      assertThat(in).hasSize(3);
      awaitHeld(api, 3);

      assertThat(status("GET", "/ready")).isEqualTo(200);
      assertThat(status("GET", "/stats/prometheus")).isEqualTo(200);
      assertThat(status("GET", "/")).isEqualTo(404);
      assertThat(status("GET", "/config_dump")).isEqualTo(404);
      assertThat(status("POST", "/stats/prometheus")).isEqualTo(404);
      assertThat(status("POST", "/quitquitquit")).isEqualTo(404);

      Process drain = drain();
      Awaitility.await("not ready any more")
          .atMost(Duration.ofSeconds(10))
          .until(() -> status("GET", "/ready") == 503);
      Fleet.close(in.subList(0, 2));
      awaitHeld(api, 1);
      assertThat(drain.isAlive()).isTrue();
      assertThat(in.getLast().ended().isDone()).isFalse();
      Fleet.close(in.subList(2, 3));
      assertThat(drain.waitFor()).isZero();
      assertThat(drain.inputReader().readLine()).isNull();
    }
  }

  @Test
  void shouldBoundWhatPassesWithoutALedger() throws Exception {
    LedgerPorts nobody = new LedgerPorts(ports.als(), FreePorts.one(), ports.xds(), ports.http());
    try (EnvoyProcess envoy = envoy(nobody)) {
      List<Connection> in = Fleet.opened(attempt(envoy, 3 * FAIL_OPEN_BURST));

      // One more comes into the bucket each second.
      assertThat(in).hasSizeBetween(FAIL_OPEN_BURST, FAIL_OPEN_BURST + 5);
      Fleet.close(in);
    }
  }

  private List<Attempt> attempt(EnvoyProcess envoy, int count) {
    URI uri = URI.create("ws://127.0.0.1:" + envoy.listenerPort() + "/");
    return IntStream.range(0, count).mapToObj(i -> clients.open(uri, Map.of())).toList().stream()
        .map(attempt -> attempt.join())
        .toList();
  }

  private static void awaitHeld(LedgerHttp api, int connections) {
    Awaitility.await(connections + " are counted")
        .atMost(Duration.ofSeconds(30))
        .until(
            () ->
                api.find("/v1/pools/chat/readiness")
                    .map(LedgerHttp::json)
                    .map(readiness -> readiness.at("/envoys/0/connections").asInt(-1))
                    .orElse(-1)
                    .equals(connections));
  }

  private int status(String method, String path) throws IOException, InterruptedException {
    HttpRequest request =
        HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + health + path))
            .method(method, HttpRequest.BodyPublishers.noBody())
            .build();
    return http.send(request, HttpResponse.BodyHandlers.discarding()).statusCode();
  }

  /** The preStop hook of the Envoy's pod. */
  private Process drain() throws IOException {
    ProcessBuilder script = new ProcessBuilder("bash", DRAIN.toString()).redirectErrorStream(true);
    script
        .environment()
        .putAll(
            Map.of(
                "POD_NAME",
                NODE,
                "ENVOY_ADMIN",
                "127.0.0.1:" + admin,
                "LEDGER",
                "127.0.0.1:" + ports.http(),
                "POOLS",
                "chat",
                "SETTLE_SECONDS",
                "0",
                "DRAIN_SECONDS",
                "60"));
    return script.start();
  }

  /** Boots the bootstrap file of the ConfigMap, at this machine's addresses. */
  private EnvoyProcess envoy(LedgerPorts services) throws Exception {
    String bootstrap =
        bootstrap()
            .replace("address: ledger-instances", "address: 127.0.0.1")
            .replace("address: 0.0.0.0", "address: 127.0.0.1")
            .replace("port_value: 9902", "port_value: " + health)
            .replace("port_value: 9901", "port_value: " + admin);
    EnvoyOptions options =
        new EnvoyOptions(
            NODE,
            "chat",
            FreePorts.one(),
            admin,
            List.of(services.als()),
            List.of(services.authz()),
            List.of(services.xds()),
            Duration.ofSeconds(2),
            Duration.ofSeconds(1),
            2);
    Path own = Files.createDirectories(folder.resolve("envoy"));
    Path file = Files.writeString(own.resolve("bootstrap.yaml"), bootstrap);
    EnvoyProcess envoy = EnvoyProcess.start(EnvoyBinary.system().locate(), file, options, own);
    Awaitility.await("the pods are known")
        .atMost(Duration.ofSeconds(30))
        .until(
            () ->
                envoy
                    .admin("/clusters")
                    .body()
                    .contains("chat::" + pods.getFirst().address() + "::cx_active::"));
    return envoy;
  }

  private static String bootstrap() throws IOException {
    YAMLMapper yaml = new YAMLMapper();
    try (MappingIterator<JsonNode> objects =
        yaml.readerFor(JsonNode.class).readValues(MANIFESTS.toFile())) {
      while (objects.hasNext()) {
        String bootstrap = objects.next().at("/data/envoy.yaml").asText();
        if (!bootstrap.isEmpty()) {
          return bootstrap;
        }
      }
    }
    throw new IllegalStateException(MANIFESTS + " has no bootstrap file of Envoy");
  }
}
