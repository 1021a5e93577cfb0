package io.connectionledger.app.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import io.connectionledger.app.demo.LedgerPorts;
import io.connectionledger.app.serve.LedgerNode;
import io.connectionledger.app.websocket.WebSocketClients.Attempt;
import io.connectionledger.app.websocket.WebSocketClients.Connection;
import io.connectionledger.app.websocket.WebSocketPod;
import io.connectionledger.testkit.FreePorts;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.stream.IntStream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * A real Envoy whose clusters are called as Istio and Envoy Gateway call them, and whose checks
 * name no pool: two pools, told apart by the host that is asked for and by the cluster.
 */
class GatewaysE2E {

  private static final int LIMIT = 5;
  private static final String ISTIO = "outbound|8080||chat.default.svc.cluster.local";
  private static final String ENVOY_GATEWAY = "httproute/default/game/rule/0";

  @TempDir private Path folder;

  @Test
  void shouldKnowPoolsByTheNamesOfGateways() throws Exception {
    List<WebSocketPod> chat = Fleet.pods(1);
    List<WebSocketPod> game = Fleet.pods(1);
    try (LedgerNode ledger =
        Fleet.ledger(
            folder,
            """
            chat:
              per-pod-max-connections: %1$d
              clusters: [ '%2$s' ]
              hosts: [ { host: 127.0.0.1 } ]
              pods: [%3$s]
            game:
              per-pod-max-connections: %1$d
              clusters: [ 'httproute/default/game/*' ]
              hosts: [ { host: localhost, path-prefix: /game } ]
              pods: [%4$s]
            """
                .formatted(LIMIT, ISTIO, Fleet.yaml(chat), Fleet.yaml(game)))) {
      Path bootstrap =
          Files.writeString(folder.resolve("gateway.yaml"), bootstrap(chat, game).toPrettyString());
      LedgerPorts ports = Fleet.ports(ledger);
      int nobody = FreePorts.one();
      LedgerPorts unasked = new LedgerPorts(ports.als(), nobody, ports.xds(), ports.http());
      try (Fleet asking = Fleet.start("chat", chat, 1, ports, folder, bootstrap);
          Fleet failingOpen =
              Fleet.start(
                  "chat",
                  List.of(),
                  1,
                  unasked,
                  Files.createDirectories(folder.resolve("open")),
                  bootstrap)) {
        Awaitility.await("ready").atMost(Duration.ofSeconds(60)).until(asking::ready);

        List<Connection> inChat = open(asking, "127.0.0.1", "/", 3 * LIMIT);
        List<Connection> inGame = open(asking, "localhost", "/game?level=1", 3 * LIMIT);

        assertThat(inChat).hasSize(LIMIT);
        assertThat(inGame).hasSize(LIMIT);
        await(asking, "chat", LIMIT, 0);
        await(asking, "game", LIMIT, 0);
        Fleet.close(inChat);
        await(asking, "chat", 0, 0);

        List<Connection> adopted = open(failingOpen, "127.0.0.1", "/", 2);
        assertThat(adopted).hasSize(2);
        await(asking, "chat", 2, 2);
        await(asking, "game", LIMIT, 0);
        Fleet.close(adopted);
        Fleet.close(inGame);
        await(asking, "chat", 0, 0);
        await(asking, "game", 0, 0);
      }
    }
  }

  private static List<Connection> open(Fleet fleet, String host, String path, int count) {
    URI uri = URI.create("ws://" + host + ":" + fleet.uri(0).getPort() + path);
    List<CompletableFuture<Attempt>> attempts =
        IntStream.range(0, count).mapToObj(i -> fleet.clients.open(uri, Map.of())).toList();
    return Fleet.opened(attempts.stream().map(CompletableFuture::join).toList());
  }

  private static void await(Fleet fleet, String pool, int active, int unleased) {
    Awaitility.await(pool + " holds " + active)
        .atMost(Duration.ofSeconds(30))
        .until(
            () -> fleet.get("/v1/pools/" + pool + "/connections"),
            view ->
                view.path("active").asInt(-1) == active
                    && view.path("reserved").asInt(-1) == 0
                    && view.path("unleased").asInt(-1) == unleased);
  }

  /** envoy.yaml with a host for each pool, whose routes lead to the clusters of a gateway. */
  private static JsonNode bootstrap(List<WebSocketPod> chat, List<WebSocketPod> game)
      throws IOException {
    YAMLMapper yaml = new YAMLMapper();
    JsonNode file = yaml.readTree(Fleet.ROOT.resolve("envoy/envoy.yaml").toFile());
    JsonNode manager =
        file.at("/static_resources/listeners/0/filter_chains/0/filters/0/typed_config");
    ArrayNode hosts = (ArrayNode) manager.at("/route_config/virtual_hosts");
    ((ObjectNode) hosts.get(0)).putArray("domains").add("unused.example");
    hosts.add(yaml.readTree(host("istio", "127.0.0.1:*", ISTIO)));
    hosts.add(yaml.readTree(host("gateway", "localhost:*", ENVOY_GATEWAY)));
    ArrayNode clusters = (ArrayNode) file.at("/static_resources/clusters");
    clusters.add(yaml.readTree(cluster(ISTIO, chat.getFirst())));
    clusters.add(yaml.readTree(cluster(ENVOY_GATEWAY, game.getFirst())));
    return file;
  }

  private static String host(String name, String domain, String cluster) {
    return "{ name: %s, domains: ['%s'], routes: [{ match: { prefix: / }, route: { cluster: '%s', timeout: 0s } }] }"
        .formatted(name, domain, cluster);
  }

  private static String cluster(String name, WebSocketPod pod) {
    return """
        name: '%1$s'
        type: STATIC
        load_assignment:
          cluster_name: '%1$s'
          endpoints:
          - lb_endpoints:
            - endpoint: { address: { socket_address: { address: 127.0.0.1, port_value: %2$d } } }
        """
        .formatted(name, pod.address().port());
  }
}
