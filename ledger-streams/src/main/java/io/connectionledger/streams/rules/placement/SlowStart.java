package io.connectionledger.streams.rules.placement;

import java.util.ArrayDeque;
import java.util.Comparator;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The pods that joined a pool of late, or came back to it. They hold next to nothing, and would be
 * given every connection; instead their share of the connections grows with their age, from a tenth
 * to all of them when the window is over. Not thread-safe.
 */
final class SlowStart {

  private static final double LEAST_SHARE = 0.1;

  private final PodHeap pods = new PodHeap();

  /** In the order in which they joined. */
  private final ArrayDeque<PodState> byAge = new ArrayDeque<>();

  private long windowMs;
  private double credit;

  /** Makes it empty. */
  void reset(long window) {
    windowMs = window;
    pods.clear();
    byAge.forEach(pod -> pod.warming = false);
    byAge.clear();
  }

  /** Has those of {@code members} begin whose window is not over. */
  void resume(List<PodState> members, long nowMs) {
    members.stream()
        .filter(pod -> nowMs - pod.joinedMs < windowMs)
        .sorted(Comparator.comparingLong(pod -> pod.joinedMs))
        .forEach(this::begin);
  }

  private void begin(PodState pod) {
    pod.warming = true;
    byAge.add(pod);
  }

  /** The pod begins from here, wherever it stood. */
  void begin(PodState pod, long nowMs) {
    if (windowMs > 0) {
      byAge.remove(pod);
      pod.joinedMs = nowMs;
      begin(pod);
    }
  }

  /** Those that may take a connection. */
  PodHeap pods() {
    return pods;
  }

  /** A pod whose window is over, which leaves it; null when there is none. */
  @Nullable PodState pollSettled(long nowMs) {
    PodState oldest = byAge.peek();
    if (oldest == null || nowMs - oldest.joinedMs < windowMs) {
      return null;
    }
    byAge.remove();
    pods.remove(oldest);
    oldest.warming = false;
    return oldest;
  }

  /** Whether this connection is among the share of {@code pod}. */
  boolean isItsTurn(PodState pod, long nowMs) {
    credit += Math.clamp((double) (nowMs - pod.joinedMs) / windowMs, LEAST_SHARE, 1);
    if (credit < 1) {
      return false;
    }
    credit -= 1;
    return true;
  }
}
