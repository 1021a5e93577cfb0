package io.connectionledger.streams.ownership;

import io.connectionledger.model.LogRateLimiter;
import io.connectionledger.model.Ticker;
import io.connectionledger.model.Topics;
import io.connectionledger.model.UnreadableRecordException;
import io.connectionledger.model.event.OwnershipHeartbeat;
import io.connectionledger.model.event.RecordCodec;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.binder.kafka.KafkaClientMetrics;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.IntStream;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.WakeupException;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * {@link Topics#OWNERS}, read by a consumer of its own: each instance must hear of every partition,
 * those that it does not own included. Thread-safe but for {@link #send}.
 */
public final class KafkaOwnerLog implements OwnerLog {

  private static final Logger LOGGER = LoggerFactory.getLogger(KafkaOwnerLog.class);

  /**
   * What is read of the past. An owner writes a beat a second, so nothing before them binds anybody
   * unless some fifty instances believe to own one partition.
   */
  private static final long TAIL = 200;

  /**
   * Terms are milliseconds since the epoch, or one more than the term before: no claim is further
   * ahead of the time at which Kafka took it than the clocks of two machines may differ.
   */
  static final Duration MAX_LEAD = Duration.ofDays(1);

  private static final Duration WARN_INTERVAL = Duration.ofSeconds(10);
  private static final Duration POLL = Duration.ofSeconds(1);
  private static final Duration PAUSE = Duration.ofSeconds(1);
  private static final Duration CLOSE_TIMEOUT = Duration.ofSeconds(2);

  private final Map<String, Object> kafka;
  private final List<TopicPartition> partitions;
  private final Producer<byte[], byte[]> producer;
  private final KafkaClientMetrics producerMetrics;
  private final MeterRegistry registry;
  private final Counter refused;
  private final LogRateLimiter warnings;
  private volatile boolean closed;
  private volatile @Nullable Consumer<byte[], byte[]> reading;

  /**
   * Starts a producer, which connects in the background.
   *
   * @param kafka client settings with the bootstrap servers
   * @param partitions of the topic
   * @param ticker spaces out the warnings
   * @param registry where the metrics of its Kafka clients go
   */
  public KafkaOwnerLog(
      Map<String, Object> kafka, int partitions, Ticker ticker, MeterRegistry registry) {
    this.kafka = kafka;
    this.warnings = new LogRateLimiter(ticker, WARN_INTERVAL);
    this.refused =
        Counter.builder("ledger.owner.beats.refused")
            .description("Records of ledger.owners that are no beat of an instance")
            .register(registry);
    this.partitions =
        IntStream.range(0, partitions)
            .mapToObj(partition -> new TopicPartition(Topics.OWNERS, partition))
            .toList();
    ByteArraySerializer bytes = new ByteArraySerializer();
    this.producer = new KafkaProducer<>(producerSettings(kafka), bytes, bytes);
    this.registry = registry;
    this.producerMetrics = new KafkaClientMetrics(producer);
    producerMetrics.bindTo(registry);
  }

  private static Map<String, Object> producerSettings(Map<String, Object> kafka) {
    Map<String, Object> settings = new HashMap<>(kafka);
    settings.put(ProducerConfig.CLIENT_ID_CONFIG, "ledger-owners");
    settings.put(ProducerConfig.ACKS_CONFIG, "all");
    settings.put(ProducerConfig.LINGER_MS_CONFIG, 0);
    // A beat that takes longer extends no lease any more.
    settings.put(ProducerConfig.REQUEST_TIMEOUT_MS_CONFIG, 2_000);
    settings.put(ProducerConfig.DELIVERY_TIMEOUT_MS_CONFIG, (int) PartitionLease.LEASE.toMillis());
    settings.put(ProducerConfig.MAX_BLOCK_MS_CONFIG, 1_000);
    return settings;
  }

  @Override
  public void follow(Reader reader) {
    var unused = Thread.ofPlatform().name("owners").daemon().start(() -> followUntilClosed(reader));
  }

  private void followUntilClosed(Reader reader) {
    while (!closed) {
      try (Consumer<byte[], byte[]> consumer = consumer();
          KafkaClientMetrics metrics = new KafkaClientMetrics(consumer)) {
        metrics.bindTo(registry);
        reading = consumer;
        follow(consumer, reader);
      } catch (WakeupException stopping) {
        LOGGER.atDebug().log("No longer following the owners");
      } catch (KafkaException failure) {
        LOGGER.atWarn().setCause(failure).log("Lost track of the owners, reading them anew");
        reader.lostTrack();
        LockSupport.parkNanos(PAUSE.toNanos());
      }
    }
  }

  private Consumer<byte[], byte[]> consumer() {
    Map<String, Object> settings = new HashMap<>(kafka);
    settings.put(ConsumerConfig.CLIENT_ID_CONFIG, "ledger-owners-reader");
    settings.put(ConsumerConfig.ENABLE_AUTO_COMMIT_CONFIG, false);
    // Beats that were missed may have ended our own ownership: that must not pass unseen.
    settings.put(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG, "none");
    ByteArrayDeserializer bytes = new ByteArrayDeserializer();
    return new KafkaConsumer<>(settings, bytes, bytes);
  }

  private void follow(Consumer<byte[], byte[]> consumer, Reader reader) {
    consumer.assign(partitions);
    Map<TopicPartition, Long> starts = consumer.beginningOffsets(partitions);
    Map<TopicPartition, Long> ends = consumer.endOffsets(partitions);
    ends.forEach(
        (partition, end) ->
            consumer.seek(partition, Math.max(starts.getOrDefault(partition, 0L), end - TAIL)));
    boolean following = false;
    while (!closed) {
      if (!following
          && ends.entrySet().stream()
              .allMatch(end -> consumer.position(end.getKey()) >= end.getValue())) {
        following = true;
        reader.following();
      }
      for (ConsumerRecord<byte[], byte[]> record : consumer.poll(POLL)) {
        read(record, reader);
      }
    }
  }

  private void read(ConsumerRecord<byte[], byte[]> record, Reader reader) {
    try {
      reader.read(record.partition(), beat(record));
    } catch (UnreadableRecordException unreadable) {
      refused.increment();
      if (warnings.passes()) {
        LOGGER
            .atWarn()
            .addKeyValue(
                "source", record.topic() + '-' + record.partition() + '@' + record.offset())
            .addKeyValue("reason", unreadable.getMessage())
            .log("A beat was refused, others are only counted for a while");
      }
    }
  }

  /**
   * Reads a beat. What is refused depends on the record alone, so that all instances agree on it.
   *
   * @throws UnreadableRecordException when it is none, or its term is one that no claim could ever
   *     exceed: the partition would never have an owner again
   */
  static OwnershipHeartbeat beat(ConsumerRecord<byte[], byte[]> record)
      throws UnreadableRecordException {
    if (record.value() == null) {
      throw new UnreadableRecordException("the value is missing");
    }
    OwnershipHeartbeat beat = RecordCodec.decodeBeat(record.value());
    if (beat.term() - MAX_LEAD.toMillis() > record.timestamp()) {
      throw new UnreadableRecordException(
          "term "
              + beat.term()
              + " is more than a day ahead of when Kafka took it, "
              + record.timestamp()
              + ": is the clock of instance '"
              + beat.instance()
              + "' right?");
    }
    return beat;
  }

  @Override
  public void send(int partition, OwnershipHeartbeat beat) {
    try {
      var unused =
          producer.send(
              new ProducerRecord<>(Topics.OWNERS, partition, null, RecordCodec.encode(beat)));
    } catch (KafkaException refused) {
      LOGGER.atDebug().setCause(refused).log("A beat was not written, the next one comes soon");
    }
  }

  @Override
  public void close() {
    closed = true;
    Consumer<byte[], byte[]> consumer = reading;
    if (consumer != null) {
      consumer.wakeup();
    }
    producerMetrics.close();
    producer.close(CLOSE_TIMEOUT);
  }
}
