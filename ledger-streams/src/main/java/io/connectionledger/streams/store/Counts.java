package io.connectionledger.streams.store;

import io.connectionledger.model.view.PoolHistory;
import io.connectionledger.streams.Window;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.SortedMap;
import java.util.TreeMap;

/** How much of each kind happened in a pool, by {@link History#BUCKET}. Not thread-safe. */
public final class Counts {

  private static final long BUCKET_MS = History.BUCKET.toMillis();
  private static final int BUCKETS = (int) Window.ONE_HOUR.length().dividedBy(History.BUCKET);

  private final long fromMs;
  private final List<Long> opened = zeros();
  private final List<Long> closed = zeros();
  private final List<Long> failed = zeros();
  private final SortedMap<String, List<Long>> rejected = new TreeMap<>();

  /** By bucket, how many were open when that last changed in it. */
  private final NavigableMap<Integer, Long> open = new TreeMap<>();

  /** Nothing yet, in the hour up to the end of the bucket that {@code nowMs} is in. */
  public Counts(long nowMs) {
    fromMs = nowMs - Math.floorMod(nowMs, BUCKET_MS) - (BUCKETS - 1) * BUCKET_MS;
  }

  private static List<Long> zeros() {
    return new ArrayList<>(Collections.nCopies(BUCKETS, 0L));
  }

  void opened(long bucketMs, long count) {
    add(opened, bucketMs, count);
  }

  void closed(long bucketMs, long count) {
    add(closed, bucketMs, count);
  }

  void failed(long bucketMs, long count) {
    add(failed, bucketMs, count);
  }

  void rejected(String reason, long bucketMs, long count) {
    add(rejected.computeIfAbsent(reason, first -> zeros()), bucketMs, count);
  }

  private void add(List<Long> series, long bucketMs, long count) {
    int bucket = bucket(bucketMs);
    if (bucket >= 0) {
      series.set(bucket, series.get(bucket) + count);
    }
  }

  void open(long bucketMs, long count) {
    int bucket = bucket(bucketMs);
    if (bucket >= 0) {
      open.put(bucket, count);
    }
  }

  /** -1 for one that has not begun, or of more than an hour ago. */
  private int bucket(long bucketMs) {
    long bucket = Math.floorDiv(bucketMs - fromMs, BUCKET_MS);
    return bucket < BUCKETS ? (int) Math.max(-1, bucket) : -1;
  }

  /** These counts, of a pool that now has {@code active} open connections. */
  public PoolHistory of(String pool, long asOfMs, long active) {
    return new PoolHistory(
        pool, asOfMs, fromMs, BUCKET_MS, activeAtEnds(active), opened, closed, failed, rejected);
  }

  /** Before the first that was written down, it is counted back. */
  private List<Long> activeAtEnds(long now) {
    List<Long> active = zeros();
    int last = BUCKETS - 1;
    active.set(last, now);
    for (int bucket = last - 1; bucket >= 0; bucket--) {
      Map.Entry<Integer, Long> changed = open.floorEntry(bucket);
      long change = opened.get(bucket + 1) - closed.get(bucket + 1);
      active.set(
          bucket,
          changed == null ? Math.max(0, active.get(bucket + 1) - change) : changed.getValue());
    }
    return active;
  }
}
