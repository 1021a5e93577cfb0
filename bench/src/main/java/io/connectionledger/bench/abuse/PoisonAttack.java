package io.connectionledger.bench.abuse;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.connectionledger.bench.process.LedgerProcess;
import io.connectionledger.bench.process.LedgerProcess.Ports;
import io.connectionledger.model.Topics;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/** Against whoever reads the topics. */
final class PoisonAttack {

  private static final List<String> TOPICS =
      List.of(
          Topics.CONNECTIONS,
          Topics.DECISIONS,
          Topics.ENVOYS,
          Topics.OWNERS,
          Topics.POLICIES,
          Topics.ENDPOINTS);

  private PoisonAttack() {}

  static long run(Ports ports, Deadline done) {
    ByteArraySerializer bytes = new ByteArraySerializer();
    byte[] key = LedgerProcess.pool(0).getBytes(UTF_8);
    List<byte[]> values =
        List.of(
            ("{\"type\":\"alive\",\"pool\":\"pool-0\",\"envoy\":\"e\",\"atMs\":1,"
                    + "\"pods\":{\"10.0.0.0:8080\":null}}")
                .getBytes(UTF_8),
            ("{\"kind\":\"claiming\",\"instance\":\"i\",\"run\":\"r\",\"address\":\"a:1\","
                    + "\"sentNanos\":1,\"atMs\":1,\"term\":"
                    + Long.MAX_VALUE
                    + "}")
                .getBytes(UTF_8),
            "[".repeat(10_000).getBytes(UTF_8),
            new byte[100_000]);
    long sent = 0;
    try (Producer<byte[], byte[]> producer =
        new KafkaProducer<>(
            Map.of(ProducerConfig.BOOTSTRAP_SERVERS_CONFIG, "127.0.0.1:" + ports.kafka()),
            bytes,
            bytes)) {
      while (!done.isOver()) {
        for (String topic : TOPICS) {
          for (byte[] value : values) {
            var unused = producer.send(new ProducerRecord<>(topic, key, value));
            sent++;
          }
        }
        done.pause(Duration.ofMillis(100));
      }
    }
    return sent;
  }
}
