package io.connectionledger.ingest;

import io.connectionledger.model.Ticker;
import io.connectionledger.model.event.ConnectionIds;
import io.connectionledger.model.event.Presence;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Tells the ledger which Envoys are heard here, each {@link Presence#INTERVAL} and soon after a
 * stream begins or an Envoy's last one ends. Thread-safe.
 *
 * <p>Many Envoys do not fit into one record, which Kafka would refuse: they are told as those of
 * several ingests, with an Envoy in the same one for as long as it has a stream.
 *
 * <p>{@link #close} says nothing: an ingest that goes away makes no Envoy look dead.
 */
final class PresenceBeacon implements AutoCloseable {

  private static final Logger LOGGER = LoggerFactory.getLogger(PresenceBeacon.class);

  /** Changes within this time are told together, as when all Envoys come back at once. */
  private static final long GATHER_MS = 50;

  /** More are refused; so many each run of the ledger watches. */
  static final int MAX_ENVOYS = 10_000;

  /** More are refused: an Envoy has one for each worker and access log. */
  static final int MAX_STREAMS_OF_AN_ENVOY = 256;

  /** So many fit, with the longest ids, into what every topic must take in one record. */
  static final int ENVOYS_OF_A_RECORD = 200;

  private final String ingest;
  private final Ticker ticker;
  private final Consumer<Presence> publish;
  private final Supplier<List<String>> problems;
  private final Map<String, Streams> streams = new HashMap<>();

  /** The streams of whose last message Kafka has not everything, and when that came. */
  private final Map<Object, Long> unsettledSinceMs = new ConcurrentHashMap<>();

  private final AtomicBoolean told = new AtomicBoolean(true);
  private long begun;
  private final ScheduledExecutorService thread =
      Executors.newSingleThreadScheduledExecutor(
          Thread.ofPlatform().name("presence").daemon().factory());

  /** The Envoys of each record: as many records are told as there ever were, empty ones, too. */
  private final List<Set<String>> records = new ArrayList<>();

  /** Of an Envoy: how many it has open, the number of the last, and the record it is told in. */
  private record Streams(int open, long latest, int record) {}

  /**
   * Starts telling.
   *
   * @param problems what is wrong with the Envoys here, a sentence each
   * @param publish is called on one thread, one presence after the other; it may wait
   */
  PresenceBeacon(Ticker ticker, Supplier<List<String>> problems, Consumer<Presence> publish) {
    this.ingest = ConnectionIds.next(ticker.nowMs());
    this.ticker = ticker;
    this.problems = problems;
    this.publish = publish;
    // With a fixed delay: while Kafka is away, one presence waits, not one for every second.
    var unused =
        thread.scheduleWithFixedDelay(
            this::tell, 0, Presence.INTERVAL.toMillis(), TimeUnit.MILLISECONDS);
  }

  /**
   * A stream of {@code envoy} has begun.
   *
   * @return why it is refused; null when it is not, and is then to be {@link #detached}
   */
  @Nullable String attached(String envoy) {
    synchronized (streams) {
      Streams before = streams.get(envoy);
      if (before == null && streams.size() >= MAX_ENVOYS) {
        return "more than " + MAX_ENVOYS + " Envoys have access-log streams to this instance";
      }
      if (before != null && before.open >= MAX_STREAMS_OF_AN_ENVOY) {
        return "an Envoy has more than " + MAX_STREAMS_OF_AN_ENVOY + " access-log streams";
      }
      int record = before == null ? put(envoy) : before.record;
      streams.put(envoy, new Streams(before == null ? 1 : before.open + 1, ++begun, record));
    }
    tellSoon();
    return null;
  }

  /** Into the first record with room: an Envoy stays where it is, as long as it has a stream. */
  private int put(String envoy) {
    int record = 0;
    while (record < records.size() && records.get(record).size() >= ENVOYS_OF_A_RECORD) {
      record++;
    }
    if (record == records.size()) {
      records.add(new HashSet<>());
    }
    records.get(record).add(envoy);
    return record;
  }

  /** A stream of {@code envoy} has ended. */
  void detached(String envoy) {
    synchronized (streams) {
      Streams all = streams.get(envoy);
      if (all != null && all.open > 1) {
        streams.put(envoy, new Streams(all.open - 1, all.latest, all.record));
        return;
      }
      if (all != null) {
        streams.remove(envoy);
        records.get(all.record).remove(envoy);
      }
    }
    tellSoon();
  }

  /** A message of {@code stream} came: it is behind until it is {@link #settled}. */
  void came(Object stream) {
    unsettledSinceMs.put(stream, ticker.nowMs());
  }

  /** Kafka has everything of the last message of {@code stream}, or never will. */
  void settled(Object stream) {
    unsettledSinceMs.remove(stream);
  }

  /**
   * For how long Kafka has not taken something that was heard. Nothing more is asked of a stream
   * until its last message is settled, so that Envoys look silent while Kafka is slow. Null when
   * there is nothing.
   */
  private @Nullable Long behindMs(long nowMs) {
    long sinceMs = nowMs;
    for (long each : unsettledSinceMs.values()) {
      sinceMs = Math.min(sinceMs, each);
    }
    return sinceMs == nowMs ? null : (Long) (nowMs - sinceMs);
  }

  private void tellSoon() {
    if (told.compareAndSet(true, false) && !thread.isShutdown()) {
      var unused = thread.schedule(this::tell, GATHER_MS, TimeUnit.MILLISECONDS);
    }
  }

  private void tell() {
    told.set(true);
    try {
      List<String> wrong = problems.get();
      List<Map<String, Long>> all = envoys();
      long nowMs = ticker.nowMs();
      Long behindMs = behindMs(nowMs);
      for (int record = 0; record < all.size(); record++) {
        // Each is an ingest of its own to whoever reads: so they need not know of each other.
        String name = record == 0 ? ingest : ingest + '-' + record;
        publish.accept(
            new Presence(name, all.get(record), nowMs, behindMs, record == 0 ? wrong : List.of()));
      }
    } catch (RuntimeException failure) {
      // The next one comes within the interval; an exception would end the schedule.
      LOGGER.atWarn().addKeyValue("error", failure.toString()).log("Presence was not written");
    }
  }

  private List<Map<String, Long>> envoys() {
    synchronized (streams) {
      List<Map<String, Long>> all = new ArrayList<>();
      for (Set<String> nodes : records) {
        Map<String, Long> latest = new HashMap<>();
        for (String node : nodes) {
          latest.put(node, Objects.requireNonNull(streams.get(node)).latest);
        }
        all.add(latest);
      }
      return all.isEmpty() ? List.of(Map.of()) : all;
    }
  }

  /** Stops telling, before the streams end. Idempotent. */
  @Override
  public void close() {
    thread.shutdownNow();
  }
}
