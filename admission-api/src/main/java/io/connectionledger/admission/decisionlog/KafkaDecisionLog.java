package io.connectionledger.admission.decisionlog;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.connectionledger.model.Topics;
import io.connectionledger.model.event.Decision;
import io.connectionledger.model.event.RecordCodec;
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
public final class KafkaDecisionLog implements DecisionLog, AutoCloseable {

  private static final Duration CLOSE_TIMEOUT = Duration.ofSeconds(5);
  private static final Duration NEVER_FORGET = Duration.ofDays(3650);

  private final Producer<byte[], byte[]> producer;
  private @Nullable KafkaClientMetrics metrics;
  private volatile boolean topicKnown;

  public KafkaDecisionLog(Producer<byte[], byte[]> producer) {
    this.producer = producer;
  }

  /**
   * Starts a producer, which connects in the background.
   *
   * @param kafka where the brokers are, and whatever else of a producer's configuration the
   *     operator has set; what this class promises overrides it
   */
  public static KafkaDecisionLog connect(Map<String, Object> kafka) {
    ByteArraySerializer bytes = new ByteArraySerializer();
    return new KafkaDecisionLog(new KafkaProducer<>(configuration(kafka), bytes, bytes));
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
  public void bindTo(MeterRegistry registry) {
    metrics = new KafkaClientMetrics(producer);
    metrics.bindTo(registry);
  }

  @Override
  public void send(Decision decision, boolean awaited, Callback callback) {
    try {
      Future<RecordMetadata> unused =
          producer.send(
              new ProducerRecord<>(
                  Topics.DECISIONS,
                  null,
                  timestampMs(decision),
                  decision.pool().getBytes(UTF_8),
                  RecordCodec.encode(decision)),
              callback);
    } catch (RuntimeException refused) {
      // The producer will not call back.
      callback.onCompletion(null, refused);
    }
  }

  /** Null for now; what was counted belongs to the second that it was counted in. */
  private static @Nullable Long timestampMs(Decision decision) {
    return decision.attempts() > 1 ? (Long) decision.atMs() : null;
  }

  /** Returns when Kafka has every record that was sent before, or has refused it. */
  public void flush() {
    producer.flush();
  }

  /**
   * Why a decision could not be recorded now; empty once the topic is known. Each call until then
   * has the topic looked up again, in the background.
   */
  public Optional<String> unready() {
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
    producer.close(CLOSE_TIMEOUT);
  }
}
