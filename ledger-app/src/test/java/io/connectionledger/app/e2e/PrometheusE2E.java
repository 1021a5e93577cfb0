package io.connectionledger.app.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import io.connectionledger.app.config.ConfigLoader;
import io.connectionledger.app.config.Role;
import io.connectionledger.app.demo.LedgerPorts;
import io.connectionledger.app.faults.LogOnlyEnvoy;
import io.connectionledger.app.serve.LedgerNode;
import io.connectionledger.app.websocket.WebSocketClients.Connection;
import io.connectionledger.app.websocket.WebSocketPod;
import io.connectionledger.model.PodAddress;
import io.connectionledger.model.Topics;
import io.connectionledger.testkit.FreePorts;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.config.TopicConfig;
import org.awaitility.Awaitility;
import org.awaitility.core.ConditionFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * A real Prometheus that scrapes two instances and two Envoys of a run in which whatever there is
 * an alert for goes wrong, and what it knows then.
 */
class PrometheusE2E {

  private static final Duration LIMIT = Duration.ofSeconds(90);
  private static final Duration HEARTBEAT = Duration.ofSeconds(2);

  /** Of an instance that asks Kubernetes: KubeWatchE2E has it fire. */
  private static final String IN_KUBERNETES = "LedgerEndpointsStale";

  /** Provoked one after the other at the end: with each, what the others need is gone. */
  private static final String UNRECORDED = "LedgerDecisionsLost";

  private static final String UNOWNED = "LedgerPoolWithoutOwner";
  private static final String DOWN = "LedgerDown";

  @Test
  void shouldHaveDataForEveryPanelAndFireEveryAlert(@TempDir Path folder) throws Exception {
    List<WebSocketPod> pods = Fleet.pods(2);
    WebSocketPod broken = WebSocketPod.start();
    String pools =
        """
        chat: { connections-per-second: 1, burst-capacity: 14, per-pod-max-connections: 10, pods: [%s] }
        fragile: { per-pod-max-connections: 10, pods: [%s] }
        """
            .formatted(Fleet.yaml(pods), Fleet.yaml(List.of(broken)));
    try (LedgerNode owner = Fleet.ledger(Files.createDirectory(folder.resolve("one")), pools);
        LedgerNode other = second(folder.resolve("two"), owner.bootstrapServers(), pools);
        Fleet first = envoy("first", "chat", pods, Fleet.ports(owner), folder, HEARTBEAT);
        // It never repeats what it has open.
        Fleet second =
            envoy("second", "chat", pods, asks(owner, port(other)), folder, Duration.ofHours(1));
        // Its checks reach nobody, so it lets some in by itself.
        Fleet unasked =
            envoy("unasked", "chat", pods, asks(owner, FreePorts.one()), folder, HEARTBEAT);
        Fleet fragile =
            envoy("fragile", "fragile", List.of(broken), Fleet.ports(owner), folder, HEARTBEAT)) {
      Awaitility.await("ready")
          .atMost(LIMIT)
          .until(
              () ->
                  owner.unready().isEmpty()
                      && other.unready().isEmpty()
                      && Stream.of(first, second, unasked, fragile).allMatch(Fleet::ready));
      List<Integer> envoys =
          Stream.of(first, second).map(fleet -> fleet.envoys.getFirst().adminPort()).toList();
      List<Integer> ledgers =
          List.of(owner.httpPort().orElseThrow(), other.httpPort().orElseThrow(), FreePorts.one());
      try (PrometheusServer prometheus =
              PrometheusServer.start(folder, ChartFiles.impatientRules(folder), ledgers, envoys);
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
        Set<String> together = ChartFiles.alerts();
        together.removeAll(Set.of(IN_KUBERNETES, UNRECORDED, UNOWNED, DOWN));
        Map<String, String> panels = ChartFiles.panels("chat", "pod-1", false);
        assertThat(panels).hasSizeGreaterThan(80);
        Set<String> fired = new TreeSet<>();
        poll("every panel has data, every alert fires")
            .untilAsserted(
                () -> {
                  knock(first, second, fragile);
                  fired.addAll(prometheus.firing());
                  assertThat(fired).containsAll(together);
                  prometheus.assertData(panels);
                });
        assertThat(
                prometheus.query(
                    "sum(envoy_http_ext_authz_denied) or"
                        + " sum(envoy_cluster_ext_authz_admission_denied)"))
            .as("Envoy's own")
            .isNotEmpty();
        refuseDecisions(owner.bootstrapServers());
        poll("Kafka takes no decision")
            .until(
                () -> {
                  knock(first, second, fragile);
                  return prometheus.firing().contains(UNRECORDED);
                });
        // Kafka ends with it.
        owner.close();
        poll("nobody owns a pool").until(() -> prometheus.firing().contains(UNOWNED));
        other.close();
        poll("nobody is there").until(() -> prometheus.firing().contains(DOWN));
        Fleet.close(open);
      }
    }
  }

  /**
   * More than may in, and enough for a circuit to open or close; whoever is let in leaves again.
   */
  private static void knock(Fleet first, Fleet second, Fleet fragile) {
    Fleet.close(Fleet.opened(first.attempt(30, Map.of())));
    Fleet.close(Fleet.opened(second.attempt(30, Map.of())));
    List<Connection> through = Fleet.opened(fragile.attempt(6, Map.of()));
    WebSocketPod broken = fragile.pods.getFirst();
    if (through.isEmpty()) {
      broken.accept();
    } else {
      broken.refuse(503);
    }
    Fleet.close(through);
  }

  private static ConditionFactory poll(String what) {
    return Awaitility.await(what).atMost(LIMIT).pollInterval(Duration.ofSeconds(1));
  }

  /** No record of a decision is small enough any more. */
  private static void refuseDecisions(String kafka) throws Exception {
    try (Admin admin = Admin.create(Map.of("bootstrap.servers", kafka))) {
      admin
          .incrementalAlterConfigs(
              Map.of(
                  new ConfigResource(ConfigResource.Type.TOPIC, Topics.DECISIONS),
                  List.of(
                      new AlterConfigOp(
                          new ConfigEntry(TopicConfig.MAX_MESSAGE_BYTES_CONFIG, "1"),
                          AlterConfigOp.OpType.SET))))
          .all()
          .get();
    }
  }

  private static Fleet envoy(
      String node,
      String pool,
      List<WebSocketPod> pods,
      LedgerPorts ports,
      Path folder,
      Duration heartbeat)
      throws Exception {
    return Fleet.start(
        pool,
        pods,
        ports,
        folder,
        options -> options.withNode("envoy-" + node).withHeartbeat(heartbeat));
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
            pools:
            %s\
            """
                .formatted(Files.createDirectory(folder).resolve("data"), kafka, pools.indent(2)),
            "second",
            Map.of()),
        Role.resolve(
            Optional.of("ingest,admission,control-plane"),
            ConfigLoader.parse(
                    "kafka: { bootstrap-servers: '%s' }".formatted(kafka), "second", Map.of())
                .kafka()));
  }
}
