package io.connectionledger.app.kafka;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.connectionledger.app.config.ConfigLoader;
import io.connectionledger.app.config.LedgerConfig;
import io.connectionledger.app.config.Role;
import io.connectionledger.model.PodAddress;
import io.connectionledger.model.Ticker;
import io.connectionledger.model.policy.PolicyRecord;
import io.connectionledger.streams.policy.KafkaPolicyStore;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.apache.kafka.clients.CommonClientConfigs;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A defect of who follows the policies does not end the thread that tells them. */
final class PoliciesThreadIT {

  @TempDir private Path temp;

  @Test
  void shouldGoOnAfterADefectAndCountIt() throws Exception {
    LedgerConfig config =
        ConfigLoader.parse(
            "kafka: { partitions: 2, port: 0 }\n"
                + "pools: { chat: { per-pod-max-connections: 3, pods:"
                + " [ { name: one, address: '10.0.0.1:80' } ] } }",
            "test",
            Map.of());
    SimpleMeterRegistry registry = new SimpleMeterRegistry();
    AtomicReference<Map<String, PolicyRecord>> followed = new AtomicReference<>(Map.of());
    try (DataDir dir = DataDir.open(temp);
        EmbeddedKafka kafka = EmbeddedKafka.start(config, dir)) {
      TopicSetup.ensure(
          kafka.bootstrapServers(), config.kafka(), Role.resolve(Optional.empty(), config.kafka()));
      try (KafkaPolicyStore policies =
          KafkaPolicyStore.start(
              Map.of(CommonClientConfigs.BOOTSTRAP_SERVERS_CONFIG, kafka.bootstrapServers()),
              config.pools(),
              false,
              all -> {
                if (followed.getAndSet(all).isEmpty()) {
                  throw new IllegalStateException("a defect");
                }
              },
              Ticker.system(),
              registry)) {
        await()
            .atMost(Duration.ofSeconds(20))
            .until(() -> registry.get("ledger.policies.failed").counter().count() == 1);

        PolicyRecord changed =
            policies
                .change("chat", now -> now.withDrain(PodAddress.parse("10.0.0.1:80"), null, 1))
                .toCompletableFuture()
                .get(20, TimeUnit.SECONDS);

        assertThat(changed.draining()).hasSize(1);
        await()
            .atMost(Duration.ofSeconds(20))
            .until(() -> changed.equals(followed.get().get("chat")));
      }
    }
  }
}
