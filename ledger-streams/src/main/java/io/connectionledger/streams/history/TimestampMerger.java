package io.connectionledger.streams.history;

import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.PriorityQueue;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.TopicPartition;
import org.jspecify.annotations.Nullable;

/**
 * The records of several partitions as one sequence: of those that come next in their partitions
 * the earliest comes first, as when Kafka Streams reads them. None is handed out before every
 * partition has shown its next one, so that the order does not depend on what the brokers send
 * first; a partition that is ahead is not read on meanwhile, so that the memory is bounded. Not
 * thread-safe.
 */
final class TimestampMerger {

  private static final Duration POLL = Duration.ofMillis(100);
  private static final Duration ANSWER = Duration.ofSeconds(10);

  /** Records of one partition that wait for the others. */
  private static final int MAX_WAITING = 2_000;

  private final Consumer<byte[], byte[]> consumer;
  private final Map<TopicPartition, Source> sources = new HashMap<>();
  private final List<Source> empty = new ArrayList<>();
  private final PriorityQueue<Source> waiting =
      new PriorityQueue<>(
          Comparator.comparingLong(Source::nextMs).thenComparingInt(source -> source.rank));

  /** One partition. */
  private static final class Source {
    final TopicPartition partition;
    final int rank;
    final long end;
    final ArrayDeque<ConsumerRecord<byte[], byte[]>> records = new ArrayDeque<>();
    boolean read;
    boolean paused;

    Source(TopicPartition partition, int rank, long end) {
      this.partition = partition;
      this.rank = rank;
      this.end = end;
    }

    long nextMs() {
      return records.getFirst().timestamp();
    }
  }

  /**
   * The records from where {@code consumer} stands in each of its partitions.
   *
   * @param consumer assigned to exactly these partitions
   * @param ends the offset after the last record of each; of records of the same time, those of the
   *     partition that stands first here come first
   */
  TimestampMerger(Consumer<byte[], byte[]> consumer, Map<TopicPartition, Long> ends) {
    this.consumer = consumer;
    ends.forEach(
        (partition, end) -> {
          Source source = new Source(partition, sources.size(), end);
          sources.put(partition, source);
          settle(source);
          if (!source.read) {
            empty.add(source);
          }
        });
  }

  /** The next one; null when everything is handed out or {@link #poll} has to be called first. */
  @Nullable ConsumerRecord<byte[], byte[]> next() {
    Source source = empty.isEmpty() ? waiting.poll() : null;
    if (source == null) {
      return null;
    }
    ConsumerRecord<byte[], byte[]> record = source.records.removeFirst();
    if (!source.records.isEmpty()) {
      waiting.add(source);
    } else if (!source.read) {
      empty.add(source);
    }
    if (source.paused && source.records.size() < MAX_WAITING / 2) {
      source.paused = false;
      consumer.resume(List.of(source.partition));
    }
    return record;
  }

  /** Whether {@link #next} has handed out everything. */
  boolean isDone() {
    return empty.isEmpty() && waiting.isEmpty();
  }

  /** Asks Kafka for more, for a moment. */
  void poll() {
    var polled = consumer.poll(POLL);
    for (TopicPartition partition : polled.partitions()) {
      Source source = sources.get(partition);
      if (source != null) {
        take(source, polled.records(partition));
      }
    }
    for (Source source : List.copyOf(empty)) {
      settle(source);
      if (source.read || !source.records.isEmpty()) {
        empty.remove(source);
      }
    }
  }

  private void take(Source source, Collection<ConsumerRecord<byte[], byte[]>> records) {
    boolean wasEmpty = source.records.isEmpty();
    for (ConsumerRecord<byte[], byte[]> record : records) {
      if (record.offset() < source.end) {
        source.records.add(record);
      }
    }
    settle(source);
    if (wasEmpty && !source.records.isEmpty()) {
      waiting.add(source);
    }
    if (!source.read && source.records.size() >= MAX_WAITING) {
      source.paused = true;
      consumer.pause(List.of(source.partition));
    }
  }

  private void settle(Source source) {
    if (!source.read && consumer.position(source.partition, ANSWER) >= source.end) {
      source.read = true;
      source.paused = false;
      consumer.pause(List.of(source.partition));
    }
  }
}
