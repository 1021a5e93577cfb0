package io.connectionledger.streams;

import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/** Producers of the few records that somebody waits for. */
public final class PromptProducer {

  private PromptProducer() {}

  /**
   * One that sends each record at once, and has it acknowledged by all replicas.
   *
   * @param kafka client settings with the bootstrap servers
   * @param clientId its own
   * @param timeout after which a record that Kafka has not taken fails
   */
  public static Producer<byte[], byte[]> connect(
      Map<String, Object> kafka, String clientId, Duration timeout) {
    int timeoutMs = (int) timeout.toMillis();
    Map<String, Object> settings = new HashMap<>(kafka);
    settings.put(ProducerConfig.CLIENT_ID_CONFIG, clientId);
    settings.put(ProducerConfig.ACKS_CONFIG, "all");
    settings.put(ProducerConfig.ENABLE_IDEMPOTENCE_CONFIG, true);
    settings.put(ProducerConfig.LINGER_MS_CONFIG, 0);
    settings.put(ProducerConfig.MAX_BLOCK_MS_CONFIG, timeoutMs);
    settings.put(ProducerConfig.REQUEST_TIMEOUT_MS_CONFIG, timeoutMs);
    settings.put(ProducerConfig.DELIVERY_TIMEOUT_MS_CONFIG, timeoutMs);
    ByteArraySerializer bytes = new ByteArraySerializer();
    return new KafkaProducer<>(settings, bytes, bytes);
  }
}
