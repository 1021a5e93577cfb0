package io.connectionledger.streams.store;

import io.connectionledger.model.view.PoolHistory;
import io.connectionledger.streams.Window;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
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
    int bucket = (int) Math.floorDiv(bucketMs - fromMs, BUCKET_MS);
    if (bucket >= 0 && bucket < BUCKETS) {
      series.set(bucket, series.get(bucket) + count);
    }
  }

  /** These counts, of a pool that now has {@code active} open connections. */
  public PoolHistory of(String pool, long asOfMs, long active) {
    return PoolHistory.of(
        pool, asOfMs, fromMs, BUCKET_MS, active, opened, closed, failed, rejected);
  }
}
