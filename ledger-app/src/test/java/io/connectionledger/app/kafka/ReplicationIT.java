package io.connectionledger.app.kafka;

import static org.assertj.core.api.Assertions.assertThat;

import io.connectionledger.app.config.ConfigLoader;
import io.connectionledger.app.config.LedgerConfig;
import io.connectionledger.app.config.Role;
import io.connectionledger.app.serve.Checks;
import io.connectionledger.app.serve.LedgerNode;
import io.connectionledger.model.Topics;
import io.connectionledger.streams.topology.LedgerStreams;
import io.envoyproxy.envoy.service.auth.v3.CheckResponse;
import io.envoyproxy.envoy.type.v3.StatusCode;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.common.config.ConfigResource;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** With {@code kafka.replication: 3} what is acknowledged is on two brokers at least. */
class ReplicationIT {

  private static final Duration LIMIT = Duration.ofSeconds(90);

  @TempDir private Path folder;

  @Test
  void shouldAcknowledgeNothingThatOneBrokerHasAlone() throws Exception {
    try (ThreeBrokers kafka = ThreeBrokers.start(folder);
        LedgerNode ledger = LedgerNode.start(config(kafka), Set.of(Role.ADMISSION))) {
      Awaitility.await("ready").atMost(LIMIT).until(() -> ledger.unready().isEmpty());
      try (Checks checks = Checks.connect(ledger.authzPort().orElseThrow())) {
        assertThat(isAllowed(checks)).isTrue();
        assertReplicated(kafka);

        kafka.stop(3);
        Awaitility.await("two are enough").atMost(LIMIT).until(() -> isAllowed(checks));

        kafka.stop(2);
        CheckResponse alone = checks.send(Checks.webSocket("chat"));
        assertThat(alone.getDeniedResponse().getStatus().getCode())
            .as("what one broker has alone, while the caller waits")
            .isEqualTo(StatusCode.ServiceUnavailable);
      }
    }
  }

  private static boolean isAllowed(Checks checks) {
    return checks.send(Checks.webSocket("chat")).getStatus().getCode() == 0;
  }

  private LedgerConfig config(ThreeBrokers kafka) {
    return ConfigLoader.parse(
        """
        data-dir: '%s'
        kafka: { bootstrap-servers: '%s', partitions: 1, replication: 3 }
        authz: { port: 0, durability: acknowledged }
        http: { port: 0 }
        pools: { chat: { per-pod-max-connections: 1000, on-owner-loss: deny, pods: [ { name: one, address: '127.0.0.1:1' } ] } }
        """
            .formatted(folder.resolve("data"), kafka.bootstrapServers()),
        "test",
        Map.of());
  }

  private static void assertReplicated(ThreeBrokers kafka) throws Exception {
    List<String> topics =
        Stream.concat(Topics.ALL.stream().map(Topics.Spec::name), LedgerStreams.CHANGELOGS.stream())
            .toList();
    try (Admin admin = Admin.create(Map.of("bootstrap.servers", kafka.bootstrapServers()))) {
      assertThat(admin.describeTopics(topics).allTopicNames().get().values())
          .hasSize(topics.size())
          .allMatch(topic -> topic.partitions().getFirst().replicas().size() == 3);
      assertThat(
              admin
                  .describeConfigs(
                      topics.stream()
                          .map(topic -> new ConfigResource(ConfigResource.Type.TOPIC, topic))
                          .toList())
                  .all()
                  .get()
                  .values())
          .allMatch(settings -> settings.get("min.insync.replicas").value().equals("2"));
    }
  }
}
