package io.connectionledger.app.serve;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.connectionledger.app.config.ConfigLoader;
import io.connectionledger.app.config.LedgerConfig;
import io.connectionledger.app.config.Role;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Two instances with one broker follow each other's changes of policies. */
final class PolicyIT {

  private static final Duration PATIENCE = Duration.ofSeconds(20);
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final String POLICY = "/v1/pools/chat/policy";
  private static final String DRAIN = "/v1/pools/chat/pods/127.0.0.1:9001/drain";

  @TempDir private Path folder;

  @Test
  void shouldFollowOnEveryInstanceWhatOneWasTold() throws Exception {
    Path file = Files.writeString(folder.resolve("pools.yaml"), pool(2));
    LedgerConfig withBroker = config("one", "", file);
    try (HttpClient http = HttpClient.newHttpClient();
        LedgerNode one =
            LedgerNode.start(withBroker, Role.resolve(Optional.empty(), withBroker.kafka()));
        LedgerNode two =
            LedgerNode.start(
                config("two", one.bootstrapServers(), Path.of("none")),
                Set.of(Role.ADMISSION, Role.CONTROL_PLANE))) {
      for (LedgerNode each : new LedgerNode[] {one, two}) {
        Awaitility.await("ready")
            .atMost(Duration.ofSeconds(60))
            .until(() -> each.unready().isEmpty());
        assertThat(limit(http, each)).isEqualTo(2);
      }

      send(http, two, "PUT", POLICY, "{\"perPodMaxConnections\":7}");
      assertThat(limit(http, two)).isEqualTo(7);
      awaitLimit(http, one, 7);

      send(http, one, "PUT", DRAIN, "");
      Awaitility.await("draining")
          .atMost(PATIENCE)
          .until(() -> send(http, two, "GET", POLICY, "").path("draining").size() == 1);

      Files.writeString(file, pool(5));
      awaitLimit(http, two, 5);
      assertThat(send(http, two, "GET", POLICY, "").path("source").asText())
          .isEqualTo("configuration");
      assertThat(send(http, two, "GET", POLICY, "").path("draining").size()).isEqualTo(1);
    }
  }

  private static void awaitLimit(HttpClient http, LedgerNode instance, int limit) {
    Awaitility.await("limit " + limit)
        .atMost(PATIENCE)
        .pollInterval(Duration.ofMillis(20))
        .until(() -> limit(http, instance) == limit);
  }

  private static int limit(HttpClient http, LedgerNode instance) throws Exception {
    return send(http, instance, "GET", POLICY, "").path("perPodMaxConnections").asInt();
  }

  private static JsonNode send(
      HttpClient http, LedgerNode instance, String method, String path, String body)
      throws Exception {
    URI uri = URI.create("http://127.0.0.1:" + instance.httpPort().orElseThrow() + path);
    HttpResponse<String> answer =
        http.send(
            HttpRequest.newBuilder(uri)
                .method(method, HttpRequest.BodyPublishers.ofString(body))
                .build(),
            HttpResponse.BodyHandlers.ofString());
    assertThat(answer.statusCode()).as(answer.body()).isEqualTo(200);
    return JSON.readTree(answer.body());
  }

  private LedgerConfig config(String name, String servers, Path file) {
    String pools =
        Files.exists(file)
            ? "policies: { file: '%s' }".formatted(file)
            : "pools: { %s }".formatted(pool(2));
    return ConfigLoader.parse(
        """
        data-dir: '%s'
        kafka: { port: 0, bootstrap-servers: '%s' }
        als: { port: 0 }
        authz: { port: 0 }
        http: { port: 0 }
        xds: { port: 0 }
        %s
        """
            .formatted(folder.resolve(name), servers, pools),
        name,
        Map.of());
  }

  private static String pool(int limit) {
    return "chat: { per-pod-max-connections: %d, pods: [{ name: pod-1, address: '127.0.0.1:9001' }] }"
        .formatted(limit);
  }
}
