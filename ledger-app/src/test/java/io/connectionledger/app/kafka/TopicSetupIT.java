package io.connectionledger.app.kafka;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.connectionledger.app.config.ConfigLoader;
import io.connectionledger.app.config.LedgerConfig;
import io.connectionledger.app.config.LedgerConfig.Listener;
import io.connectionledger.app.config.Role;
import io.connectionledger.app.config.StartupException;
import io.connectionledger.model.Topics;
import io.connectionledger.testkit.FreePorts;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.Config;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class TopicSetupIT {

  private static final Duration LIMIT = Duration.ofSeconds(30);
  private static final long RETENTION_BYTES = 1L << 26;
  private static final byte[] KEY = {1};
  private static final Set<Role> ROLES = EnumSet.complementOf(EnumSet.of(Role.KAFKA));

  @TempDir private static Path temp;
  private static DataDir dir;
  private static EmbeddedKafka kafka;
  private static Admin admin;

  @BeforeAll
  static void startKafka() {
    dir = DataDir.open(temp);
    kafka = EmbeddedKafka.start(ConfigLoader.parse("kafka: { port: 0 }", "test", Map.of()), dir);
    admin = Admin.create(Map.of("bootstrap.servers", kafka.bootstrapServers()));
  }

  @AfterAll
  static void stopKafka() {
    admin.close();
    kafka.close();
    dir.close();
  }

  @AfterEach
  void deleteTopics() throws Exception {
    admin.deleteTopics(admin.listTopics().names().get()).all().get();
    // The broker hears of it from the controller a moment later.
    Awaitility.await().until(() -> admin.listTopics().names().get().isEmpty());
  }

  private static LedgerConfig.Kafka config(int partitions, int replication) {
    return new LedgerConfig.Kafka(
        kafka.bootstrapServers(),
        new Listener("127.0.0.1", 0),
        partitions,
        (short) replication,
        RETENTION_BYTES,
        Map.of());
  }

  private static void ensure(int partitions) throws InterruptedException {
    TopicSetup.ensure(kafka.bootstrapServers(), config(partitions, 1), ROLES);
  }

  @Test
  void shouldCreateEveryTopicWithItsSettingsOnce() throws Exception {
    ensure(3);
    ensure(3);

    assertThat(admin.listTopics().names().get())
        .containsExactlyInAnyOrderElementsOf(Topics.ALL.stream().map(Topics.Spec::name).toList());
    for (Topics.Spec topic : Topics.ALL) {
      ConfigResource resource = new ConfigResource(ConfigResource.Type.TOPIC, topic.name());
      Config settings = get(admin.describeConfigs(List.of(resource)).values(), resource).get();
      assertThat(settings.entries())
          .filteredOn(entry -> topic.configs().containsKey(entry.name()))
          .allSatisfy(
              entry -> assertThat(entry.value()).isEqualTo(topic.configs().get(entry.name())))
          .hasSize(topic.configs().size());
      assertThat(settings.get("retention.bytes").value())
          .isEqualTo(topic.isFilledByOthers() ? Long.toString(RETENTION_BYTES) : "-1");
      assertThat(settings.get("min.insync.replicas").source())
          .isEqualTo(ConfigEntry.ConfigSource.DYNAMIC_TOPIC_CONFIG);
      assertThat(
              get(admin.describeTopics(List.of(topic.name())).topicNameValues(), topic.name())
                  .get()
                  .partitions())
          .hasSize(3);
    }
  }

  @Test
  void shouldRefuseATopicOfAnothersMakingThatLosesPolicies() throws Exception {
    admin
        .createTopics(
            List.of(
                new NewTopic(Topics.POLICIES, 3, (short) 1)
                    .configs(Map.of("cleanup.policy", "delete"))))
        .all()
        .get();

    assertThatThrownBy(() -> ensure(3))
        .isInstanceOf(StartupException.class)
        .hasMessage(
            "topic ledger.policies: cleanup.policy is delete: allowed is compact, as the latest"
                + " record of each key must stay");
  }

  @Test
  void shouldStartWithATopicOfAnothersMakingThatOnlyCosts() throws Exception {
    admin
        .createTopics(
            List.of(
                new NewTopic(Topics.CONNECTIONS, 3, (short) 1)
                    .configs(Map.of("cleanup.policy", "delete", "retention.ms", "10800000"))))
        .all()
        .get();

    ensure(3);

    assertThat(admin.listTopics().names().get()).contains(Topics.POLICIES);
  }

  @Test
  void shouldReturnWhenEveryPartitionCanBeWritten() throws Exception {
    try (KafkaProducer<byte[], byte[]> producer = onceOnly(kafka)) {
      ensure(12);

      assertThat(offsetsOfOneToEach(producer, 12)).containsOnly(0L);
    }
  }

  @Test
  void shouldReturnWhenEveryPartitionOfARestartedBrokerCanBeWritten(@TempDir Path restarted)
      throws Exception {
    LedgerConfig config = ConfigLoader.parse("kafka: { port: 0 }", "test", Map.of());
    try (DataDir data = DataDir.open(restarted)) {
      for (long start = 0; start < 3; start++) {
        try (EmbeddedKafka broker = EmbeddedKafka.start(config, data);
            KafkaProducer<byte[], byte[]> producer = onceOnly(broker)) {
          TopicSetup.ensure(broker.bootstrapServers(), config.kafka(), ROLES);

          assertThat(offsetsOfOneToEach(producer, config.kafka().partitions())).containsOnly(start);
        }
      }
    }
  }

  /** A producer whose record is lost when the partition that it is for has no leader. */
  private static KafkaProducer<byte[], byte[]> onceOnly(EmbeddedKafka broker) {
    Map<String, Object> onceOnly =
        Map.of(
            "bootstrap.servers",
            broker.bootstrapServers(),
            "retries",
            0,
            "enable.idempotence",
            false);
    ByteArraySerializer bytes = new ByteArraySerializer();
    return new KafkaProducer<>(onceOnly, bytes, bytes);
  }

  private static List<Long> offsetsOfOneToEach(
      KafkaProducer<byte[], byte[]> producer, int partitions) throws Exception {
    List<Future<RecordMetadata>> sent =
        Topics.ALL.stream()
            .flatMap(
                topic ->
                    IntStream.range(0, partitions)
                        .mapToObj(i -> new ProducerRecord<>(topic.name(), i, KEY, KEY)))
            .map(producer::send)
            .toList();
    List<Long> offsets = new ArrayList<>();
    for (Future<RecordMetadata> one : sent) {
      offsets.add(one.get().offset());
    }
    return offsets;
  }

  private static <K, V> V get(Map<K, V> map, K key) {
    return Objects.requireNonNull(map.get(key));
  }

  @Test
  void shouldLetManyInstancesStartAtOnce() throws Exception {
    try (ExecutorService instances = Executors.newVirtualThreadPerTaskExecutor()) {
      Callable<Void> start =
          () -> {
            ensure(2);
            return null;
          };
      List<Future<Void>> started =
          instances.invokeAll(Stream.generate(() -> start).limit(8).toList());
      for (Future<Void> one : started) {
        assertThat(one.get()).isNull();
      }
    }
    assertThat(admin.listTopics().names().get()).hasSize(Topics.ALL.size());
  }

  @Test
  void shouldRefuseTopicsWithAnotherPartitionCount() throws Exception {
    ensure(2);

    assertThatThrownBy(() -> ensure(4))
        .isInstanceOf(StartupException.class)
        .hasMessage(
            "topic ledger.connections has 2 partitions, but kafka.partitions is 4: allowed is the"
                + " number that the topics were created with");
  }

  @Test
  void shouldRefuseMoreReplicasThanBrokers() {
    assertThatThrownBy(() -> TopicSetup.ensure(kafka.bootstrapServers(), config(1, 3), ROLES))
        .isInstanceOf(StartupException.class)
        .hasMessageStartingWith("kafka.replication is 3: allowed is up to the number of brokers");
  }

  @Test
  void shouldTryUntilItIsInterrupted() throws Exception {
    CompletableFuture<Throwable> end = new CompletableFuture<>();
    Thread waiting =
        Thread.ofVirtual()
            .start(
                () -> {
                  try {
                    TopicSetup.ensure(
                        "host.invalid:1,127.0.0.1:" + FreePorts.one(), config(1, 1), ROLES);
                    end.completeExceptionally(new AssertionError("there is no cluster"));
                  } catch (Throwable thrown) {
                    end.complete(thrown);
                  }
                });

    waiting.interrupt();

    assertThat(end.get(LIMIT.toSeconds(), TimeUnit.SECONDS))
        .isInstanceOf(InterruptedException.class);
  }
}
