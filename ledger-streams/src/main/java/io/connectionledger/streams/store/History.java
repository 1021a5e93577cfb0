package io.connectionledger.streams.store;

import io.connectionledger.model.PodAddress;
import io.connectionledger.model.event.ConnectionEvent;
import io.connectionledger.model.event.Decision;
import io.connectionledger.model.event.EnvoyRejection;
import io.connectionledger.model.event.LedgerRecord;
import io.connectionledger.model.event.RejectionReason;
import io.connectionledger.streams.Window;
import io.connectionledger.streams.rules.ScalingRule;
import io.connectionledger.streams.store.StoreCodec.Tally;
import java.time.Duration;
import java.time.Instant;
import java.util.Set;
import java.util.function.BiConsumer;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.kstream.Windowed;
import org.apache.kafka.streams.state.KeyValueIterator;
import org.apache.kafka.streams.state.ReadOnlyWindowStore;
import org.apache.kafka.streams.state.WindowStore;
import org.apache.kafka.streams.state.WindowStoreIterator;
import org.jspecify.annotations.Nullable;

/**
 * What happened when: how much of each kind the records tell of a pool and of a pod, in buckets of
 * {@link #BUCKET}. Each count remembers the offset of its last record, so that records which Kafka
 * Streams processes again after a crash are counted once.
 *
 * <p>A key is {@code pool||kind} for a pool and {@code pool|pod|kind} for a pod, but {@code
 * pool|rejected|pod|reason} for a pod's rejections, so that a query reads them in one go however
 * many pods there are. {@code pool|open} is how many connections were open when that last changed.
 */
public final class History {

  /** The grain of every window: how coarse its edges are. */
  public static final Duration BUCKET = Duration.ofSeconds(10);

  /** The longest window, the bucket that sticks out of it and one that is still being filled. */
  public static final Duration RETENTION = Window.ONE_HOUR.length().plus(BUCKET.multipliedBy(3));

  /** What counts as demand for more pods: who was turned away only because none had room. */
  private static final Set<String> FOR_WANT_OF_ROOM =
      Set.of(RejectionReason.POD_LIMIT.label(), RejectionReason.NO_PODS.label());

  private static final String OPENED = "opened";
  private static final String CLOSED = "closed";
  private static final String FAILED = "failed";
  private static final String REJECTED = "rejected.";
  private static final String REJECTED_BY_POD = "|rejected|";

  /** Follow the last character of the prefixes above. */
  private static final String REJECTED_END = "rejected/";

  private static final String REJECTED_BY_POD_END = "|rejected}";

  /** Between a pool and a kind, and what follows it: all kinds of a pool, none of a pod's. */
  private static final String OF_POOL = "||";

  private static final String OF_POOL_END = "|}";

  /** No kind: what reads all of these would take it for one. */
  private static final String OPEN = "|open";

  private History() {}

  /**
   * Counts a record.
   *
   * @param pod the pod of the policy that it is about; null for none
   * @param timestampMs when it happened
   */
  public static void count(
      WindowStore<String, byte[]> store,
      LedgerRecord record,
      @Nullable PodAddress pod,
      long offset,
      long timestampMs) {
    Counter counter = new Counter(store, record.pool(), offset, bucketOf(timestampMs));
    switch (record) {
      case ConnectionEvent.Opened e -> counter.event(pod, OPENED);
      case ConnectionEvent.Closed e -> counter.event(pod, CLOSED);
      case ConnectionEvent.Failed e ->
          EnvoyRejection.of(e.reason())
              .ifPresentOrElse(
                  rejection -> counter.rejection(pod, rejection.label(), 1),
                  () -> counter.event(pod, FAILED));
      case Decision.Rejected d -> counter.rejection(pod, d.reason().label(), d.attempts());
      case ConnectionEvent.Alive e -> {}
      case Decision.Allowed d -> {}
    }
  }

  /** Keeps how many connections of a pool are open now. */
  public static void open(WindowStore<String, byte[]> store, String pool, int count, long nowMs) {
    store.put(pool + OPEN, StoreCodec.tally(new Tally(count, 0)), bucketOf(nowMs));
  }

  private static long bucketOf(long timestampMs) {
    return timestampMs - Math.floorMod(timestampMs, BUCKET.toMillis());
  }

