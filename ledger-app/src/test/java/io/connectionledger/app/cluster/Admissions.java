package io.connectionledger.app.cluster;

import io.connectionledger.app.websocket.WebSocketPod;
import io.connectionledger.model.Ticker;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;

/**
 * Looks at the pods fifty times a second, to find for how long nobody got in although there was
 * room. Thread-safe.
 */
final class Admissions implements AutoCloseable {

  private static final Duration INTERVAL = Duration.ofMillis(20);

  private final ScheduledExecutorService clock = Executors.newSingleThreadScheduledExecutor();
  private final Ticker ticker = Ticker.system();
  private final List<AdmissionSample> samples = new ArrayList<>();
  private final List<WebSocketPod> pods;
  private final int limit;

  /**
   * What the pods said at one moment.
   *
   * @param opened connections ever
   * @param free slots of all pods together
   */
  record AdmissionSample(long atMs, long opened, int free) {}

  private Admissions(List<WebSocketPod> pods, int limit) {
    this.pods = pods;
    this.limit = limit;
  }

  /** Begins to look. */
  static Admissions start(List<WebSocketPod> pods, int limit) {
    Admissions admissions = new Admissions(pods, limit);
    Future<?> unused =
        admissions.clock.scheduleAtFixedRate(
            admissions::sample, 0, INTERVAL.toMillis(), TimeUnit.MILLISECONDS);
    return admissions;
  }

  private void sample() {
    long opened = 0;
    int free = 0;
    for (WebSocketPod pod : pods) {
      WebSocketPod.Count count = pod.count();
      opened += count.opened();
      free += Math.max(0, limit - count.current());
    }
    synchronized (samples) {
      samples.add(new AdmissionSample(ticker.nowMs(), opened, free));
    }
  }

  /** Seconds, of those since {@code fromMs}. */
  double longestSilence(long fromMs) {
    synchronized (samples) {
      return longestSilenceMs(samples.stream().filter(sample -> sample.atMs() >= fromMs).toList())
          / 1e3;
    }
  }

  /** The longest time in which nothing was opened and something was free at every moment. */
  static long longestSilenceMs(List<AdmissionSample> samples) {
    long longestMs = 0;
    long sinceMs = 0;
    long opened = -1;
    for (AdmissionSample sample : samples) {
      if (sample.opened() != opened || sample.free() == 0) {
        sinceMs = sample.atMs();
        opened = sample.opened();
      }
      longestMs = Math.max(longestMs, sample.atMs() - sinceMs);
    }
    return longestMs;
  }

  @Override
  public void close() {
    clock.shutdownNow();
  }
}
