package io.connectionledger.app.envoy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.time.Duration;
import java.util.List;

/** Fits the bootstrap file to one Envoy. Pure; every place that it changes must exist. */
final class EnvoyBootstrap {

  private static final String POOL_IN_FILE = "chat";

  /** Of the time for a check, how much the first instance that is asked has. */
  private static final double FIRST_TRY = 0.8;

  private EnvoyBootstrap() {}

  /**
   * The bootstrap of {@code envoy.yaml} with {@code options} in it.
   *
   * @throws IllegalArgumentException when {@code file} has not the structure of that file
   */
  static JsonNode render(JsonNode file, EnvoyOptions options) {
    ObjectNode bootstrap = file.deepCopy();
    object(bootstrap, "/node").put("id", options.node());
    setPort(bootstrap.at("/admin"), options.adminPort());
    ObjectNode listener = object(bootstrap, "/static_resources/listeners/0");
    setPort(listener, options.listenerPort());
    ObjectNode manager = object(listener, "/filter_chains/0/filters/0/typed_config");
    object(manager, "/access_log_options")
        .put("access_log_flush_interval", seconds(options.heartbeat()));
    setCheck(object(filter(manager, "envoy.filters.http.ext_authz"), "/typed_config"), options);

    setEndpoints(cluster(bootstrap, "als"), options.als());
    setEndpoints(cluster(bootstrap, "authz"), options.authz());
    setEndpoints(cluster(bootstrap, "xds"), options.xds());

    ObjectNode pods = cluster(bootstrap, POOL_IN_FILE);
    pods.put("name", options.pool());
    object(pods, "/eds_cluster_config").put("service_name", options.pool());
    for (JsonNode route : manager.at("/route_config/virtual_hosts/0/routes")) {
      object(route, "/route").put("cluster", options.pool());
      if (route.has("name")) {
        object(route, "").put("name", options.pool());
      }
      JsonNode check =
          route.at(
              "/typed_per_filter_config/envoy.filters.http.ext_authz/check_settings"
                  + "/context_extensions");
      if (check instanceof ObjectNode extensions) {
        extensions.put("pool", options.pool());
      }
    }
    return bootstrap;
  }

  /** Over HTTP the pool stands in a header, over gRPC in the routes. */
  private static void setCheck(ObjectNode authz, EnvoyOptions options) {
    if (authz.has("http_service")) {
      object(authz, "/http_service/server_uri").put("timeout", seconds(options.checkTimeout()));
      object(authz, "/http_service/authorization_request/headers_to_add/0")
          .put("value", options.pool());
    } else {
      object(authz, "/grpc_service").put("timeout", seconds(options.checkTimeout()));
      object(authz, "/grpc_service/retry_policy/retry_back_off")
          .put(
              "max_interval",
              seconds(Duration.ofMillis((long) (options.checkTimeout().toMillis() * FIRST_TRY))));
    }
  }

  private static String seconds(Duration duration) {
    return duration.toMillis() / 1000.0 + "s";
  }

  private static ObjectNode cluster(JsonNode bootstrap, String name) {
    return named(bootstrap.at("/static_resources/clusters"), name);
  }

  private static ObjectNode filter(JsonNode manager, String name) {
    return named(manager.at("/http_filters"), name);
  }

  private static ObjectNode named(JsonNode list, String name) {
    for (JsonNode each : list) {
      if (each instanceof ObjectNode found && name.equals(found.path("name").asText())) {
        return found;
      }
    }
    throw new IllegalArgumentException("the Envoy bootstrap has nothing named '" + name + "'");
  }

  private static void setEndpoints(ObjectNode cluster, List<Integer> ports) {
    ArrayNode endpoints =
        object(cluster, "/load_assignment/endpoints/0").withArrayProperty("lb_endpoints");
    ObjectNode first = object(endpoints, "/0").deepCopy();
    endpoints.removeAll();
    for (int port : ports) {
      ObjectNode endpoint = first.deepCopy();
      setPort(endpoint.at("/endpoint"), port);
      endpoints.add(endpoint);
    }
  }

  private static void setPort(JsonNode addressed, int port) {
    object(addressed, "/address/socket_address").put("port_value", port);
  }

  private static ObjectNode object(JsonNode parent, String pointer) {
    if (parent.at(pointer) instanceof ObjectNode found) {
      return found;
    }
    throw new IllegalArgumentException("the Envoy bootstrap has no " + pointer);
  }
}
