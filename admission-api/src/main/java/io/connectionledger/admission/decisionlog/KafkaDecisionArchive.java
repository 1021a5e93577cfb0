package io.connectionledger.admission.decisionlog;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import io.connectionledger.model.Ticker;
import io.connectionledger.model.Topics;
import io.connectionledger.model.UnreadableRecordException;
import io.connectionledger.model.event.ConnectionIds;
import io.connectionledger.model.event.Decision;
import io.connectionledger.model.event.RecordCodec;
import java.io.IOException;
import java.time.Duration;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.Semaphore;
import java.util.function.Supplier;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndTimestamp;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;

/**
 * Finds decisions in {@link Topics#DECISIONS} itself: an id says when it was made, and Kafka knows
 * what it stored at that time. So a decision is found for as long as the topic keeps it, by any
 * instance, and costs nothing until somebody asks. One search at a time; the latest come from
 * {@link DecisionTail}. Thread-safe.
 */
public final class KafkaDecisionArchive implements DecisionArchive {

  private static final Duration LIMIT = Duration.ofSeconds(5);
  private static final Duration POLL = Duration.ofMillis(100);

  /** By how much the clocks of who decided and of who sent the record may differ. */
  private static final long EARLY_MS = 2_000;

  /** And how long a record may have waited for its turn. */
  private static final long LATE_MS = 5_000;

  private final Supplier<Consumer<byte[], byte[]>> consumers;
  private final Ticker ticker;
  private final Semaphore searches = new Semaphore(1);
  private final DecisionTail tail;

  /**
   * One over a topic.
   *
   * @param consumers makes a consumer for each search, which closes it
   */
  KafkaDecisionArchive(
      Supplier<Consumer<byte[], byte[]>> consumers, DecisionTail tail, Ticker ticker) {
    this.consumers = consumers;
    this.tail = tail;
    this.ticker = ticker;
  }

  /**
   * One that connects when it is asked.
   *
   * @param kafka where the brokers are, and whatever else of a client's configuration
   */
  public static KafkaDecisionArchive over(Map<String, Object> kafka, Ticker ticker) {
    Map<String, Object> configuration = new HashMap<>(kafka);
    configuration.put(ConsumerConfig.CLIENT_ID_CONFIG, "ledger-decisions");
    configuration.put(ConsumerConfig.ENABLE_AUTO_COMMIT_CONFIG, false);
    configuration.put(ConsumerConfig.ENABLE_METRICS_PUSH_CONFIG, false);
    configuration.put(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG, "latest");
    // A fetch that waits long for more would keep a consumer from closing; what a search looks for
    // is there.
    Map<String, Object> following = new HashMap<>(configuration);
    following.put(ConsumerConfig.FETCH_MAX_WAIT_MS_CONFIG, 200);
    configuration.put(ConsumerConfig.FETCH_MAX_WAIT_MS_CONFIG, 0);
    ByteArrayDeserializer bytes = new ByteArrayDeserializer();
    return new KafkaDecisionArchive(
        () -> new KafkaConsumer<>(configuration, bytes, bytes),
        new DecisionTail(() -> new KafkaConsumer<>(following, bytes, bytes), ticker),
        ticker);
  }

  @Override
  public Latest latest(String pool, long after, int limit) throws IOException {
    return tail.latest(pool, after, limit);
  }

  @Override
  public void close() {
    tail.close();
  }

  @Override
  public Optional<Decision> find(String id) throws IOException {
    OptionalLong madeAtMs = ConnectionIds.madeAtMs(id);
    if (madeAtMs.isEmpty()) {
      return Optional.empty();
    }
    if (!searches.tryAcquire()) {
      throw new IOException("another decision is being looked for, ask again");
    }
    try (Consumer<byte[], byte[]> consumer = consumers.get()) {
      return new Search(consumer, id, madeAtMs.getAsLong()).find();
    } catch (KafkaException unreadable) {
      throw new IOException(
          Topics.DECISIONS + " cannot be read: " + unreadable.getMessage(), unreadable);
    } finally {
      searches.release();
    }
  }

  /** One search through the records of the time in question. */
  private final class Search {
    private final Consumer<byte[], byte[]> consumer;
    private final String id;
    private final long madeAtMs;
    private final String written;
    private final Set<TopicPartition> unread = new HashSet<>();
    private final long deadlineNanos = ticker.nowNanos() + LIMIT.toNanos();

    Search(Consumer<byte[], byte[]> consumer, String id, long madeAtMs) {
      this.consumer = consumer;
      this.id = id;
      this.madeAtMs = madeAtMs;
      this.written = '"' + id + '"';
    }

    Optional<Decision> find() throws IOException {
      Map<TopicPartition, Long> ends = seek();
      while (!unread.isEmpty()) {
        if (ticker.nowNanos() > deadlineNanos) {
          throw new IOException("not found within " + LIMIT.toSeconds() + " s");
        }
        ConsumerRecords<byte[], byte[]> records = consumer.poll(POLL);
        for (TopicPartition partition : records.partitions()) {
          Optional<Decision> found = among(records.records(partition), partition);
          if (found.isPresent()) {
            return found;
          }
        }
        for (TopicPartition partition : List.copyOf(unread)) {
          if (consumer.position(partition, LIMIT) >= ends.getOrDefault(partition, 0L)) {
            done(partition);
          }
        }
      }
      return Optional.empty();
    }

    /** Goes to the time in every partition that has something from then on. */
    private Map<TopicPartition, Long> seek() {
      Map<TopicPartition, Long> times = new HashMap<>();
      consumer
          .partitionsFor(Topics.DECISIONS, LIMIT)
          .forEach(
              partition ->
                  times.put(
                      new TopicPartition(partition.topic(), partition.partition()),
                      Math.max(0, madeAtMs - EARLY_MS)));
      Map<TopicPartition, Long> offsets = new HashMap<>();
      for (Map.Entry<TopicPartition, OffsetAndTimestamp> first :
          consumer.offsetsForTimes(times, LIMIT).entrySet()) {
        if (first.getValue() != null) {
          offsets.put(first.getKey(), first.getValue().offset());
        }
      }
      unread.addAll(offsets.keySet());
      consumer.assign(unread);
      offsets.forEach(consumer::seek);
      return consumer.endOffsets(offsets.keySet(), LIMIT);
    }

    private Optional<Decision> among(
        List<ConsumerRecord<byte[], byte[]>> records, TopicPartition partition) {
      for (ConsumerRecord<byte[], byte[]> record : records) {
        if (record.timestamp() > madeAtMs + LATE_MS) {
          done(partition);
          break;
        }
        // Most are others: to look for the id is much cheaper than to decode.
        if (record.value() != null && new String(record.value(), ISO_8859_1).contains(written)) {
          Optional<Decision> decision = decode(record.value());
          if (decision.isPresent()) {
            return decision;
          }
        }
      }
      return Optional.empty();
    }

    private Optional<Decision> decode(byte[] json) {
      try {
        return Optional.of(RecordCodec.decodeDecision(json)).filter(d -> d.id().equals(id));
      } catch (UnreadableRecordException notOurs) {
        // The topology sends it to the dead letters.
        return Optional.empty();
      }
    }

    private void done(TopicPartition partition) {
      if (unread.remove(partition)) {
        consumer.pause(List.of(partition));
      }
    }
  }
}
