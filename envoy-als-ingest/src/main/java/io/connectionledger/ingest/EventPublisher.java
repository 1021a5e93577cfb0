package io.connectionledger.ingest;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.connectionledger.model.Ticker;
import io.connectionledger.model.Topics;
import io.connectionledger.model.event.ConnectionEvent;
import io.connectionledger.model.event.Presence;
import io.connectionledger.model.event.RecordCodec;
import java.time.Duration;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.kafka.clients.producer.Callback;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.PartitionInfo;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.internals.RecordHeader;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Writes events and dead letters to Kafka. Every record is settled exactly once: acknowledged by
 * all replicas in sync, or counted as lost after Kafka's own retries. Nothing is thrown at the
 * caller, since a lost event is repaired by the next heartbeat and a broken stream would lose more.
 *
 * <p>Thread-safe. Records published by one thread keep their order. A call waits while Kafka's
 * buffer is full, at most {@code max.block.ms}: that is the back-pressure.
 */
final class EventPublisher implements AutoCloseable {

  /** Header of a dead letter: the protobuf message type of its value. */
  static final String TYPE_HEADER = "type";

  private static final Logger LOGGER = LoggerFactory.getLogger(EventPublisher.class);
  private static final Duration WARN_INTERVAL = Duration.ofSeconds(10);
  private static final Duration CLOSE_TIMEOUT = Duration.ofSeconds(10);

  private final Producer<byte[], byte[]> producer;
  private final Ticker ticker;
  private final IngestMetrics metrics;
  private final AtomicLong nextWarningNanos = new AtomicLong(Long.MIN_VALUE);

  EventPublisher(Producer<byte[], byte[]> producer, Ticker ticker, IngestMetrics metrics) {
    this.producer = producer;
    this.ticker = ticker;
    this.metrics = metrics;
  }

  /**
   * A producer with what the ledger needs.
   *
   * @throws KafkaException when a setting is wrong
   */
  static Producer<byte[], byte[]> producer(Map<String, Object> settings) {
    return new KafkaProducer<>(
        withRequired(settings), new ByteArraySerializer(), new ByteArraySerializer());
  }

  /** The operator's settings over our defaults, under what correctness does not leave open. */
  static Map<String, Object> withRequired(Map<String, Object> settings) {
    Map<String, Object> merged = new HashMap<>();
    merged.put(ProducerConfig.CLIENT_ID_CONFIG, "ledger-ingest");
    merged.put(ProducerConfig.COMPRESSION_TYPE_CONFIG, "lz4");
    merged.put(ProducerConfig.BATCH_SIZE_CONFIG, 128 * 1024);
    merged.putAll(settings);
    merged.put(ProducerConfig.ACKS_CONFIG, "all");
    merged.put(ProducerConfig.ENABLE_IDEMPOTENCE_CONFIG, true);
    return merged;
  }

  /**
   * Writes one event.
   *
   * @param settled run once, on any thread, when the event is acknowledged or counted as lost
   */
  void publish(ConnectionEvent event, Runnable settled) {
    send(
        new ProducerRecord<>(
            Topics.CONNECTIONS,
            null,
            event.atMs(),
            event.pool().getBytes(UTF_8),
            RecordCodec.encode(event)),
        () -> metrics.written(event),
        settled);
  }

  /**
   * Counts and writes one dead letter: the node id as the key, the entry's protobuf bytes as the
   * value.
   *
   * @param envoy the node id of the Envoy that sent it
   * @param settled as for an event
   */
  void publish(DeadLetter letter, String envoy, Runnable settled) {
    metrics.deadLetter(letter.cause());
    byte[] entry = letter.entry().toByteArray();
    boolean tooLong = entry.length > Topics.MAX_DEAD_LETTER_BYTES;
    String reason =
        tooLong ? letter.reason() + " (cut from " + entry.length + " bytes)" : letter.reason();
    byte[] node = envoy.getBytes(UTF_8);
    List<Header> headers =
        List.of(
            new RecordHeader(Topics.REASON_HEADER, reason.getBytes(UTF_8)),
            new RecordHeader(Topics.SOURCE_HEADER, node),
            new RecordHeader(
                TYPE_HEADER, letter.entry().getDescriptorForType().getFullName().getBytes(UTF_8)));
    send(
        new ProducerRecord<>(
            Topics.DEAD_LETTERS,
            null,
            ticker.nowMs(),
            node,
            tooLong ? Arrays.copyOf(entry, Topics.MAX_DEAD_LETTER_BYTES) : entry,
            headers),
        () -> {},
        settled);
  }

  /** Writes a presence into every partition. */
  void publish(Presence presence) {
    byte[] key = presence.ingest().getBytes(UTF_8);
    byte[] value = RecordCodec.encode(presence);
    for (PartitionInfo partition : producer.partitionsFor(Topics.ENVOYS)) {
      send(
          new ProducerRecord<>(Topics.ENVOYS, partition.partition(), ticker.nowMs(), key, value),
          () -> {},
          () -> {});
    }
  }

  private void send(ProducerRecord<byte[], byte[]> record, Runnable written, Runnable settled) {
    Callback onCompletion =
        (metadata, failure) -> {
          try {
            if (failure == null) {
              written.run();
            } else {
              lost(record.topic(), failure);
            }
          } finally {
            settled.run();
          }
        };
    try {
      var unused = producer.send(record, onCompletion);
    } catch (KafkaException | IllegalStateException failure) {
      // Closed or interrupted: the producer did not accept it and will not call back.
      lost(record.topic(), failure);
      settled.run();
    }
  }

  private void lost(String topic, Exception failure) {
    long total = metrics.lost();
    long now = ticker.nowNanos();
    long next = nextWarningNanos.get();
    if (now >= next && nextWarningNanos.compareAndSet(next, now + WARN_INTERVAL.toNanos())) {
      LOGGER
          .atWarn()
          .addKeyValue("topic", topic)
          .addKeyValue("lostSoFar", total)
          .addKeyValue("error", failure.toString())
          .log("Kafka did not take an event; heartbeats will repair the count");
    }
  }

  /** Waits until everything published is settled; after ten seconds the rest counts as lost. */
  @Override
  public void close() {
    producer.close(CLOSE_TIMEOUT);
  }
}
