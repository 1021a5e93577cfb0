package io.connectionledger.streams.policy;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.connectionledger.model.LogRateLimiter;
import io.connectionledger.model.Ticker;
import io.connectionledger.model.Topics;
import io.connectionledger.model.UnreadableRecordException;
import io.connectionledger.model.endpoints.PoolEndpoints;
import io.connectionledger.model.event.RecordCodec;
import io.connectionledger.model.policy.Policies;
import io.connectionledger.model.policy.PolicyCodec;
import io.connectionledger.model.policy.PolicyRecord;
import io.connectionledger.model.policy.PoolPolicy;
import io.connectionledger.streams.PromptProducer;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.binder.kafka.KafkaClientMetrics;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.NoSuchElementException;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Future;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import java.util.function.UnaryOperator;
import org.apache.kafka.clients.consumer.CloseOptions;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.PartitionInfo;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.WakeupException;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Follows {@link Topics#POLICIES}, and {@link Topics#ENDPOINTS} for the pods that Kubernetes has,
 * on a thread of its own, all partitions from the beginning, and writes to both. Whatever changes a
 * policy or its pods goes through the topics and takes effect when it is read back, here as
 * everywhere. Thread-safe.
 */
public final class KafkaPolicyStore implements Policies, AutoCloseable {

  private static final Logger LOGGER = LoggerFactory.getLogger(KafkaPolicyStore.class);

  /** Whatever must be done before is announced by {@link #hurry}. */
  private static final Duration WARN_INTERVAL = Duration.ofSeconds(10);

  private static final Duration POLL = Duration.ofSeconds(1);

  /** Between policies there are hours; a request that waits for the next costs nothing. */
  private static final int FETCH_WAIT_MS = 2_000;

  private static final Duration RETRY = Duration.ofSeconds(1);
  private static final Duration STOP_TIMEOUT = Duration.ofSeconds(5);
  private static final Duration WRITE_TIMEOUT = Duration.ofSeconds(5);

  private final Map<String, Object> kafka;
  private final Consumer<Map<String, PolicyRecord>> follower;
  private final Ticker ticker;
  private final LogRateLimiter warnings;
  private final Producer<byte[], byte[]> producer;
  private final KafkaClientMetrics producerMetrics;
  private final MeterRegistry registry;
  private final Counter defects;
  private final Thread thread = new Thread(this::run, "policies");

  /** Held while a change is made and handed to Kafka; {@link #lock} may be taken under it. */
  private final Object changing = new Object();

  private final Object lock = new Object();

  /** Guarded by {@link #lock}, as all that follows. */
  private final PolicyResolver book;

  private final List<Write> writes = new ArrayList<>();

  /** What {@link #change} wrote last and this instance has not read yet, by pool. */
  private final Map<String, PolicyRecord> underway = new HashMap<>();

  private boolean changed = true;
  private boolean known;
  private long tellAgainMs;

  private volatile boolean closed;
  private volatile @Nullable KafkaConsumer<byte[], byte[]> reading;

  /** A record that Kafka has and that this instance has not read yet. */
  private record Write(
      int partition, long offset, PolicyRecord record, CompletableFuture<PolicyRecord> done) {}

  private KafkaPolicyStore(
      Map<String, Object> kafka,
      Map<String, PoolPolicy> base,
      boolean partial,
      Consumer<Map<String, PolicyRecord>> follower,
      Ticker ticker,
      MeterRegistry registry) {
    this.kafka = kafka;
    this.book = new PolicyResolver(base, partial);
    this.follower = follower;
    this.ticker = ticker;
    this.warnings = new LogRateLimiter(ticker, WARN_INTERVAL);
    this.registry = registry;
    this.defects =
        Counter.builder("ledger.policies.failed")
            .description("How often the policies had to be followed anew because of a defect")
            .register(registry);
    this.producer = PromptProducer.connect(kafka, "ledger-policies", WRITE_TIMEOUT);
    this.producerMetrics = new KafkaClientMetrics(producer);
    producerMetrics.bindTo(registry);
    thread.setDaemon(true);
  }

  /**
   * Starts following.
   *
   * @param kafka client settings with the bootstrap servers; the topic must exist
   * @param base what the configuration wants, by pool
   * @param partial whether it is not known yet which pools Kubernetes has: those of which the topic
   *     knows are served until {@link #base} says which there are
   * @param follower takes the policies of all pools of the base, on this class's thread: first when
   *     all that was on the topic has been read and the topic knows the base, then after each
   *     change
   * @param registry where the metrics of its Kafka clients go
   */
  public static KafkaPolicyStore start(
      Map<String, Object> kafka,
      Map<String, PoolPolicy> base,
      boolean partial,
      Consumer<Map<String, PolicyRecord>> follower,
      Ticker ticker,
      MeterRegistry registry) {
    KafkaPolicyStore stream =
        new KafkaPolicyStore(kafka, base, partial, follower, ticker, registry);
    stream.thread.start();
    return stream;
  }

  private KafkaConsumer<byte[], byte[]> consumer() {
    Map<String, Object> settings = new HashMap<>(kafka);
    settings.put(ConsumerConfig.CLIENT_ID_CONFIG, "ledger-policies-reader");
    settings.put(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG, "earliest");
    settings.put(ConsumerConfig.ENABLE_AUTO_COMMIT_CONFIG, false);
    settings.put(ConsumerConfig.ALLOW_AUTO_CREATE_TOPICS_CONFIG, false);
    settings.put(ConsumerConfig.FETCH_MAX_WAIT_MS_CONFIG, FETCH_WAIT_MS);
    settings.put(ConsumerConfig.DEFAULT_API_TIMEOUT_MS_CONFIG, (int) WRITE_TIMEOUT.toMillis());
    settings.put(ConsumerConfig.REQUEST_TIMEOUT_MS_CONFIG, (int) WRITE_TIMEOUT.toMillis());
    ByteArrayDeserializer bytes = new ByteArrayDeserializer();
    return new KafkaConsumer<>(settings, bytes, bytes);
  }

  /**
   * Takes what the configuration wants from now on.
   *
   * @param other by pool
   * @param partial whether it is not known yet which pools Kubernetes has
   * @param drain pods that are to be drained, by name or address, by pool; others are left out
   */
  public void base(Map<String, PoolPolicy> other, boolean partial, Map<String, Set<String>> drain) {
    synchronized (lock) {
      book.base(other, partial);
      book.drain(drain);
      changed = true;
      tellAgainMs = 0;
    }
    hurry();
  }

  /** Ends the wait for records: something else is to be done. */
  private void hurry() {
    KafkaConsumer<byte[], byte[]> consumer = reading;
    if (consumer != null) {
      consumer.wakeup();
    }
  }

  /**
   * Takes why Kubernetes is not heard by this instance.
   *
   * @param other by pool; those of which it is heard are left out
   */
  public void unheard(Map<String, String> other) {
    synchronized (lock) {
      book.unheard(other);
      changed = true;
    }
    hurry();
  }

  /** Has all instances know what a slice has; what is not taken by Kafka is logged. */
  public void publish(PoolEndpoints slice) {
    publish(slice.key(), RecordCodec.encode(slice));
  }

  /** Has all instances know that a slice is gone; what is not taken by Kafka is logged. */
  public void unpublish(String pool, String slice) {
    publish(PoolEndpoints.key(pool, slice), null);
  }

  private void publish(String key, byte @Nullable [] value) {
    Future<RecordMetadata> unused =
        producer.send(
            new ProducerRecord<>(Topics.ENDPOINTS, key.getBytes(UTF_8), value),
            (at, failure) -> {
              if (failure != null) {
                LOGGER
                    .atWarn()
                    .addKeyValue("slice", key)
                    .addKeyValue("failure", failure.toString())
                    .log("The endpoints of a slice could not be stored");
              }
            });
  }

  /** What all instances know of the slices of a pool, as far as this one has read. */
  public Collection<PoolEndpoints> endpoints(String pool) {
    synchronized (lock) {
      return book.endpoints(pool);
    }
  }

  @Override
  public Optional<PolicyRecord> of(String pool) {
    synchronized (lock) {
      return known ? Optional.ofNullable(book.of(pool)) : Optional.empty();
    }
  }

  @Override
  public CompletionStage<PolicyRecord> change(String pool, UnaryOperator<PolicyRecord> change) {
    synchronized (changing) {
      PolicyRecord next = change.apply(latest(pool));
      synchronized (lock) {
        underway.put(pool, next);
      }
      return write(next)
          .whenComplete(
              (stored, failure) -> {
                synchronized (lock) {
                  underway.remove(pool, next);
                }
              });
    }
  }

  private PolicyRecord latest(String pool) {
    synchronized (lock) {
      PolicyRecord current = known ? book.written(pool) : null;
      if (current == null) {
        throw new NoSuchElementException(pool);
      }
      return underway.getOrDefault(pool, current);
    }
  }

  private CompletableFuture<PolicyRecord> write(PolicyRecord record) {
    CompletableFuture<PolicyRecord> done = new CompletableFuture<>();
    try {
      Future<RecordMetadata> unused =
          producer.send(
              new ProducerRecord<>(
                  Topics.POLICIES, record.pool().getBytes(UTF_8), PolicyCodec.encode(record)),
              (at, failure) -> {
                if (failure != null) {
                  done.completeExceptionally(failure);
                } else {
                  synchronized (lock) {
                    writes.add(new Write(at.partition(), at.offset(), record, done));
                  }
                  hurry();
                }
              });
    } catch (KafkaException refused) {
      done.completeExceptionally(refused);
    }
    return done;
  }

  private void run() {
    while (!closed) {
      KafkaConsumer<byte[], byte[]> consumer = consumer();
      try (KafkaClientMetrics metrics = new KafkaClientMetrics(consumer)) {
        metrics.bindTo(registry);
        follow(consumer);
      } catch (KafkaException failure) {
        LOGGER.atWarn().setCause(failure).log("Policies cannot be read, trying again");
        LockSupport.parkNanos(RETRY.toNanos());
      } catch (RuntimeException defect) {
        // Without this thread no policy would change any more, here, and nobody would see why.
        defects.increment();
        LOGGER.atError().setCause(defect).log("Policies cannot be followed, trying again");
        LockSupport.parkNanos(RETRY.toNanos());
      } finally {
        reading = null;
        // Without a word to the broker: the fetch that waits there would be waited for.
        consumer.close(CloseOptions.timeout(Duration.ZERO));
      }
    }
  }

  private void follow(KafkaConsumer<byte[], byte[]> consumer) {
    List<TopicPartition> partitions = new ArrayList<>();
    for (String topic : List.of(Topics.POLICIES, Topics.ENDPOINTS)) {
      List<PartitionInfo> ofTopic = consumer.partitionsFor(topic);
      if (ofTopic.isEmpty()) {
        throw new KafkaException("topic " + topic + " is not known yet");
      }
      ofTopic.forEach(
          partition -> partitions.add(new TopicPartition(topic, partition.partition())));
    }
    consumer.assign(partitions);
    consumer.seekToBeginning(partitions);
    Map<TopicPartition, Long> ends = consumer.endOffsets(partitions);
    // Only the last record of each pool counts: none of those before may take effect.
    Map<String, PolicyRecord> latest = new HashMap<>();
    while (!closed
        && ends.entrySet().stream()
            .anyMatch(end -> consumer.position(end.getKey()) < end.getValue())) {
      consumer.poll(POLL).forEach(record -> read(record, latest::put));
    }
    synchronized (lock) {
      latest.values().forEach(book::stored);
      changed = true;
    }
    reading = consumer;
    while (!closed) {
      tellBase();
      tellFollower();
      completeWrites(consumer);
      for (ConsumerRecord<byte[], byte[]> record : next(consumer)) {
        read(
            record,
            (pool, policy) -> {
              synchronized (lock) {
                book.stored(policy);
                changed = true;
              }
            });
      }
    }
  }

  private static ConsumerRecords<byte[], byte[]> next(KafkaConsumer<byte[], byte[]> consumer) {
    try {
      return consumer.poll(POLL);
    } catch (WakeupException hurried) {
      return ConsumerRecords.empty();
    }
  }

  private void read(
      ConsumerRecord<byte[], byte[]> record, BiConsumer<String, PolicyRecord> reader) {
    try {
      if (record.topic().equals(Topics.ENDPOINTS)) {
        readEndpoints(record);
        return;
      }
      if (record.value() == null) {
        return;
      }
      PolicyRecord policy = PolicyCodec.decode(record.value());
      if (record.key() == null || !policy.pool().equals(new String(record.key(), UTF_8))) {
        throw new UnreadableRecordException("the key is not the pool of the value");
      }
      synchronized (lock) {
        if (!book.hasRoomFor(policy.pool())) {
          throw new UnreadableRecordException(
              "there are policies of " + PolicyResolver.MAX_POOLS + " other pools");
        }
      }
      reader.accept(policy.pool(), policy);
    } catch (UnreadableRecordException unreadable) {
      if (warnings.passes()) {
        LOGGER
            .atWarn()
            .addKeyValue("topic", record.topic())
            .addKeyValue("partition", record.partition())
            .addKeyValue("offset", record.offset())
            .addKeyValue("reason", unreadable.getMessage())
            .log("Unreadable record ignored, others are not told of for a while");
      }
    }
  }

  private void readEndpoints(ConsumerRecord<byte[], byte[]> record)
      throws UnreadableRecordException {
    String key = record.key() == null ? "" : new String(record.key(), UTF_8);
    int separator = key.indexOf('|');
    if (separator < 0) {
      throw new UnreadableRecordException("the key is not a pool and a slice");
    }
    PoolEndpoints slice =
        record.value() == null ? null : RecordCodec.decodeEndpoints(record.value());
    if (slice != null && !slice.key().equals(key)) {
      throw new UnreadableRecordException("the key is not the pool and the slice of the value");
    }
    synchronized (lock) {
      if (slice == null) {
        book.withoutEndpoints(key.substring(0, separator), key.substring(separator + 1));
      } else {
        if (!book.hasRoomFor(slice)) {
          throw new UnreadableRecordException("too many pools have endpoints, or too many slices");
        }
        book.endpoints(slice);
      }
      changed = true;
    }
  }

  /** Writes the base where the topic does not know it, again and again until it does. */
  private void tellBase() {
    List<PolicyRecord> untold;
    synchronized (lock) {
      long nowMs = ticker.nowMs();
      if (nowMs < tellAgainMs) {
        return;
      }
      untold = new ArrayList<>(book.tell(nowMs));
      untold.addAll(book.outdatedDrains(nowMs));
      tellAgainMs = untold.isEmpty() ? 0 : nowMs + WRITE_TIMEOUT.toMillis();
    }
    for (PolicyRecord record : untold) {
      CompletableFuture<PolicyRecord> unused =
          write(record)
              .whenComplete(
                  (stored, failure) -> {
                    if (failure != null) {
                      LOGGER
                          .atWarn()
                          .addKeyValue("pool", record.pool())
                          .addKeyValue("failure", failure.toString())
                          .log("The configured policy could not be stored, trying again");
                    }
                  });
    }
  }

  private void tellFollower() {
    Map<String, PolicyRecord> all;
    synchronized (lock) {
      known |= book.isTold();
      if (!known || !changed) {
        return;
      }
      changed = false;
      all = book.all();
    }
    follower.accept(all);
  }

  private void completeWrites(KafkaConsumer<byte[], byte[]> consumer) {
    List<Write> read = new ArrayList<>();
    synchronized (lock) {
      for (Iterator<Write> each = writes.iterator(); each.hasNext(); ) {
        Write write = each.next();
        if (consumer.position(new TopicPartition(Topics.POLICIES, write.partition))
            > write.offset) {
          read.add(write);
          each.remove();
        }
      }
    }
    read.forEach(write -> write.done.complete(write.record));
  }

  /** Stops following; changes that are underway fail. */
  @Override
  public void close() {
    closed = true;
    hurry();
    try {
      thread.join(STOP_TIMEOUT);
    } catch (InterruptedException hurried) {
      Thread.currentThread().interrupt();
    }
    producerMetrics.close();
    producer.close(Duration.ZERO);
    synchronized (lock) {
      writes.forEach(
          write -> write.done.completeExceptionally(new KafkaException("the instance stops")));
    }
  }
}
