package io.connectionledger.app.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.connectionledger.app.config.ConfigLoader;
import io.connectionledger.app.config.LedgerConfig;
import io.connectionledger.app.config.Role;
import io.connectionledger.app.demo.LedgerPorts;
import io.connectionledger.app.serve.LedgerNode;
import io.connectionledger.app.websocket.WebSocketClients.Attempt;
import io.connectionledger.app.websocket.WebSocketClients.Connection;
import io.connectionledger.app.websocket.WebSocketClients.Refused;
import io.connectionledger.app.websocket.WebSocketPod;
import io.connectionledger.testkit.FreePorts;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Limits and pods that change under open connections, with everything real. */
class PolicyE2E {

  private static final Duration PATIENCE = Duration.ofSeconds(20);

  private static final String POLICY = "/v1/pools/chat/policy";

  @TempDir private Path folder;
  private List<WebSocketPod> pods;
  private Path file;
  private LedgerConfig config;
  private LedgerNode ledger;
  private Fleet fleet;

  @BeforeEach
  void start() throws Exception {
    pods = Fleet.pods(3);
    file = Files.writeString(folder.resolve("pools.yaml"), pools(4, 0, 1));
    List<Integer> ports = FreePorts.some(4);
    Path yaml =
        Files.writeString(
            folder.resolve("ledger.yaml"),
            """
            data-dir: %s
            kafka: { port: 0 }
            als: { port: %d }
            authz: { port: %d }
            http: { port: %d }
            xds: { port: %d }
            lease: { heartbeat: 2s }
            policies: { file: %s }
            """
                .formatted(
                    folder.resolve("data"),
                    ports.get(0),
                    ports.get(1),
                    ports.get(2),
                    ports.get(3),
                    file));
    config = ConfigLoader.load(yaml, Map.of());
    ledger = LedgerNode.start(config, Role.resolve(Optional.empty(), config.kafka()));
    fleet =
        Fleet.start(
            "chat",
            pods,
            1,
            new LedgerPorts(ports.get(0), ports.get(1), ports.get(3), ports.get(2)),
            folder);
    awaitReady();
  }

  @AfterEach
  void stop() {
    fleet.close();
    ledger.close();
  }

  @Test
  void shouldFollowWhatChangesUnderOpenConnections() throws Exception {
    List<Connection> in = new ArrayList<>(admitted(8));
    assertThat(refusals(1)).containsOnly("pod_limit");

    // A lowered limit closes nothing.
    fleet.change("PUT", POLICY, "{\"perPodMaxConnections\":2}");
    assertThat(states()).containsExactly("overLimit", "overLimit");
    assertThat(overLimit()).containsExactly(true, true);
    assertThat(refusals(1)).containsOnly("pod_limit");
    assertThat(in).noneMatch(connection -> connection.ended().isDone());

    // A raised one is used at once.
    fleet.change("PUT", POLICY, "{\"perPodMaxConnections\":5}");
    in.addAll(admitted(2));
    fleet.awaitActive(10);

    // A drained pod gets nothing, although it is the emptiest.
    Fleet.close(in.subList(0, in.size()));
    in.clear();
    fleet.awaitActive(0);
    String drain = "/v1/pools/chat/pods/" + pods.getFirst().address() + "/drain";
    fleet.change("PUT", drain, "");
    in.addAll(admitted(5));
    fleet.awaitActive(5);
    assertThat(fleet.podCounts()).containsExactly(0, 5, 0);
    assertThat(states()).containsExactly("draining", "full");

    // Both survive a restart.
    ledger.close();
    ledger = LedgerNode.start(config, Role.resolve(Optional.empty(), config.kafka()));
    awaitReady();
    assertThat(fleet.get(POLICY).path("source").asText()).isEqualTo("api");
    assertThat(states().getFirst()).isEqualTo("draining");
    fleet.change("DELETE", drain, "");

    // The file changes the pool: it wins over what was put before, and Envoy has the new pod.
    rewrite(pools(6, 1, 2));
    Awaitility.await("the file is followed")
        .atMost(PATIENCE)
        .pollInterval(Duration.ofMillis(20))
        .until(() -> fleet.get(POLICY).path("perPodMaxConnections").asInt() == 6);
    assertThat(fleet.get(POLICY).path("source").asText()).isEqualTo("configuration");
    in.addAll(admittedOnceEnvoyKnows(pods.get(2), 6));

    // An invalid one changes nothing.
    rewrite("chat: { per-pod-max-connections: 0 }");
    Awaitility.await("the file is refused")
        .atMost(PATIENCE)
        .until(() -> fleet.text("/metrics").contains("ledger_policy_file_refused_total 1.0"));
    assertThat(fleet.get(POLICY).path("perPodMaxConnections").asInt()).isEqualTo(6);

    Fleet.close(in);
    fleet.awaitActive(0);
  }

  private void rewrite(String yaml) throws IOException {
    Files.writeString(file, yaml);
  }

  private void awaitReady() {
    Awaitility.await("ready").atMost(Duration.ofSeconds(60)).until(fleet::ledgerReady);
  }

  private List<Connection> admitted(int count) {
    List<Connection> in = Fleet.opened(fleet.attempt(count, Map.of()));
    assertThat(in).hasSize(count);
    return in;
  }

  /** The first attempts may be faster than Envoy, which then places them nowhere. */
  private List<Connection> admittedOnceEnvoyKnows(WebSocketPod pod, int count) {
    List<Connection> in = new ArrayList<>();
    Awaitility.await("Envoy places on the new pod")
        .atMost(Duration.ofSeconds(60))
        .until(
            () -> {
              in.addAll(Fleet.opened(fleet.attempt(1, Map.of())));
              return pod.count().current() >= count;
            });
    return in;
  }

  private List<String> refusals(int count) {
    List<Attempt> attempts = fleet.attempt(count, Map.of());
    assertThat(attempts).allMatch(Refused.class::isInstance);
    return attempts.stream().map(attempt -> ((Refused) attempt).reason()).toList();
  }

  private List<String> states() {
    return views().stream().map(pod -> pod.path("state").asText()).toList();
  }

  private List<Boolean> overLimit() {
    return views().stream().map(pod -> pod.path("overLimit").asBoolean()).toList();
  }

  private List<JsonNode> views() {
    List<JsonNode> views = new ArrayList<>();
    fleet.connections().path("pods").forEach(views::add);
    return views;
  }

  private String pools(int limit, int... named) {
    return "chat: { per-pod-max-connections: %d, pods: [%s] }"
        .formatted(
            limit,
            IntStream.of(named)
                .mapToObj(
                    i -> "{ name: pod-%d, address: '%s' }".formatted(i, pods.get(i).address()))
                .collect(Collectors.joining(", ")));
  }
}
