package io.connectionledger.streams;

import io.connectionledger.model.ConnectionEvent;
import io.connectionledger.model.Decision;
import io.connectionledger.model.LedgerRecord;
import io.connectionledger.model.PodAddress;
import io.connectionledger.model.RejectionReason;
import io.connectionledger.streams.StoreCodec.Tally;
import java.time.Duration;
import java.time.Instant;
import java.util.EnumMap;
import java.util.Map;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.state.ReadOnlyWindowStore;
import org.apache.kafka.streams.state.WindowStore;
import org.apache.kafka.streams.state.WindowStoreIterator;
import org.jspecify.annotations.Nullable;

/**
 * What happened when: how many records of each kind a pool and a pod had, in buckets of {@link
 * #BUCKET}. Each count remembers the offset of its last record, so that records which Kafka Streams
 * processes again after a crash are counted once.
 */
final class History {

  /** The grain of every window: how coarse its edges are. */
  static final Duration BUCKET = Duration.ofSeconds(10);

  /** The longest window, the bucket that sticks out of it and one that is still being filled. */
  static final Duration RETENTION = Window.ONE_HOUR.length().plus(BUCKET.multipliedBy(3));

  private static final String OPENED = "opened";
  private static final String CLOSED = "closed";
  private static final String FAILED = "failed";
  private static final String REJECTED = "rejected.";

  private History() {}

  /**
   * Counts a record.
   *
   * @param timestampMs when it happened
   */
  static void count(
      WindowStore<String, byte[]> store, LedgerRecord record, long offset, long timestampMs) {
    String pool = record.pool();
    switch (record) {
      case ConnectionEvent.Opened e -> count(store, pool, e.pod(), OPENED, offset, timestampMs);
      case ConnectionEvent.Closed e -> count(store, pool, e.pod(), CLOSED, offset, timestampMs);
      case ConnectionEvent.Failed e -> count(store, pool, e.pod(), FAILED, offset, timestampMs);
      case Decision.Rejected d ->
          count(store, pool, d.pod(), REJECTED + d.reason().label(), offset, timestampMs);
      case ConnectionEvent.Alive e -> {}
      case Decision.Allowed d -> {}
    }
  }

  private static void count(
      WindowStore<String, byte[]> store,
      String pool,
      @Nullable PodAddress pod,
      String kind,
      long offset,
      long timestampMs) {
    long bucketMs = timestampMs - Math.floorMod(timestampMs, BUCKET.toMillis());
    increment(store, key(pool, "", kind), bucketMs, offset);
    if (pod != null) {
      increment(store, key(pool, pod.toString(), kind), bucketMs, offset);
    }
  }

  private static void increment(
      WindowStore<String, byte[]> store, String key, long bucketMs, long offset) {
    Tally tally = StoreCodec.tally(store.fetch(key, bucketMs));
    if (offset > tally.lastOffset()) {
      store.put(key, StoreCodec.tally(new Tally(tally.count() + 1, offset)), bucketMs);
    }
  }

  private static String key(String pool, String pod, String kind) {
    return pool + '|' + pod + '|' + kind;
  }

  /** The rejections of a pool in each window that ends at {@code nowMs}. */
  static Map<Window, Map<RejectionReason, Long>> rejections(
      ReadOnlyWindowStore<String, byte[]> store, String pool, long nowMs) {
    Map<Window, Map<RejectionReason, Long>> windows = new EnumMap<>(Window.class);
    for (Window window : Window.values()) {
      windows.put(window, new EnumMap<>(RejectionReason.class));
    }
    Instant from = Instant.ofEpochMilli(nowMs).minus(Window.ONE_HOUR.length()).minus(BUCKET);
    for (RejectionReason reason : RejectionReason.values()) {
      try (WindowStoreIterator<byte[]> buckets =
          store.fetch(
              key(pool, "", REJECTED + reason.label()), from, Instant.ofEpochMilli(nowMs))) {
        while (buckets.hasNext()) {
          KeyValue<Long, byte[]> bucket = buckets.next();
          long count = StoreCodec.tally(bucket.value).count();
          windows.forEach(
              (window, counts) -> {
                if (bucket.key + BUCKET.toMillis() > nowMs - window.length().toMillis()) {
                  counts.merge(reason, count, Long::sum);
                }
              });
        }
      }
    }
    return windows;
  }
}
