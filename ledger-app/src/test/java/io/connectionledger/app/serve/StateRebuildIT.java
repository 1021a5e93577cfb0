package io.connectionledger.app.serve;

import static org.assertj.core.api.Assertions.assertThat;

import io.connectionledger.app.config.ConfigLoader;
import io.connectionledger.app.config.LedgerConfig;
import io.connectionledger.app.config.Role;
import io.connectionledger.app.kafka.DataDir;
import io.connectionledger.app.kafka.EmbeddedKafka;
import io.connectionledger.app.kafka.TopicSetup;
import io.connectionledger.model.PodAddress;
import io.connectionledger.model.Ticker;
import io.connectionledger.model.Topics;
import io.connectionledger.model.event.ConnectionEvent;
import io.connectionledger.model.event.RecordCodec;
import io.connectionledger.model.policy.PolicyRecord;
import io.connectionledger.model.policy.PoolPolicy;
import io.connectionledger.model.view.PoolView;
import io.connectionledger.streams.local.LocalLedger;
import io.connectionledger.streams.rules.lease.LeaseTerms;
import io.connectionledger.streams.topology.LedgerStreams;
import io.connectionledger.testkit.FreePorts;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.stream.Stream;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.common.serialization.StringSerializer;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Local state that RocksDB cannot read: the topology restores another from Kafka by itself. */
final class StateRebuildIT {

  private static final int OPEN = 20;
  private static final Ticker TICKER = Ticker.system();

  @TempDir private Path temp;
  private LedgerConfig config;
  private DataDir dataDir;
  private EmbeddedKafka kafka;

  @BeforeEach
  void openSome() throws Exception {
    config =
        ConfigLoader.parse(
            """
            kafka: { port: %d, partitions: 2 }
            pools: { chat: { per-pod-max-connections: 50, pods: [
              { name: pod-1, address: "127.0.0.1:9101" } ] } }
            """
                .formatted(FreePorts.one()),
            "test",
            Map.of());
    dataDir = DataDir.open(temp.resolve("data"));
    kafka = EmbeddedKafka.start(config, dataDir);
    TopicSetup.ensure(kafka.bootstrapServers(), config.kafka(), Set.of(Role.KAFKA));
    try (KafkaProducer<String, byte[]> producer =
        new KafkaProducer<>(
            Map.of(ProducerConfig.BOOTSTRAP_SERVERS_CONFIG, kafka.bootstrapServers()),
            new StringSerializer(),
            new ByteArraySerializer())) {
      for (int i = 0; i < OPEN; i++) {
        long nowMs = TICKER.nowMs();
        ConnectionEvent event =
            new ConnectionEvent.Opened(
                "chat", "c" + i, PodAddress.parse("127.0.0.1:9101"), "envoy-1", nowMs, nowMs);
        producer
            .send(new ProducerRecord<>(Topics.CONNECTIONS, "chat", RecordCodec.encode(event)))
            .get();
      }
    }
    // What it read must come from the store the next time, because it is committed.
    LocalLedger ledger = ledger();
    try (LedgerStreams streams = streams(ledger)) {
      streams.start();
      awaitAll(ledger);
    }
  }

  @AfterEach
  void stop() {
    kafka.close();
    dataDir.close();
  }

  @Test
  void shouldRestoreFromKafkaWhatItCannotReadAtTheStart() throws IOException {
    garble(state());
    LocalLedger ledger = ledger();

    try (LedgerStreams streams = streams(ledger)) {
      streams.start();
      awaitAll(ledger);
    }

    assertThat(generations()).containsExactly("0", "1");
  }

  @Test
  void shouldRestoreFromKafkaWhatItCannotReadWhenItGetsThePartitions() throws Exception {
    Path stores = state().resolve("0");
    Path aside = Files.move(stores, temp.resolve("aside"));
    garble(aside);
    String bootstrapServers = kafka.bootstrapServers();
    kafka.close();
    LocalLedger ledger = ledger();

    try (LedgerStreams streams = streams(ledger, bootstrapServers)) {
      // Without Kafka nothing is assigned, so what appears now is found only with the partitions.
      streams.start();
      moveInto(stores, aside);
      kafka = EmbeddedKafka.start(config, dataDir);
      awaitAll(ledger);
    }

    assertThat(generations()).containsExactly("0", "1");
  }

  private static void moveInto(Path folder, Path from) throws IOException {
    List<Path> tasks;
    try (Stream<Path> entries = Files.list(from.resolve("connection-ledger"))) {
      tasks = entries.filter(Files::isDirectory).toList();
    }
    for (Path task : tasks) {
      Files.move(task, folder.resolve("connection-ledger").resolve(task.getFileName()));
    }
  }

  @Test
  void shouldDeleteWhatItLeftBehindAtTheNextStart() throws IOException {
    garble(state());
    try (LedgerStreams streams = streams(ledger())) {
      streams.start();
    }

    LocalLedger ledger = ledger();
    try (LedgerStreams streams = streams(ledger)) {
      streams.start();
      awaitAll(ledger);
    }

    assertThat(generations()).containsExactly("1");
  }

  private LocalLedger ledger() {
    LocalLedger ledger =
        new LocalLedger(
            config.pools(),
            config.kafka().partitions(),
            new LeaseTerms(Duration.ofSeconds(10), 3, Duration.ofSeconds(15)),
            TICKER);
    PoolPolicy chat = Objects.requireNonNull(config.pools().get("chat"));
    ledger.follow(Map.of("chat", PolicyRecord.ofBase(chat, Set.of(), 1)));
    return ledger;
  }

  private LedgerStreams streams(LocalLedger ledger) {
    return streams(ledger, kafka.bootstrapServers());
  }

  private LedgerStreams streams(LocalLedger ledger, String bootstrapServers) {
    return new LedgerStreams(
        new LedgerStreams.Settings(
            Map.of(ProducerConfig.BOOTSTRAP_SERVERS_CONFIG, bootstrapServers),
            state(),
            1,
            1,
            dataDir.instanceId().toString()),
        ledger,
        new LedgerStreams.Surroundings(() -> "127.0.0.1:1", () -> {}, false),
        TICKER,
        new SimpleMeterRegistry());
  }

  private static void awaitAll(LocalLedger ledger) {
    Awaitility.await("all are open")
        .atMost(Duration.ofSeconds(30))
        .until(
            () ->
                ledger.ledger().queries().ready()
                    && ledger.ledger().queries().connections("chat").map(PoolView::active).orElse(0)
                        == OPEN);
  }

  private Path state() {
    return dataDir.resolve("streams");
  }

  private List<String> generations() throws IOException {
    try (Stream<Path> folders = Files.list(state())) {
      return folders.map(folder -> folder.getFileName().toString()).sorted().toList();
    }
  }

  /** Overwrites what RocksDB finds its way by. */
  private static void garble(Path stores) throws IOException {
    List<Path> manifests;
    try (Stream<Path> files = Files.walk(stores)) {
      manifests =
          files.filter(file -> file.getFileName().toString().startsWith("MANIFEST")).toList();
    }
    assertThat(manifests).isNotEmpty();
    for (Path manifest : manifests) {
      Files.writeString(manifest, "not a manifest");
    }
  }
}
