package io.connectionledger.kubernetes.chart;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;

/** The bootstrap file of the chart's Envoys, beside the one that demo and tests boot. */
class ChartEnvoyTest {

  private static final Path ORIGINAL = Path.of("..", "envoy", "envoy.yaml");
  private static final String MANAGER =
      "/static_resources/listeners/0/filter_chains/0/filters/0/typed_config";
  private static final String RATE_LIMIT = "envoy.filters.http.local_ratelimit";

  @Test
  void shouldKeepEveryProtectionOfTheBootstrapFile() throws IOException {
    Map<String, String> file = flat(Chart.YAML.readTree(ORIGINAL.toFile()));
    Map<String, String> chart = flat(withOneBucket(rendered("envoy.pools[0].name", "chat")));

    assertThat(without(file, chart))
        .as("what the file has, and the chart has not")
        .containsExactlyInAnyOrder(
            "node/cluster: connection-ledger",
            "node/id: envoy-1",
            monitor("50000"),
            listener("address: 127.0.0.1"),
            listener("port_value: 10000"),
            cluster("als", "type: STATIC"),
            cluster("authz", "type: STATIC"),
            cluster("xds", "type: STATIC"),
            cluster("als", "load_assignment/endpoints/0/" + endpoint("127.0.0.1")),
            cluster("authz", "load_assignment/endpoints/0/" + endpoint("127.0.0.1")),
            cluster("xds", "load_assignment/endpoints/0/" + endpoint("127.0.0.1")));
    assertThat(
            without(chart, file).stream()
                .filter(line -> !line.startsWith("static_resources/listeners/health/"))
                .filter(line -> !line.startsWith("static_resources/clusters/admin/")))
        .as("what the chart has, and the file has not")
        .containsExactlyInAnyOrder(
            "node/cluster: ledger",
            "admin/ignore_global_conn_limit: true",
            monitor("10000"),
            listener("address: 0.0.0.0"),
            listener("port_value: 8080"),
            manager("route_config/ignore_port_in_host_matching: true"),
            cluster("als", "type: STRICT_DNS"),
            cluster("authz", "type: STRICT_DNS"),
            cluster("xds", "type: STRICT_DNS"),
            cluster("als", "dns_lookup_family: V4_PREFERRED"),
            cluster("authz", "dns_lookup_family: V4_PREFERRED"),
            cluster("xds", "dns_lookup_family: V4_PREFERRED"),
            cluster("als", "load_assignment/endpoints/0/" + endpoint("ledger-instances")),
            cluster("authz", "load_assignment/endpoints/0/" + endpoint("ledger-instances")),
            cluster("xds", "load_assignment/endpoints/0/" + endpoint("ledger-instances")));
  }

  @Test
  void shouldShowNothingOfTheAdminPortButHealthAndMetrics() throws IOException {
    JsonNode bootstrap = rendered("envoy.pools[0].name", "chat");

    assertThat(bootstrap.at("/admin/address/socket_address/address").asText())
        .isEqualTo("127.0.0.1");
    JsonNode routes =
        bootstrap.at(
            "/static_resources/listeners/1/filter_chains/0/filters/0/typed_config/route_config"
                + "/virtual_hosts/0/routes");
    assertThat(routes.findValuesAsText("path")).containsExactly("/ready", "/stats/prometheus");
    assertThat(routes.findValuesAsText("exact")).containsExactly("GET", "GET");
    assertThat(routes.findValuesAsText("prefix")).isEmpty();
  }

  @Test
  void shouldRouteEachHostToItsPoolsInTheirOrder() throws IOException {
    JsonNode hosts =
        Chart.envoy(Chart.objects(Chart.render(Map.of(), Chart.EVERYTHING)))
            .at(MANAGER + "/route_config/virtual_hosts");

    assertThat(hosts.findValuesAsText("domains")).hasSize(3);
    assertThat(clusters(hosts, "*.example.com")).containsExactly("game", "game");
    assertThat(clusters(hosts, "chat.example.com")).containsExactly("game", "game", "chat", "chat");
    assertThat(clusters(hosts, "*")).containsExactly("chat", "chat");
    assertThat(hosts.findValuesAsText("path_separated_prefix")).containsOnly("/game");
    assertThat(hosts.findValuesAsText("prefix")).containsOnly("/");
  }

  private static List<String> clusters(JsonNode hosts, String name) {
    for (JsonNode host : hosts) {
      if (host.path("name").asText().equals(name)) {
        return host.path("routes").findValuesAsText("cluster");
      }
    }
    throw new AssertionError("no virtual host " + name);
  }

  @Test
  void shouldLetNobodyInWithoutTheLedgerWhereThatIsAsked() throws IOException {
    JsonNode bootstrap = rendered("envoy.failOpen.enabled", "false");

    assertThat(bootstrap.findValue("failure_mode_allow").asBoolean(true)).isFalse();
  }

  private static JsonNode rendered(String key, String value) throws IOException {
    return Chart.envoy(Chart.objects(Chart.render(Map.of(key, value))));
  }

  /** The file has one bucket for its one pool, in the filter; the chart one for each, in routes. */
  private static JsonNode withOneBucket(JsonNode bootstrap) {
    JsonNode manager = bootstrap.at(MANAGER);
    ObjectNode host = (ObjectNode) manager.at("/route_config/virtual_hosts/0");
    // Another name of the same.
    host.put("name", "any");
    ObjectNode perRoute = (ObjectNode) host.at("/routes/0/typed_per_filter_config");
    JsonNode bucket = perRoute.remove(RATE_LIMIT);
    for (JsonNode filter : manager.path("http_filters")) {
      if (filter.path("name").asText().equals(RATE_LIMIT)) {
        ((ObjectNode) filter).set("typed_config", bucket);
      }
    }
    return bootstrap;
  }

  /** A line for each value, by its path; what has a name is called by it rather than its place. */
  private static Map<String, String> flat(JsonNode tree) {
    Map<String, String> lines = new TreeMap<>();
    flatten("", tree, lines);
    return lines;
  }

  private static void flatten(String path, JsonNode node, Map<String, String> lines) {
    String below = path.isEmpty() ? "" : path + "/";
    if (node.isArray()) {
      for (int i = 0; i < node.size(); i++) {
        String name = node.path(i).path("name").asText();
        flatten(below + (name.isEmpty() ? i : name), node.path(i), lines);
      }
    } else if (node.isObject()) {
      node.properties().forEach(entry -> flatten(below + entry.getKey(), entry.getValue(), lines));
    } else {
      lines.put(path, node.asText());
    }
  }

  private static Set<String> without(Map<String, String> some, Map<String, String> others) {
    Set<String> lines = new TreeSet<>();
    some.forEach(
        (path, value) -> {
          if (!value.equals(others.get(path))) {
            lines.add(path + ": " + value);
          }
        });
    return lines;
  }

  private static String monitor(String value) {
    return "overload_manager/resource_monitors"
        + "/envoy.resource_monitors.global_downstream_max_connections/typed_config"
        + "/max_active_downstream_connections: "
        + value;
  }

  private static String listener(String line) {
    return "static_resources/listeners/websockets/address/socket_address/" + line;
  }

  private static String manager(String line) {
    return "static_resources/listeners/websockets/filter_chains/0/filters"
        + "/envoy.filters.network.http_connection_manager/typed_config/"
        + line;
  }

  private static String cluster(String name, String line) {
    return "static_resources/clusters/" + name + "/" + line;
  }

  private static String endpoint(String address) {
    return "lb_endpoints/0/endpoint/address/socket_address/address: " + address;
  }
}
