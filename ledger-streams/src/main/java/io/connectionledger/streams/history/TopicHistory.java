package io.connectionledger.streams.history;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.connectionledger.model.Topics;
import io.connectionledger.model.UnreadableRecordException;
import io.connectionledger.model.endpoints.DiscoveredPods;
import io.connectionledger.model.endpoints.PoolEndpoints;
import io.connectionledger.model.event.LedgerRecord;
import io.connectionledger.model.event.RecordCodec;
import io.connectionledger.model.policy.PolicyCodec;
import io.connectionledger.model.policy.PolicyRecord;
import io.connectionledger.streams.Partitions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.UnaryOperator;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndTimestamp;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.PartitionInfo;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.jspecify.annotations.Nullable;

/**
 * Reads the past from the topics: decisions, events and presences between two moments, and every
 * policy that counted then. Not thread-safe.
 */
public final class TopicHistory implements AutoCloseable {

  /** Of the records of one moment, the earlier topic's come first. */
  private static final List<String> TOPICS =
      List.of(Topics.ENVOYS, Topics.DECISIONS, Topics.CONNECTIONS);

  private static final Duration ANSWER = Duration.ofSeconds(10);
  private static final Duration POLL = Duration.ofMillis(100);

  /** A first record that is later than asked for by no more than this hides nothing of weight. */
  private static final long AS_GOOD_AS_THEN_MS = 1_000;

  /** How many records are read between two words of progress. */
  private static final int STEP = 500;

  private final Consumer<byte[], byte[]> consumer;

  /** Is told how far the reading has come, now and then. */
  @FunctionalInterface
  public interface Progress {

    /**
     * So many of so many records are read.
     *
     * @throws HistoryUnavailableException to read no further
     */
    void read(long records, long total) throws HistoryUnavailableException;
  }

  /**
   * What the topics did not have.
   *
   * @param reachBackTo topics that do not have everything from the first moment on any more, each
   *     with the time from which on they have everything, milliseconds since the epoch; the last
   *     moment when they have nothing that old
   * @param laterPolicies pools whose policy at the last moment is not known any more, each with the
   *     time of the one that was taken instead: the earliest that is known
   * @param presentPods pools that have the pods that Kubernetes has now, in place of then
   * @param unreadable records that nobody could read, which {@link Topics#DEAD_LETTERS} has too
   */
  public record Gaps(
      Map<String, Long> reachBackTo,
      Map<String, Long> laterPolicies,
      Set<String> presentPods,
      long unreadable) {}

  /** Takes what is read; the consumer's name is Kafka's here. */
  private interface RecordReader {
    void read(ConsumerRecord<byte[], byte[]> record);
  }

  private record PolicyAt(int partition, PolicyRecord record, long atMs) {}

  TopicHistory(Consumer<byte[], byte[]> consumer) {
    this.consumer = consumer;
  }

  /**
   * One that connects when it is asked.
   *
   * @param kafka where the brokers are, and whatever else of a client's configuration
   */
  public static TopicHistory over(Map<String, Object> kafka) {
    Map<String, Object> configuration = new HashMap<>(kafka);
    configuration.put(ConsumerConfig.CLIENT_ID_CONFIG, "ledger-history");
    configuration.put(ConsumerConfig.ENABLE_AUTO_COMMIT_CONFIG, false);
    configuration.put(ConsumerConfig.ALLOW_AUTO_CREATE_TOPICS_CONFIG, false);
    configuration.put(ConsumerConfig.ENABLE_METRICS_PUSH_CONFIG, false);
    // What it reads is there; a fetch that waits for more would keep the consumer from closing.
    configuration.put(ConsumerConfig.FETCH_MAX_WAIT_MS_CONFIG, 0);
    // What retention deletes while it is read is skipped, not an error.
    configuration.put(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG, "earliest");
    configuration.put(
        ConsumerConfig.DEFAULT_API_TIMEOUT_MS_CONFIG, Math.toIntExact(ANSWER.toMillis()));
    ByteArrayDeserializer bytes = new ByteArrayDeserializer();
    return new TopicHistory(new KafkaConsumer<>(configuration, bytes, bytes));
  }

  /**
   * Reads what was written from {@code fromMs} to {@code toMs}, both included.
   *
   * @param pool whose partition is read; null for all
   * @throws HistoryUnavailableException when Kafka does not have it now
   */
  public Gaps read(
      @Nullable String pool, long fromMs, long toMs, HistoryListener past, Progress progress)
      throws HistoryUnavailableException {
    try {
      Set<Integer> partitions = partitions(pool);
      return new Reading(partitions, fromMs, toMs, past).run(progress);
    } catch (KafkaException unreadable) {
      throw new HistoryUnavailableException(
          "the topics cannot be read: " + unreadable.getMessage(), unreadable);
    }
  }

