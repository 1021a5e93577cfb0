package io.connectionledger.admission;

import io.connectionledger.model.Topics;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.binder.kafka.KafkaClientMetrics;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Future;
import org.apache.kafka.clients.producer.Callback;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.jspecify.annotations.Nullable;

/**
 * The producer of {@link Topics#DECISIONS}. Thread-safe. Its {@code max.block.ms} is 0: a send that
 * would have to wait for room in the buffer, or for a topic that is not known yet, fails at once.
 */
final class KafkaDecisionLog implements DecisionLog, AutoCloseable {

  private static final Duration CLOSE_TIMEOUT = Duration.ofSeconds(5);
  private static final Duration NEVER_FORGET = Duration.ofDays(3650);
  private static final Duration REHEARSAL_LINGER = Duration.ofMinutes(1);
  private static final Duration REHEARSAL_BLOCK = Duration.ofSeconds(2);
  private static final int REHEARSAL_BATCH_BYTES = 4 << 20;
  private static final int REHEARSAL_PARTITIONS = 4;

  private final Producer<byte[], byte[]> producer;
  private final Duration closeTimeout;
  private @Nullable KafkaClientMetrics metrics;
  private volatile boolean topicKnown;

  KafkaDecisionLog(Producer<byte[], byte[]> producer) {
    this(producer, CLOSE_TIMEOUT);
  }

  private KafkaDecisionLog(Producer<byte[], byte[]> producer, Duration closeTimeout) {
    this.producer = producer;
    this.closeTimeout = closeTimeout;
  }

  /**
   * Starts a producer, which connects in the background.
   *
   * @param kafka where the brokers are, and whatever else of a producer's configuration the
   *     operator has set; what this class promises overrides it
   */
  static KafkaDecisionLog connect(Map<String, Object> kafka) {
    return new KafkaDecisionLog(producer(configuration(kafka)), CLOSE_TIMEOUT);
  }

  /**
   * Starts a producer that takes records as {@link #connect}'s does and sends none: they wait for
   * their batch to fill, which is larger than all of them, and are dropped on close. There is room
   * for {@link #REHEARSAL_PARTITIONS} such batches, so for as many keys; one more would wait. The
   * first look for the topic may take {@link #REHEARSAL_BLOCK}.
   */
  static KafkaDecisionLog rehearsal(Map<String, Object> kafka) {
    Map<String, Object> configuration = configuration(kafka);
    configuration.compute(ProducerConfig.CLIENT_ID_CONFIG, (key, id) -> id + "-warmup");
    configuration.put(ProducerConfig.ENABLE_IDEMPOTENCE_CONFIG, false);
    configuration.put(ProducerConfig.ENABLE_METRICS_PUSH_CONFIG, false);
    configuration.put(ProducerConfig.BATCH_SIZE_CONFIG, REHEARSAL_BATCH_BYTES);
    configuration.put(
        ProducerConfig.BUFFER_MEMORY_CONFIG, (long) REHEARSAL_PARTITIONS * REHEARSAL_BATCH_BYTES);
    configuration.put(ProducerConfig.LINGER_MS_CONFIG, (int) REHEARSAL_LINGER.toMillis());
    configuration.put(
        ProducerConfig.DELIVERY_TIMEOUT_MS_CONFIG,
        (int) REHEARSAL_LINGER.multipliedBy(10).toMillis());
    configuration.put(ProducerConfig.MAX_BLOCK_MS_CONFIG, (int) REHEARSAL_BLOCK.toMillis());
    return new KafkaDecisionLog(producer(configuration), Duration.ZERO);
  }

  private static Producer<byte[], byte[]> producer(Map<String, Object> configuration) {
    ByteArraySerializer bytes = new ByteArraySerializer();
    return new KafkaProducer<>(configuration, bytes, bytes);
  }

  static Map<String, Object> configuration(Map<String, Object> kafka) {
    Map<String, Object> configuration = new HashMap<>(kafka);
    configuration.putIfAbsent(ProducerConfig.CLIENT_ID_CONFIG, "ledger-admission");
    configuration.putIfAbsent(ProducerConfig.LINGER_MS_CONFIG, 2);
    configuration.put(ProducerConfig.ACKS_CONFIG, "all");
    configuration.put(ProducerConfig.ENABLE_IDEMPOTENCE_CONFIG, true);
    configuration.put(ProducerConfig.MAX_BLOCK_MS_CONFIG, 0);
    // A producer forgets a topic that was idle for five minutes; with max.block.ms 0 the next
    // decision would fail.
    configuration.put(ProducerConfig.METADATA_MAX_IDLE_CONFIG, NEVER_FORGET.toMillis());
    return configuration;
  }

  /** Has the producer's own metrics in {@code registry} until it is closed. */
  void bindTo(MeterRegistry registry) {
    metrics = new KafkaClientMetrics(producer);
    metrics.bindTo(registry);
  }

  @Override
  public void send(ProducerRecord<byte[], byte[]> record, Callback callback) {
    Future<RecordMetadata> unused = producer.send(record, callback);
  }

  /** Returns when Kafka has every record that was sent before, or has refused it. */
  void flush() {
    producer.flush();
  }

  /**
   * Why a decision could not be recorded now; empty once the topic is known. Each call until then
   * has the topic looked up again, in the background.
   */
  Optional<String> unready() {
    if (topicKnown) {
      return Optional.empty();
    }
    try {
      topicKnown = !producer.partitionsFor(Topics.DECISIONS).isEmpty();
    } catch (KafkaException notYet) {
      return Optional.of(
          "topic " + Topics.DECISIONS + " is not reachable yet: " + notYet.getMessage());
    }
    return topicKnown
        ? Optional.empty()
        : Optional.of("topic " + Topics.DECISIONS + " has no partitions");
  }

  @Override
  public void close() {
    if (metrics != null) {
      metrics.close();
    }
    producer.close(closeTimeout);
  }
}
