package io.connectionledger.app.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import io.connectionledger.app.demo.LedgerPorts;
import io.connectionledger.app.serve.LedgerNode;
import io.connectionledger.app.websocket.WebSocketClients.Attempt;
import io.connectionledger.app.websocket.WebSocketClients.Refused;
import io.connectionledger.app.websocket.WebSocketPod;
import io.connectionledger.testkit.FreePorts;
import java.net.InetAddress;
import java.net.http.HttpClient;
import java.net.http.WebSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What the real Envoy turns away by limits of its own. */
class RejectionsE2E {

  private static final int ATTEMPTS = 30;
  private static final int MAX_REQUESTS = 2;
  private static final int FLOOD = 50;
  private static final String ATTEMPTED = "websocket_connections_attempted_total{pool=\"flooded\"}";
  private static final Path FLOOD_FILE = Fleet.ROOT.resolve("envoy/flood/envoy.yaml");

  @TempDir private static Path folder;

  private static final List<WebSocketPod> PODS = Fleet.pods(1);
  private static final List<WebSocketPod> NARROWED = Fleet.pods(1);
  private static final List<WebSocketPod> FLOODED = Fleet.pods(1);
  private static LedgerNode ledger;

  @BeforeAll
  static void start() throws Exception {
    ledger =
        Fleet.ledger(
            folder,
            """
            unasked: { per-pod-max-connections: 100, pods: [%s] }
            narrowed: { per-pod-max-connections: 100, pods: [%s] }
            flooded: { per-pod-max-connections: 100, pods: [%s] }
            """
                .formatted(Fleet.yaml(PODS), Fleet.yaml(NARROWED), Fleet.yaml(FLOODED)));
  }

  @AfterAll
  static void stop() {
    ledger.close();
  }

  @Test
  void shouldCountWhatEnvoyTurnsAwayByItself() throws Exception {
    Path narrowed =
        Files.writeString(
            folder.resolve("narrowed.yaml"),
            Files.readString(Fleet.ROOT.resolve("envoy/envoy.yaml"))
                .replaceFirst("max_requests: \\d+", "max_requests: " + MAX_REQUESTS));
    int nobody = FreePorts.one();
    LedgerPorts ports = Fleet.ports(ledger);
    LedgerPorts withoutChecks = new LedgerPorts(ports.als(), nobody, ports.xds(), ports.http());
    try (Fleet unasked = Fleet.start("unasked", PODS, 1, withoutChecks, folder);
        Fleet narrow = Fleet.start("narrowed", NARROWED, 1, ports, folder, narrowed)) {
      Awaitility.await("ready")
          .atMost(Duration.ofSeconds(60))
          .until(() -> unasked.ready() && narrow.ready());

      long limited = refused(unasked.attempt(ATTEMPTS, Map.of()), 429);
      long overflown = refused(narrow.attempt(ATTEMPTS, Map.of()), 503);

      assertThat(limited).isPositive();
      assertThat(overflown).isEqualTo(ATTEMPTS - MAX_REQUESTS);
      awaitRejections(unasked, "local_rate_limited", limited);
      JsonNode narrowView = awaitRejections(narrow, "overflow", overflown);
      assertThat(narrowView.path("pods").path(0).path("windows"))
          .isEqualTo(narrowView.path("windows"));
      assertThat(narrow.connections().path("pods").path(0).path("state").asText())
          .as("it is not the pod's fault")
          .isEqualTo("available");
    }
  }

  @Test
  void shouldKeepTheFloodOfOneAddressAwayFromTheLedgerAndLetOthersIn() throws Exception {
    HttpClient elsewhere =
        HttpClient.newBuilder().localAddress(InetAddress.getByName("127.0.0.2")).build();
    try (Fleet fleet =
        Fleet.start("flooded", FLOODED, 1, Fleet.ports(ledger), folder, FLOOD_FILE)) {
      Awaitility.await("ready").atMost(Duration.ofSeconds(60)).until(fleet::ready);
      double attemptedBefore = metric(fleet, ATTEMPTED);

      List<Attempt> attempts = fleet.attempt(FLOOD, Map.of());
      WebSocket other =
          elsewhere
              .newWebSocketBuilder()
              .buildAsync(fleet.uri(0), new WebSocket.Listener() {})
              .get(20, TimeUnit.SECONDS);

      long limited = refused(attempts, 429);
      int open = Fleet.opened(attempts).size();
      assertThat(limited).isPositive();
      assertThat(open + limited).isEqualTo(FLOOD);
      fleet.awaitActive(open + 1);
      Awaitility.await("they are counted")
          .atMost(Duration.ofSeconds(20))
          .until(() -> metric(fleet, "ledger_handshakes_limited_total") == limited);
      assertThat(fleet.envoys.getFirst().admin("/stats").body())
          .contains("address.http_local_rate_limit.rate_limited: " + limited);
      assertThat(metric(fleet, ATTEMPTED) - attemptedBefore).as("asked").isEqualTo(open + 1.0);
      JsonNode connections = fleet.connections();
      assertThat(connections.path("reserved").asInt()).isZero();
      assertThat(connections.path("pods").path(0).path("state").asText()).isEqualTo("available");
      assertThat(fleet.get("/v1/pools/flooded/rejections").path("windows").path("5m")).isEmpty();
      other.abort();
    } finally {
      elsewhere.shutdownNow();
    }
  }

  private static double metric(Fleet fleet, String series) {
    return fleet
        .text("/metrics")
        .lines()
        .filter(line -> line.startsWith(series + ' '))
        .mapToDouble(line -> Double.parseDouble(line.substring(series.length())))
        .sum();
  }

  @Test
  void shouldDifferFromThePlainFileInTheLimitAlone() throws Exception {
    YAMLMapper yaml = new YAMLMapper();
    JsonNode plain = yaml.readTree(Fleet.ROOT.resolve("envoy/envoy.yaml").toFile());
    JsonNode limited = yaml.readTree(FLOOD_FILE.toFile());
    JsonNode manager =
        limited.at("/static_resources/listeners/0/filter_chains/0/filters/0/typed_config");

    ArrayNode filters = (ArrayNode) manager.path("http_filters");
    JsonNode before = filters.remove(1);
    JsonNode logged =
        ((ObjectNode) manager.at("/access_log/0/typed_config"))
            .remove("additional_response_headers_to_log");

    assertThat(before.path("name").asText())
        .isEqualTo("envoy.filters.http.local_ratelimit/address");
    assertThat(filters.path(1).path("name").asText()).isEqualTo("envoy.filters.http.ext_authz");
    assertThat(logged.path(0).asText()).isEqualTo("x-ledger-limited");
    assertThat(limited).isEqualTo(plain);
  }

  private static long refused(List<Attempt> attempts, int status) {
    return attempts.stream()
        .filter(attempt -> attempt instanceof Refused refused && refused.status() == status)
        .count();
  }

  private static JsonNode awaitRejections(Fleet fleet, String reason, long count) {
    return Awaitility.await(count + " are counted as " + reason)
        .atMost(Duration.ofSeconds(20))
        .until(
            () -> fleet.get("/v1/pools/" + fleet.pool + "/rejections"),
            view -> view.path("windows").path("5m").path(reason).asLong() == count);
  }
}