  private record Counter(
      WindowStore<String, byte[]> store, String pool, long offset, long bucketMs) {

    void event(@Nullable PodAddress pod, String kind) {
      add(1, pool + "||" + kind);
      if (pod != null) {
        add(1, pool + '|' + pod + '|' + kind);
      }
    }

    void rejection(@Nullable PodAddress pod, String reason, int count) {
      add(count, pool + "||" + REJECTED + reason);
      if (pod != null) {
        add(count, pool + REJECTED_BY_POD + pod + '|' + reason);
      }
    }

    private void add(int count, String key) {
      Tally tally = StoreCodec.tally(store.fetch(key, bucketMs));
      if (offset > tally.lastOffset()) {
        store.put(key, StoreCodec.tally(new Tally(tally.count() + count, offset)), bucketMs);
      }
    }
  }

  /** The rejections of a pool in the windows that end at {@code nowMs}. */
  public static Rejected rejected(
      ReadOnlyWindowStore<String, byte[]> store, String pool, long nowMs) {
    Rejected rejected = new Rejected(nowMs);
    readOfPool(store, pool, nowMs, Window.ONE_HOUR.length(), rejected);
    String ofPods = pool + REJECTED_BY_POD;
    read(
        store,
        ofPods,
        pool + REJECTED_BY_POD_END,
        nowMs,
        Window.ONE_HOUR.length(),
        (key, bucket) -> {
          int separator = key.lastIndexOf('|');
          String reason = key.substring(separator + 1);
          long count = StoreCodec.tally(bucket.value).count();
          PodAddress.find(key.substring(ofPods.length(), separator))
              .ifPresent(pod -> rejected.pod(pod).add(reason, bucket.key, count));
        });
    return rejected;
  }

  /**
   * {@link Rejected#latelyForWantOfRoom}, for the price of the last minute and however many pods.
   */
  public static long latelyForWantOfRoom(
      ReadOnlyWindowStore<String, byte[]> store, String pool, long nowMs) {
    Rejected rejected = new Rejected(nowMs);
    readOfPool(store, pool, nowMs, ScalingRule.LATELY, rejected);
    return rejected.latelyForWantOfRoom();
  }

  /** All that the last hour had of a pool, whatever its pods. */
  public static Counts counts(ReadOnlyWindowStore<String, byte[]> store, String pool, long nowMs) {
    Counts counts = new Counts(nowMs);
    String ofPool = pool + OF_POOL;
    read(
        store,
        ofPool,
        pool + OF_POOL_END,
        nowMs,
        Window.ONE_HOUR.length(),
        (key, bucket) -> {
          String kind = key.substring(ofPool.length());
          long count = StoreCodec.tally(bucket.value).count();
          switch (kind) {
            case OPENED -> counts.opened(bucket.key, count);
            case CLOSED -> counts.closed(bucket.key, count);
            case FAILED -> counts.failed(bucket.key, count);
            default -> counts.rejected(kind.substring(REJECTED.length()), bucket.key, count);
          }
        });
    try (WindowStoreIterator<byte[]> open =
        store.fetch(
            pool + OPEN, from(nowMs, Window.ONE_HOUR.length()), Instant.ofEpochMilli(nowMs))) {
      open.forEachRemaining(
          bucket -> counts.open(bucket.key, StoreCodec.tally(bucket.value).count()));
    }
    return counts;
  }

  private static void readOfPool(
      ReadOnlyWindowStore<String, byte[]> store,
      String pool,
      long nowMs,
      Duration length,
      Rejected rejected) {
    String ofPool = pool + "||" + REJECTED;
    read(
        store,
        ofPool,
        pool + "||" + REJECTED_END,
        nowMs,
        length,
        (key, bucket) -> {
          String reason = key.substring(ofPool.length());
          long count = StoreCodec.tally(bucket.value).count();
          rejected.pool().add(reason, bucket.key, count);
          if (FOR_WANT_OF_ROOM.contains(reason)) {
            rejected.addForWantOfRoom(bucket.key, count);
          }
        });
  }

  private static void read(
      ReadOnlyWindowStore<String, byte[]> store,
      String fromKey,
      String toKey,
      long nowMs,
      Duration length,
      BiConsumer<String, KeyValue<Long, byte[]>> bucket) {
    try (KeyValueIterator<Windowed<String>, byte[]> all =
        store.fetch(fromKey, toKey, from(nowMs, length), Instant.ofEpochMilli(nowMs))) {
      all.forEachRemaining(
          entry ->
              bucket.accept(
                  entry.key.key(), KeyValue.pair(entry.key.window().start(), entry.value)));
    }
  }

  /** The bucket that sticks out of the window is a part of it. */
  private static Instant from(long nowMs, Duration length) {
    return Instant.ofEpochMilli(nowMs).minus(length).minus(BUCKET).plusMillis(1);
  }
}
