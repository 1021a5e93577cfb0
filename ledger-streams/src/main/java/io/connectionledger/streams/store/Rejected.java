package io.connectionledger.streams.store;

import io.connectionledger.model.PodAddress;
import io.connectionledger.streams.Window;
import io.connectionledger.streams.rules.ScalingRule;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;

/** What was not admitted to a pool within the last hour. Not thread-safe. */
public final class Rejected {

  private final long nowMs;
  private final Windows pool;
  private final SortedMap<PodAddress, Windows> pods = new TreeMap<>();
  private long latelyForWantOfRoom;

  /** Nothing yet. */
  public Rejected(long nowMs) {
    this.nowMs = nowMs;
    this.pool = new Windows(nowMs);
  }

  /** Counts by window and reason. A window has all buckets that reach into it. */
  public static final class Windows {
    private final long nowMs;
    private final Map<String, Map<String, Long>> counts = new LinkedHashMap<>();

    Windows(long nowMs) {
      this.nowMs = nowMs;
      for (Window window : Window.values()) {
        counts.put(window.label(), new TreeMap<>());
      }
    }

    void add(String reason, long bucketMs, long count) {
      for (Window window : Window.values()) {
        Map<String, Long> byReason = counts.get(window.label());
        if (byReason != null && reachesInto(bucketMs, nowMs - window.length().toMillis())) {
          byReason.merge(reason, count, Long::sum);
        }
      }
    }

    /** By the label of the window, shortest first, and by the label of the reason. */
    public Map<String, Map<String, Long>> byLabel() {
      return counts;
    }
  }

  private static boolean reachesInto(long bucketMs, long windowStartMs) {
    return bucketMs + History.BUCKET.toMillis() > windowStartMs;
  }

  public Windows pool() {
    return pool;
  }

  public Windows pod(PodAddress pod) {
    return pods.computeIfAbsent(pod, address -> new Windows(nowMs));
  }

  /** Those of pods that had any. */
  public SortedMap<PodAddress, Windows> pods() {
    return pods;
  }

  void addForWantOfRoom(long bucketMs, long count) {
    if (reachesInto(bucketMs, nowMs - ScalingRule.LATELY.toMillis())) {
      latelyForWantOfRoom += count;
    }
  }

  /** How many of the last {@link ScalingRule#LATELY} only found every pod full, or none at all. */
  public long latelyForWantOfRoom() {
    return latelyForWantOfRoom;
  }
}
