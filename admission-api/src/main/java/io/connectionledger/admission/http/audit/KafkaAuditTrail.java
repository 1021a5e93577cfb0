package io.connectionledger.admission.http.audit;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.connectionledger.model.Topics;
import io.connectionledger.model.audit.AuditEntry;
import io.connectionledger.streams.PromptProducer;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.binder.kafka.KafkaClientMetrics;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Future;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.KafkaException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Writes changes to {@link Topics#AUDIT}, and to the log whether Kafka takes them or not. */
public final class KafkaAuditTrail implements AuditTrail {

  private static final Logger LOGGER = LoggerFactory.getLogger(KafkaAuditTrail.class);
  static final Duration WRITE_TIMEOUT = Duration.ofSeconds(4);
  private static final Duration CLOSE_TIMEOUT = Duration.ofSeconds(5);

  private final Producer<byte[], byte[]> producer;
  private final KafkaClientMetrics metrics;

  KafkaAuditTrail(Producer<byte[], byte[]> producer, MeterRegistry registry) {
    this.producer = producer;
    metrics = new KafkaClientMetrics(producer);
    metrics.bindTo(registry);
  }

  /**
   * Starts a producer, which connects in the background.
   *
   * @param kafka where the brokers are, and whatever else of a client's configuration
   * @param registry where its metrics go
   */
  public static KafkaAuditTrail connect(Map<String, Object> kafka, MeterRegistry registry) {
    return new KafkaAuditTrail(
        PromptProducer.connect(kafka, "ledger-audit", WRITE_TIMEOUT), registry);
  }

  @Override
  public CompletionStage<Void> write(AuditEntry entry) {
    log(entry);
    CompletableFuture<Void> kept = new CompletableFuture<>();
    try {
      Future<RecordMetadata> unused =
          producer.send(
              new ProducerRecord<>(Topics.AUDIT, entry.pool().getBytes(UTF_8), entry.encode()),
              (at, failure) -> {
                if (failure == null) {
                  kept.complete(null);
                } else {
                  kept.completeExceptionally(failure);
                }
              });
    } catch (KafkaException refused) {
      kept.completeExceptionally(refused);
    }
    return kept;
  }

  private static void log(AuditEntry entry) {
    LOGGER
        .atInfo()
        .addKeyValue("audit", entry.id())
        .addKeyValue("action", entry.action().label())
        .addKeyValue("result", entry.result().label())
        .addKeyValue("pool", entry.pool())
        .addKeyValue("pod", entry.pod())
        .addKeyValue("who", entry.who())
        .addKeyValue("role", entry.role())
        .addKeyValue("address", entry.address())
        .addKeyValue("before", entry.before())
        .addKeyValue("after", entry.after())
        .addKeyValue("reason", entry.reason())
        .log("A change over HTTP");
  }

  /** Waits some seconds for what it still has to write. */
  @Override
  public void close() {
    metrics.close();
    producer.close(CLOSE_TIMEOUT);
  }
}