  private Set<Integer> partitions(@Nullable String pool) throws HistoryUnavailableException {
    List<PartitionInfo> partitions = consumer.partitionsFor(Topics.DECISIONS, ANSWER);
    int count = partitions == null ? 0 : partitions.size();
    if (count == 0) {
      throw new HistoryUnavailableException("there is no topic " + Topics.DECISIONS);
    }
    return pool == null
        ? IntStream.range(0, count).boxed().collect(Collectors.toSet())
        : Set.of(Partitions.of(pool, count));
  }

  @Override
  public void close() {
    consumer.close();
  }

  private static List<TopicPartition> partitionsOf(String topic, Collection<Integer> partitions) {
    return partitions.stream().sorted().map(number -> new TopicPartition(topic, number)).toList();
  }

  /** One passage through the topics. */
  private final class Reading {
    private final Set<Integer> partitions;
    private final long fromMs;
    private final long toMs;
    private final HistoryListener past;
    private final Map<String, Long> reachBackTo = new TreeMap<>();
    private final Map<String, Long> laterPolicies = new TreeMap<>();
    private final Set<String> presentPods = new TreeSet<>();

    /** Partitions that lack records from before their first one here. */
    private final Set<TopicPartition> cut = new HashSet<>();

    private long unreadable;

    Reading(Set<Integer> partitions, long fromMs, long toMs, HistoryListener past) {
      this.partitions = partitions;
      this.fromMs = fromMs;
      this.toMs = toMs;
      this.past = past;
    }

    Gaps run(Progress progress) throws HistoryUnavailableException {
      List<PolicyAt> policies = policies();
      Map<TopicPartition, Long> ends = new LinkedHashMap<>();
      long total = seek(ends);
      progress.read(0, total);
      TimestampMerger records = new TimestampMerger(consumer, ends);
      int nextPolicy = 0;
      long read = 0;
      while (!records.isDone()) {
        ConsumerRecord<byte[], byte[]> record = records.next();
        if (record == null) {
          records.poll();
          progress.read(read, total);
          continue;
        }
        while (nextPolicy < policies.size()
            && policies.get(nextPolicy).atMs <= record.timestamp()) {
          tell(policies.get(nextPolicy++));
        }
        hand(record);
        if (++read % STEP == 0) {
          progress.read(read, total);
        }
      }
      while (nextPolicy < policies.size()) {
        tell(policies.get(nextPolicy++));
      }
      progress.read(total, total);
      cut.forEach(partition -> reachBackTo.merge(partition.topic(), toMs, Math::max));
      return new Gaps(reachBackTo, laterPolicies, presentPods, unreadable);
    }

    private void tell(PolicyAt policy) {
      past.policy(policy.partition, policy.record, policy.atMs);
    }

    /**
     * The policies up to the last moment, the earliest of each pool as if it had always been there:
     * records of the pool may be older than what compaction has left.
     */
    private List<PolicyAt> policies() {
      List<PolicyAt> all = new ArrayList<>();
      readAll(partitionsOf(Topics.POLICIES, partitions), record -> read(record, all));
      if (all.stream().anyMatch(policy -> policy.record.policy().kubernetes() != null)) {
        all.replaceAll(resolver());
      }
      all.sort(Comparator.comparingLong(PolicyAt::atMs));
      Map<String, PolicyAt> earliest = new TreeMap<>();
      all.forEach(policy -> earliest.putIfAbsent(policy.record.pool(), policy));
      List<PolicyAt> counting = new ArrayList<>();
      earliest.forEach(
          (pool, policy) -> {
            if (policy.atMs > toMs) {
              laterPolicies.put(pool, policy.atMs);
            }
            counting.add(
                new PolicyAt(policy.partition, policy.record, Math.min(policy.atMs, fromMs)));
          });
      all.stream()
          .filter(
              policy -> policy.atMs <= toMs && !policy.equals(earliest.get(policy.record.pool())))
          .forEach(counting::add);
      counting.sort(Comparator.comparingLong(PolicyAt::atMs));
      return counting;
    }

    private void readAll(List<TopicPartition> topic, RecordReader reader) {
      consumer.assign(topic);
      consumer.seekToBeginning(topic);
      Map<TopicPartition, Long> ends = consumer.endOffsets(topic, ANSWER);
      while (ends.entrySet().stream()
          .anyMatch(end -> consumer.position(end.getKey(), ANSWER) < end.getValue())) {
        consumer.poll(POLL).forEach(reader::read);
      }
    }

