package io.connectionledger.app.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import io.connectionledger.app.config.ConfigLoader;
import io.connectionledger.app.config.Role;
import io.connectionledger.app.demo.LedgerPorts;
import io.connectionledger.app.faults.LogOnlyEnvoy;
import io.connectionledger.app.serve.LedgerNode;
import io.connectionledger.app.websocket.WebSocketClients.Connection;
import io.connectionledger.app.websocket.WebSocketPod;
import io.connectionledger.model.PodAddress;
import io.connectionledger.testkit.FreePorts;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A real Prometheus that scrapes two instances and two Envoys of a run, and what it knows then. */
class PrometheusE2E {

  private static final Path CHART = Fleet.ROOT.resolve("k8s/chart/files");
  private static final Duration LIMIT = Duration.ofSeconds(90);

  /** Of an instance that asks Kubernetes. */
  private static final Pattern IN_KUBERNETES =
      Pattern.compile("ledger_endpoints_stale|ledger_kubernetes_watch_up");

  /** What a run of a minute provokes; promtool's cases have all. */
  private static final Set<String> PROVOKED =
      Set.of(
          "LedgerRejectionRateHigh",
          "LedgerRateLimitReached",
          "LedgerPodsNearLimit",
          "LedgerUnleasedConnections",
          "LedgerDeadLetters",
          "LedgerInstanceDown");

  @Test
  void shouldHaveDataForEveryPanelAndFireItsAlerts(@TempDir Path folder) throws Exception {
    List<WebSocketPod> pods = Fleet.pods(2);
    String pools =
        "chat: { connections-per-second: 1, burst-capacity: 14, per-pod-max-connections: 10, pods: [%s] }"
            .formatted(Fleet.yaml(pods));
    try (LedgerNode owner = Fleet.ledger(Files.createDirectory(folder.resolve("one")), pools);
        LedgerNode other = second(folder.resolve("two"), owner.bootstrapServers(), pools);
        Fleet first = Fleet.start("chat", pods, 1, Fleet.ports(owner), folder.resolve("one"));
        Fleet second =
            Fleet.start("chat", pods, 1, asks(owner, port(other)), folder.resolve("two"));
        // Its checks reach nobody, so it lets some in by itself.
        Fleet unasked =
            Fleet.start("chat", pods, 1, asks(owner, FreePorts.one()), folder.resolve("three"))) {
      Awaitility.await("ready")
          .atMost(LIMIT)
          .until(
              () ->
                  owner.unready().isEmpty()
                      && other.unready().isEmpty()
                      && first.ready()
                      && second.ready()
                      && unasked.ready());
      List<Integer> envoys =
          Stream.of(first, second).map(fleet -> fleet.envoys.getFirst().adminPort()).toList();
      List<Integer> ledgers =
          List.of(owner.httpPort().orElseThrow(), other.httpPort().orElseThrow(), FreePorts.one());
      try (PrometheusServer prometheus =
              PrometheusServer.start(folder, impatientRules(folder), ledgers, envoys);
          LogOnlyEnvoy stray =
              new LogOnlyEnvoy(
                  owner.alsPort().orElseThrow(),
                  "envoy-stray",
                  "nobody's",
                  List.of(PodAddress.parse("127.0.0.1:9")),
                  Duration.ofSeconds(2))) {
        Awaitility.await("scraped")
            .atMost(LIMIT)
            .until(() -> prometheus.query("up == 1").size() == 4);
        stray.open(1);
        List<Connection> open = new ArrayList<>(unasked.open(4));
        open.addAll(first.open(7));
        open.addAll(second.open(7));
        Map<String, String> panels = panels("pod-1");
        assertThat(panels).hasSizeGreaterThan(80);
        Awaitility.await("every panel has data, every alert fires")
            .atMost(LIMIT)
            .pollInterval(Duration.ofSeconds(1))
            .untilAsserted(
                () -> {
                  // More than may in, through both; whoever is let in leaves again.
                  Fleet.close(Fleet.opened(first.attempt(30, Map.of())));
                  Fleet.close(Fleet.opened(second.attempt(30, Map.of())));
                  assertThat(firing(prometheus)).containsAll(PROVOKED);
                  assertThat(panels.entrySet())
                      .allSatisfy(
                          panel ->
                              assertThat(prometheus.query(panel.getKey()))
                                  .as("%s: %s", panel.getValue(), panel.getKey())
                                  .isNotEmpty());
                });
        assertThat(
                prometheus.query(
                    "sum(envoy_http_ext_authz_denied) or sum(envoy_cluster_ext_authz_admission_denied)"))
            .as("Envoy's own")
            .isNotEmpty();
        Fleet.close(open);
      }
    }
  }

  private static List<String> firing(PrometheusServer prometheus) throws Exception {
    return prometheus.query("ALERTS{alertstate=\"firing\"}").stream()
        .map(series -> series.at("/metric/alertname").asText())
        .toList();
  }

  private static int port(LedgerNode ledger) {
    return ledger.authzPort().orElseThrow();
  }

  /** Its checks go elsewhere than the access log. */
  private static LedgerPorts asks(LedgerNode ledger, int authz) {
    LedgerPorts ports = Fleet.ports(ledger);
    return new LedgerPorts(ports.als(), authz, ports.xds(), ports.http());
  }

  private static LedgerNode second(Path folder, String kafka, String pools) throws Exception {
    return LedgerNode.start(
        ConfigLoader.parse(
            """
            data-dir: '%s'
            kafka: { bootstrap-servers: '%s' }
            als: { port: 0 }
            authz: { port: 0 }
            http: { port: 0 }
            xds: { port: 0 }
            lease: { heartbeat: 2s }
            pools: { %s }
            """
                .formatted(Files.createDirectory(folder).resolve("data"), kafka, pools),
            "second",
            Map.of()),
        Role.resolve(
            Optional.of("ingest,admission,control-plane"),
            ConfigLoader.parse(
                    "kafka: { bootstrap-servers: '%s' }".formatted(kafka), "second", Map.of())
                .kafka()));
  }

  /** The chart's rules, which wait for seconds where they wait for minutes. */
  private static Path impatientRules(Path folder) throws IOException {
    String rules = Files.readString(CHART.resolve("rules/ledger.yaml"));
    return Files.writeString(
        folder.resolve("rules.yaml"),
        rules.replaceAll("(?m)^    for: \\d+m$", "    for: 1s").replaceAll("\\[\\d+m\\]", "[20s]"));
  }

  /** Every expression of the dashboards for a pod, with where it stands. */
  private static Map<String, String> panels(String pod) throws IOException {
    Map<String, String> panels = new LinkedHashMap<>();
    JsonMapper json = new JsonMapper();
    try (Stream<Path> files = Files.list(CHART.resolve("dashboards"))) {
      for (Path file : files.toList()) {
        for (JsonNode panel : json.readTree(file.toFile()).path("panels")) {
          for (JsonNode target : panel.path("targets")) {
            String expression =
                target
                    .path("expr")
                    .asText()
                    .replace("$namespace", ".*")
                    .replace("$pool", "chat")
                    .replace("$pod", pod)
                    .replace("$__rate_interval", "20s");
            if (!IN_KUBERNETES.matcher(expression).find()) {
              panels.put(expression, file.getFileName() + ", " + panel.path("title").asText());
            }
          }
        }
      }
    }
    return panels;
  }
}
