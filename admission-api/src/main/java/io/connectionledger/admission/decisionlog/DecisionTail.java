package io.connectionledger.admission.decisionlog;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.connectionledger.admission.decisionlog.DecisionArchive.Latest;
import io.connectionledger.model.Ticker;
import io.connectionledger.model.Topics;
import io.connectionledger.model.UnreadableRecordException;
import io.connectionledger.model.event.Decision;
import io.connectionledger.model.event.RecordCodec;
import io.connectionledger.streams.Partitions;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The latest decisions of the pools that somebody asks for, read from {@link Topics#DECISIONS} once
 * for all who ask. One thread reads, from the first question until nobody has asked for a while;
 * without questions this costs nothing. Thread-safe.
 */
final class DecisionTail implements AutoCloseable {

  private static final Logger LOGGER = LoggerFactory.getLogger(DecisionTail.class);

  private static final int KEPT = 500;

  /** Of a partition, before its end: others' records are among them. */
  private static final int READ_BACK = 2_000;

  /** Who is further behind than this shows nothing that is worth reading. */
  private static final int FAR_BEHIND = 10_000;

  private static final Duration POLL = Duration.ofMillis(200);
  private static final Duration PATIENCE = Duration.ofSeconds(5);
  private static final long IDLE_NANOS = Duration.ofSeconds(30).toNanos();

  private final Supplier<Consumer<byte[], byte[]>> consumers;
  private final Ticker ticker;

  /** Guarded by this, as the next three and what they hold. */
  private final Map<String, Tail> tails = new HashMap<>();

  private @Nullable Thread reader;
  private @Nullable String failure;
  private boolean closed;

  /** A record of the topic. */
  private record Read(long offset, Decision decision) {}

  /** What is kept of a pool. */
  private static final class Tail {
    final Deque<Read> latest = new ArrayDeque<>();
    long next;
    boolean caughtUp;
    long askedNanos;

    void add(long offset, @Nullable Decision decision) {
      if (offset >= next) {
        next = offset + 1;
        if (decision != null) {
          latest.add(new Read(offset, decision));
        }
        if (latest.size() > KEPT) {
          latest.remove();
        }
      }
    }
  }

  /**
   * Reads nothing yet.
   *
   * @param consumers makes the consumer of a reader, which closes it
   */
  DecisionTail(Supplier<Consumer<byte[], byte[]>> consumers, Ticker ticker) {
    this.consumers = consumers;
    this.ticker = ticker;
  }

  /** As {@link DecisionArchive#latest}. */
  synchronized Latest latest(String pool, long after, int limit) throws IOException {
    Tail tail = tails.computeIfAbsent(pool, first -> new Tail());
    tail.askedNanos = ticker.nowNanos();
    if (reader == null && !closed) {
      failure = null;
      reader = Thread.ofPlatform().name("decision-tail").daemon().start(this::read);
    }
    awaitRead(tail);
    // Of a topic that was made anew, nothing is known.
    long from = after > tail.next ? 0 : after;
    List<Read> found = tail.latest.stream().filter(read -> read.offset >= from).toList();
    int left = Math.max(0, found.size() - limit);
    boolean forgotten =
        from > 0 && tail.latest.size() == KEPT && tail.latest.getFirst().offset > from;
    return new Latest(
        found.subList(left, found.size()).stream().map(Read::decision).toList(),
        tail.next,
        from > 0 && (left > 0 || forgotten));
  }

  private void awaitRead(Tail tail) throws IOException {
    long deadlineNanos = ticker.nowNanos() + PATIENCE.toNanos();
    while (!tail.caughtUp) {
      long leftNanos = deadlineNanos - ticker.nowNanos();
      if (closed || failure != null || leftNanos <= 0) {
        throw new IOException(
            Topics.DECISIONS
                + " cannot be read now: "
                + (failure == null ? "no answer within " + PATIENCE.toSeconds() + " s" : failure));
      }
      try {
        TimeUnit.NANOSECONDS.timedWait(this, leftNanos);
      } catch (InterruptedException stopped) {
        Thread.currentThread().interrupt();
        throw new IOException("the instance is stopping", stopped);
      }
    }
  }

  private void read() {
    try (Consumer<byte[], byte[]> consumer = consumers.get()) {
      int partitions = consumer.partitionsFor(Topics.DECISIONS, PATIENCE).size();
      Set<String> followed = new HashSet<>();
      Map<TopicPartition, Long> ends = new HashMap<>();
      while (prune()) {
        Set<String> wanted = wanted();
        if (!wanted.equals(followed)) {
          follow(consumer, wanted, followed, partitions, ends);
          followed = wanted;
        }
        for (ConsumerRecord<byte[], byte[]> record : consumer.poll(POLL)) {
          take(record);
        }
        for (TopicPartition partition : List.copyOf(consumer.assignment())) {
          settle(consumer, partition, ends.getOrDefault(partition, 0L), partitions);
        }
      }
    } catch (KafkaException unreadable) {
      fail(unreadable);
    } catch (RuntimeException bug) {
      // Who asks next has it tried again.
      LOGGER.atError().setCause(bug).log("The latest decisions are not read");
      fail(bug);
    }
  }

  /** Goes back a little in the partitions of the pools that are new. */
  private static void follow(
      Consumer<byte[], byte[]> consumer,
      Set<String> wanted,
      Set<String> followed,
      int partitions,
      Map<TopicPartition, Long> ends) {
    Set<TopicPartition> all = new HashSet<>();
    Set<TopicPartition> fresh = new HashSet<>();
    for (String pool : wanted) {
      TopicPartition partition = partition(pool, partitions);
      all.add(partition);
      if (!followed.contains(pool)) {
        fresh.add(partition);
      }
    }
    consumer.assign(all);
    Map<TopicPartition, Long> beginnings = consumer.beginningOffsets(fresh, PATIENCE);
    consumer
        .endOffsets(fresh, PATIENCE)
        .forEach(
            (partition, end) -> {
              ends.put(partition, end);
              consumer.seek(
                  partition, Math.max(beginnings.getOrDefault(partition, 0L), end - READ_BACK));
            });
  }

  private static TopicPartition partition(String pool, int partitions) {
    return new TopicPartition(Topics.DECISIONS, Partitions.of(pool, partitions));
  }

  private synchronized void take(ConsumerRecord<byte[], byte[]> record) {
    Tail tail = record.key() == null ? null : tails.get(new String(record.key(), UTF_8));
    if (tail != null && record.offset() >= tail.next) {
      tail.add(record.offset(), decode(record.value()));
    }
  }

  private static @Nullable Decision decode(byte @Nullable [] json) {
    if (json == null) {
      return null;
    }
    try {
      return RecordCodec.decodeDecision(json);
    } catch (UnreadableRecordException notOurs) {
      // The topology sends it to the dead letters.
      return null;
    }
  }

  private void settle(
      Consumer<byte[], byte[]> consumer, TopicPartition partition, long end, int partitions) {
    long position = consumer.position(partition, PATIENCE);
    long lag = consumer.currentLag(partition).orElse(0);
    if (lag > FAR_BEHIND) {
      consumer.seek(partition, position + lag - KEPT);
    }
    if (position >= end) {
      caughtUp(partition, partitions);
    }
  }

  private synchronized void caughtUp(TopicPartition partition, int partitions) {
    tails.forEach(
        (pool, tail) -> {
          if (!tail.caughtUp && partition(pool, partitions).equals(partition)) {
            tail.caughtUp = true;
          }
        });
    notifyAll();
  }

  private synchronized Set<String> wanted() {
    return Set.copyOf(tails.keySet());
  }

  /** Forgets what nobody asks for; whether anything is left to read. */
  private synchronized boolean prune() {
    long nowNanos = ticker.nowNanos();
    tails.values().removeIf(tail -> nowNanos - tail.askedNanos >= IDLE_NANOS);
    if (tails.isEmpty() || closed) {
      reader = null;
      return false;
    }
    return true;
  }

  private synchronized void fail(RuntimeException unreadable) {
    failure = String.valueOf(unreadable.getMessage());
    tails.clear();
    reader = null;
    notifyAll();
  }

  /** Returns when nothing is read any more. */
  @Override
  public void close() {
    Thread last;
    synchronized (this) {
      closed = true;
      last = reader;
      notifyAll();
    }
    if (last != null) {
      try {
        last.join(PATIENCE);
      } catch (InterruptedException stopped) {
        Thread.currentThread().interrupt();
      }
    }
  }
}