    /** Gives policies the pods that Kubernetes has now: which it had then is not kept. */
    private UnaryOperator<PolicyAt> resolver() {
      Map<String, Map<String, PoolEndpoints>> slices = new HashMap<>();
      List<TopicPartition> all =
          consumer.partitionsFor(Topics.ENDPOINTS, ANSWER).stream()
              .map(partition -> new TopicPartition(Topics.ENDPOINTS, partition.partition()))
              .toList();
      readAll(all, record -> readEndpoints(record, slices));
      return policy -> {
        if (policy.record.policy().kubernetes() == null) {
          return policy;
        }
        String pool = policy.record.pool();
        presentPods.add(pool);
        DiscoveredPods found =
            DiscoveredPods.of(slices.getOrDefault(pool, Map.of()).values(), null);
        return new PolicyAt(policy.partition, policy.record.resolved(found, Set.of()), policy.atMs);
      };
    }

    private void readEndpoints(
        ConsumerRecord<byte[], byte[]> record, Map<String, Map<String, PoolEndpoints>> slices) {
      String key = record.key() == null ? "" : new String(record.key(), UTF_8);
      try {
        if (record.value() == null) {
          slices.values().forEach(ofPool -> ofPool.remove(key));
        } else {
          PoolEndpoints slice = RecordCodec.decodeEndpoints(record.value());
          slices.computeIfAbsent(slice.pool(), pool -> new HashMap<>()).put(key, slice);
        }
      } catch (UnreadableRecordException notOurs) {
        unreadable++;
      }
    }

    private void read(ConsumerRecord<byte[], byte[]> record, List<PolicyAt> policies) {
      if (record.value() == null) {
        return;
      }
      try {
        policies.add(
            new PolicyAt(
                record.partition(), PolicyCodec.decode(record.value()), record.timestamp()));
      } catch (UnreadableRecordException notOurs) {
        unreadable++;
      }
    }

    /**
     * Goes to the first moment in every partition.
     *
     * @param ends takes the offset after the last record of each
     * @return how many records there are
     */
    private long seek(Map<TopicPartition, Long> ends) {
      List<TopicPartition> all =
          TOPICS.stream().flatMap(topic -> partitionsOf(topic, partitions).stream()).toList();
      consumer.assign(all);
      Map<TopicPartition, Long> first = consumer.beginningOffsets(all, ANSWER);
      Map<TopicPartition, Long> last = consumer.endOffsets(all, ANSWER);
      Map<TopicPartition, Long> from = offsets(all, fromMs, last);
      Map<TopicPartition, Long> to = offsets(all, toMs + 1, last);
      long total = 0;
      for (TopicPartition partition : all) {
        long start = of(from, partition);
        long end = Math.max(start, of(to, partition));
        if (start > 0 && start == of(first, partition)) {
          cut.add(partition);
        }
        consumer.seek(partition, start);
        ends.put(partition, end);
        total += end - start;
      }
      return total;
    }

    private Map<TopicPartition, Long> offsets(
        List<TopicPartition> all, long atMs, Map<TopicPartition, Long> last) {
      Map<TopicPartition, Long> times =
          all.stream().collect(Collectors.toMap(partition -> partition, partition -> atMs));
      Map<TopicPartition, Long> offsets = new HashMap<>(last);
      for (Map.Entry<TopicPartition, OffsetAndTimestamp> found :
          consumer.offsetsForTimes(times, ANSWER).entrySet()) {
        if (found.getValue() != null) {
          offsets.put(found.getKey(), found.getValue().offset());
        }
      }
      return offsets;
    }

    private static long of(Map<TopicPartition, Long> offsets, TopicPartition partition) {
      return Objects.requireNonNull(offsets.get(partition), partition::toString);
    }

    private void hand(ConsumerRecord<byte[], byte[]> record) {
      if (cut.remove(new TopicPartition(record.topic(), record.partition()))
          && record.timestamp() > fromMs + AS_GOOD_AS_THEN_MS) {
        reachBackTo.merge(record.topic(), record.timestamp(), Math::max);
      }
      try {
        if (record.value() == null) {
          throw new UnreadableRecordException("the value is missing");
        }
        switch (record.topic()) {
          case Topics.ENVOYS ->
              past.presence(
                  record.partition(),
                  RecordCodec.decodePresence(record.value()),
                  record.timestamp());
          case Topics.DECISIONS -> hand(record, RecordCodec.decodeDecision(record.value()));
          default -> hand(record, RecordCodec.decodeEvent(record.value()));
        }
      } catch (UnreadableRecordException notOurs) {
        unreadable++;
      }
    }

    private void hand(ConsumerRecord<byte[], byte[]> record, LedgerRecord value)
        throws UnreadableRecordException {
      if (record.key() == null || !value.pool().equals(new String(record.key(), UTF_8))) {
        throw new UnreadableRecordException("the key is not the pool of the value");
      }
      past.record(record.partition(), value, record.timestamp());
    }
  }
}
