package io.connectionledger.app.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.connectionledger.app.demo.LedgerPorts;
import io.connectionledger.app.serve.LedgerNode;
import io.connectionledger.app.websocket.WebSocketClients.Attempt;
import io.connectionledger.app.websocket.WebSocketClients.Connection;
import io.connectionledger.app.websocket.WebSocketClients.Opened;
import io.connectionledger.app.websocket.WebSocketClients.Refused;
import io.connectionledger.app.websocket.WebSocketPod;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;

/**
 * The ways in beside the usual one: checks over HTTP instead of gRPC, and WebSockets over HTTP/2
 * beside HTTP/1.1, with real Envoys.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class TransportsE2E {

  private static final int LIMIT = 10;

  private LedgerNode ledger;
  private Fleet grpc;
  private Fleet http;
  private Fleet paced;

  @BeforeAll
  void start(@TempDir Path folder) throws Exception {
    List<WebSocketPod> grpcPods = Fleet.pods(2);
    List<WebSocketPod> httpPods = Fleet.pods(2);
    List<WebSocketPod> pacedPods = Fleet.pods(1);
    ledger =
        Fleet.ledger(
            folder,
            """
            %s
            %s
            paced:
              connections-per-second: 0.01
              burst-capacity: 2
              per-pod-max-connections: 100
              pods: [%s]
            """
                .formatted(
                    ServeProcess.pool("by-grpc", LIMIT, grpcPods),
                    ServeProcess.pool("by-http", LIMIT, httpPods),
                    Fleet.yaml(pacedPods)));
    LedgerPorts ports = Fleet.ports(ledger);
    // Its checks go to the HTTP port.
    LedgerPorts httpPorts = new LedgerPorts(ports.als(), ports.http(), ports.xds(), ports.http());
    Path overHttp = folder.resolve("envoy-http.yaml");
    Files.writeString(overHttp, overHttp().toPrettyString());
    grpc = Fleet.start("by-grpc", grpcPods, 1, ports, folder);
    http = Fleet.start("by-http", httpPods, 2, httpPorts, folder, overHttp);
    paced = Fleet.start("paced", pacedPods, 1, httpPorts, folder, overHttp);
    Awaitility.await("ready")
        .atMost(Duration.ofSeconds(60))
        .until(() -> grpc.ready() && http.ready() && paced.ready());
  }

  /** envoy.yaml with what docs/admission.md says about ext_authz over HTTP. */
  private static JsonNode overHttp() throws Exception {
    JsonNode file = BootstrapVariants.withExtAuthz("grpc_service", documented());
    for (JsonNode cluster : file.at("/static_resources/clusters")) {
      if (cluster.path("name").asText().equals("authz")) {
        ((ObjectNode) cluster).remove("typed_extension_protocol_options");
        ObjectNode check = (ObjectNode) cluster.at("/health_checks/0");
        check.remove("grpc_health_check");
        check.putObject("http_health_check").put("path", "/health/ready");
      }
    }
    return file;
  }

  private static String documented() throws Exception {
    String page = Files.readString(Fleet.ROOT.resolve("docs/admission.md"));
    int from = page.indexOf("http_service:");
    return page.substring(from, page.indexOf("```", from));
  }

  @AfterEach
  void theLedgerAndThePodsAgree() {
    try {
      for (Fleet fleet : List.of(grpc, http, paced)) {
        Awaitility.await("ledger and pods of " + fleet.pool + " agree")
            .atMost(Duration.ofSeconds(20))
            .untilAsserted(() -> assertThat(fleet.ledgerCounts()).isEqualTo(fleet.podCounts()));
      }
    } finally {
      List.of(grpc, http, paced).forEach(Fleet::leave);
    }
  }

  @AfterAll
  void stop() {
    grpc.close();
    http.close();
    paced.close();
    ledger.close();
  }

  @Test
  void shouldAdmitExactlyTheLimitByChecksOverHttp() throws Exception {
    List<Attempt> crowd = http.attempt(60, Map.of());
    List<Connection> in = new ArrayList<>(Fleet.opened(crowd));

    assertThat(in).hasSize(2 * LIMIT);
    assertThat(crowd)
        .filteredOn(attempt -> !(attempt instanceof Opened))
        .allSatisfy(
            attempt ->
                assertThat(attempt)
                    .isInstanceOfSatisfying(
                        Refused.class, refused -> assertThat(refused.status()).isEqualTo(503)));
    http.awaitActive(2 * LIMIT);
    assertThat(http.podCounts()).containsOnly(LIMIT);

    // The ingest joined each with its reservation, which it read from the answer's headers.
    Topic topic = Topic.read(ledger.bootstrapServers());
    assertThat(topic.invalid()).isEmpty();
    assertThat(topic.events())
        .filteredOn(event -> event.path("pool").asText().equals(http.pool))
        .filteredOn(event -> event.path("type").asText().equals("opened"))
        .hasSizeGreaterThanOrEqualTo(2 * LIMIT)
        .noneMatch(event -> event.path("unleased").asBoolean());
    Fleet.close(in.subList(0, 5));
    http.awaitActive(2 * LIMIT - 5);
    List<Attempt> second = http.attempt(20, Map.of());
    assertThat(Fleet.opened(second)).hasSize(5);
    assertThat(http.pods)
        .allSatisfy(pod -> assertThat(pod.count().peak()).isLessThanOrEqualTo(LIMIT));

    Fleet.close(in.subList(5, in.size()));
    Fleet.close(Fleet.opened(second));
    http.awaitActive(0);
  }

  @Test
  void shouldTellTheClientOfACheckOverHttpWhyItCameTooFast() {
    List<Connection> in = Fleet.opened(paced.attempt(2, Map.of()));
    assertThat(in).hasSize(2);

    Attempt third = paced.attempt(1, Map.of()).getFirst();

    assertThat(third)
        .isInstanceOfSatisfying(
            Refused.class,
            refused -> {
              assertThat(refused.status()).isEqualTo(429);
              assertThat(refused.reason()).isEqualTo("rate_limited");
              assertThat(refused.retryAfterSeconds().orElse(0)).isPositive();
            });
    Fleet.close(in);
    paced.awaitActive(0);
  }

  @Test
  void shouldCountAndLimitWebSocketsOverHttp2WhenCheckedOverGrpc() throws Exception {
    shouldCountAndLimitWebSocketsOverHttp2(grpc);
  }

  @Test
  void shouldCountAndLimitWebSocketsOverHttp2WhenCheckedOverHttp() throws Exception {
    shouldCountAndLimitWebSocketsOverHttp2(http);
  }

  private static void shouldCountAndLimitWebSocketsOverHttp2(Fleet fleet) throws Exception {
    int room = 3;
    List<Connection> others = fleet.open(2 * LIMIT - room);
    fleet.awaitActive(2 * LIMIT - room);
    try (Http2WebSocket client = Http2WebSocket.connect(fleet.uri(0).getPort())) {
      List<Http2WebSocket.Http2Stream> in = new ArrayList<>();
      for (int i = 0; i < room; i++) {
        in.add(client.open(Map.of("x-ledger-pod", "bm9uZQ==")));
        assertThat(in.getLast().status()).isEqualTo(200);
      }
      assertThat(in.getFirst().echo("hello")).isEqualTo("hello");
      assertThat(in.getFirst().header("x-ledger-pod")).isEmpty();
      fleet.awaitActive(2 * LIMIT);
      assertThat(fleet.podCounts()).containsOnly(LIMIT);

      assertThat(client.open(Map.of()).status()).isEqualTo(503);

      for (Http2WebSocket.Http2Stream stream : in) {
        stream.close();
      }
      fleet.awaitActive(2 * LIMIT - room);
    }
    Fleet.close(others);
    fleet.awaitActive(0);
  }
}
