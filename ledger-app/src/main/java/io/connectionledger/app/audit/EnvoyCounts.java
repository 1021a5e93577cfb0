package io.connectionledger.app.audit;

import com.fasterxml.jackson.databind.JsonNode;
import io.connectionledger.model.PodAddress;
import java.util.HashMap;
import java.util.Map;

/**
 * What Envoys themselves count: the upstream requests that each host of each cluster has. An
 * upgraded WebSocket is one of them for as long as it is open; unlike {@code cx_active} it counts
 * neither idle connections nor several WebSockets over one HTTP/2 connection as one. Not
 * thread-safe.
 */
final class EnvoyCounts {

  private static final String ACTIVE = "rq_active";

  private final Map<String, Map<String, Long>> byCluster = new HashMap<>();

  /** Adds what one Envoy answers to {@code /clusters?format=json}. */
  void add(JsonNode clusters) {
    for (JsonNode cluster : clusters.path("cluster_statuses")) {
      Map<String, Long> hosts =
          byCluster.computeIfAbsent(cluster.path("name").asText(), name -> new HashMap<>());
      for (JsonNode host : cluster.path("host_statuses")) {
        hosts.merge(address(host.path("address").path("socket_address")), active(host), Long::sum);
      }
    }
  }

  /** As the ledger writes it. */
  private static String address(JsonNode socket) {
    String ip = socket.path("address").asText();
    String written =
        (ip.indexOf(':') < 0 ? ip : "[" + ip + "]") + ":" + socket.path("port_value").asText();
    return PodAddress.find(written).map(PodAddress::toString).orElse(written);
  }

  private static long active(JsonNode host) {
    for (JsonNode stat : host.path("stats")) {
      if (stat.path("name").asText().equals(ACTIVE)) {
        // Envoy writes numbers of 64 bits as text, and leaves out those that are 0.
        return stat.path("value").asLong();
      }
    }
    return 0;
  }

  /** Whether any Envoy has the cluster. */
  boolean has(String cluster) {
    return byCluster.containsKey(cluster);
  }

  /** By address, with 0 for hosts that hold none; empty without the cluster. */
  Map<String, Long> of(String cluster) {
    return byCluster.getOrDefault(cluster, Map.of());
  }
}
