package io.connectionledger.app.kafka;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.connectionledger.app.config.ConfigLoader;
import io.connectionledger.app.config.LedgerConfig;
import io.connectionledger.app.config.Role;
import io.connectionledger.app.config.StartupException;
import io.connectionledger.model.Topics;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.Set;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class EmbeddedKafkaIT {

  @TempDir private Path temp;

  private static LedgerConfig config(String kafka) {
    return ConfigLoader.parse("kafka: { partitions: 2, " + kafka + " }", "test", Map.of());
  }

  @Test
  void shouldKeepRecordsAndGroupsOverARestart() throws Exception {
    LedgerConfig config = config("port: 0");
    try (DataDir dir = DataDir.open(temp);
        EmbeddedKafka kafka = EmbeddedKafka.start(config, dir)) {
      TopicSetup.ensure(kafka.bootstrapServers(), config.kafka(), Set.of(Role.KAFKA));
      produce(kafka, "first");
      assertThat(consume(kafka)).isEqualTo("first");
      produce(kafka, "second");
    }

    try (DataDir dir = DataDir.open(temp);
        EmbeddedKafka kafka = EmbeddedKafka.start(config, dir)) {
      TopicSetup.ensure(kafka.bootstrapServers(), config.kafka(), Set.of(Role.KAFKA));
      // Then the group goes on where it was
      assertThat(consume(kafka)).isEqualTo("second");
    }
  }

  @Test
  void shouldRefuseAPortInUseBeforeItWritesAnything() throws IOException {
    try (ServerSocket taken = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
        DataDir dir = DataDir.open(temp)) {
      LedgerConfig config = config("port: " + taken.getLocalPort());

      assertThatThrownBy(() -> EmbeddedKafka.start(config, dir))
          .isInstanceOf(StartupException.class)
          .hasMessage(
              "kafka.port is "
                  + taken.getLocalPort()
                  + ", which cannot be bound on 127.0.0.1 (Address already in use): allowed is a"
                  + " free port, or 0 for any");
      assertThat(dir.resolve("kafka")).doesNotExist();
    }
  }

  @Test
  void shouldRefuseAnAddressOfAnotherMachineAndAnUnknownName() {
    try (DataDir dir = DataDir.open(temp)) {
      assertThatThrownBy(() -> EmbeddedKafka.start(config("port: 0, bind: host.invalid"), dir))
          .isInstanceOf(StartupException.class)
          .hasMessageStartingWith("kafka.bind is 'host.invalid'");
      assertThatThrownBy(() -> EmbeddedKafka.start(config("port: 0, bind: 192.0.2.1"), dir))
          .isInstanceOf(StartupException.class)
          .hasMessageContaining("cannot be bound on 192.0.2.1");
    }
  }

  @Test
  void shouldRefuseAPropertyThatKafkaDoesNotTake() {
    try (DataDir dir = DataDir.open(temp)) {
      assertThatThrownBy(
              () -> EmbeddedKafka.start(config("port: 0, properties: { num.io.threads: x }"), dir))
          .isInstanceOf(StartupException.class)
          .hasMessageStartingWith("kafka.properties: ")
          .hasMessageContaining("num.io.threads");
      assertThat(dir.resolve("kafka")).doesNotExist();
    }
  }

  private static void produce(EmbeddedKafka kafka, String value) throws Exception {
    Map<String, Object> settings =
        Map.of(ProducerConfig.BOOTSTRAP_SERVERS_CONFIG, kafka.bootstrapServers());
    try (KafkaProducer<String, String> producer =
        new KafkaProducer<>(settings, new StringSerializer(), new StringSerializer())) {
      producer.send(new ProducerRecord<>(Topics.CONNECTIONS, "chat", value)).get();
    }
  }

  /** The one record that the group has not seen yet. */
  private static String consume(EmbeddedKafka kafka) {
    Map<String, Object> settings =
        Map.of(
            ConsumerConfig.BOOTSTRAP_SERVERS_CONFIG,
            kafka.bootstrapServers(),
            ConsumerConfig.GROUP_ID_CONFIG,
            "readers",
            ConsumerConfig.SESSION_TIMEOUT_MS_CONFIG,
            3000,
            ConsumerConfig.HEARTBEAT_INTERVAL_MS_CONFIG,
            1000,
            ConsumerConfig.AUTO_OFFSET_RESET_CONFIG,
            "earliest");
    try (KafkaConsumer<String, String> consumer =
        new KafkaConsumer<>(settings, new StringDeserializer(), new StringDeserializer())) {
      consumer.subscribe(Set.of(Topics.CONNECTIONS));
      ConsumerRecords<String, String> records =
          Awaitility.await()
              .atMost(Duration.ofSeconds(30))
              .until(() -> consumer.poll(Duration.ofMillis(200)), polled -> polled.count() > 0);
      consumer.commitSync();
      assertThat(records.count()).isOne();
      ConsumerRecord<String, String> only = records.iterator().next();
      return only.value();
    }
  }
}
