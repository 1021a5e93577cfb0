package io.connectionledger.app.gateways;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import io.connectionledger.app.e2e.Fleet;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/** What a gateway's control plane sends its Envoys, as a bootstrap file among the test data. */
enum GatewayBootstrap {
  ENVOY_GATEWAY("envoy-gateway.yaml"),
  ISTIO("istio.yaml");

  /** As the files have it. */
  private static final String HOST = "ws.example.com";

  /** What clients on this machine ask for instead. */
  private static final String LOOPBACK = "127.0.0.1";

  private final Path file;

  GatewayBootstrap(String name) {
    file = Fleet.ROOT.resolve("ledger-app/src/test/resources/gateways").resolve(name);
  }

  /** The file as it is. */
  JsonNode read() throws IOException {
    return new YAMLMapper().readTree(file.toFile());
  }

  /**
   * The file for this machine: on free ports, with a heartbeat of 2 s.
   *
   * @param endpoints the ports on the loopback of every one of its clusters
   */
  JsonNode fitted(Map<String, List<Integer>> endpoints) throws IOException {
    JsonNode bootstrap = new YAMLMapper().readTree(Files.readString(file).replace(HOST, LOOPBACK));
    setPort(bootstrap.at("/admin/address"), 0);
    setPort(bootstrap.at("/static_resources/listeners/0/address"), 0);
    ((ObjectNode) bootstrap.findParent("access_log_flush_interval"))
        .put("access_log_flush_interval", "2s");
    for (JsonNode cluster : bootstrap.at("/static_resources/clusters")) {
      List<Integer> ports = endpoints.get(cluster.path("name").asText());
      ArrayNode all = (ArrayNode) cluster.at("/load_assignment/endpoints/0/lb_endpoints");
      JsonNode first = all.remove(0);
      for (int port : ports) {
        JsonNode endpoint = first.deepCopy();
        setPort(endpoint.at("/endpoint/address"), port);
        all.add(endpoint);
      }
    }
    return bootstrap;
  }

  private static void setPort(JsonNode address, int port) {
    ((ObjectNode) address.at("/socket_address")).put("port_value", port);
  }
}
