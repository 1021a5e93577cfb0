package io.connectionledger.app.faults;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.connectionledger.model.PodAddress;
import io.connectionledger.model.Ticker;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalLong;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import java.util.function.ToIntFunction;
import org.awaitility.Awaitility;
import org.awaitility.core.ConditionTimeoutException;

/**
 * Compares what the ledger says with what the pods themselves count, ten times a second. Moments in
 * which the ledger does not answer are no samples.
 */
public final class CountWatch implements AutoCloseable {

  private static final ObjectMapper JSON = new ObjectMapper();
  private static final Duration INTERVAL = Duration.ofMillis(100);

  /** For how long counts must stay equal before they are called exact. */
  private static final Duration STEADY = Duration.ofSeconds(3);

  /** The longest silence of the ledger within that time. */
  private static final Duration GAP = Duration.ofSeconds(1);

  private static final Duration PATIENCE = Duration.ofSeconds(90);

  private final ScheduledExecutorService clock = Executors.newSingleThreadScheduledExecutor();
  private final Ticker ticker = Ticker.system();
  private final List<CountSample> samples = new ArrayList<>();
  private final Supplier<Map<PodAddress, Integer>> truth;
  private final Supplier<Optional<LedgerCounts>> ledger;

  /** What the ledger says of the pods. */
  public record LedgerCounts(Map<PodAddress, Integer> active, Map<PodAddress, Integer> reserved) {

    /** Those of {@code GET /v1/pools/{pool}/connections}. */
    public static LedgerCounts parse(String body) {
      try {
        Map<PodAddress, Integer> active = new HashMap<>();
        Map<PodAddress, Integer> reserved = new HashMap<>();
        for (JsonNode pod : JSON.readTree(body).path("pods")) {
          PodAddress address = PodAddress.parse(pod.path("address").asText());
          active.put(address, pod.path("active").asInt());
          reserved.put(address, pod.path("reserved").asInt());
        }
        return new LedgerCounts(active, reserved);
      } catch (IOException notJson) {
        throw new IllegalStateException(body, notJson);
      }
    }
  }

  /**
   * One comparison.
   *
   * @param exact whether the active connections of every pod are its own count
   * @param freed connections that are open although the ledger has no slot taken for them
   * @param held connections that the ledger takes for open although they are not
   * @param reserved slots held for connections on their way
   */
  public record CountSample(long atMs, boolean exact, int freed, int held, int reserved) {

    /**
     * Compares. The pods are counted just before and just after the ledger, so that what moved in
     * between is nobody's error.
     */
    static CountSample of(
        long atMs,
        Map<PodAddress, Integer> before,
        LedgerCounts ledger,
        Map<PodAddress, Integer> after) {
      int freed = 0;
      int held = 0;
      int reserved = 0;
      for (Map.Entry<PodAddress, Integer> pod : before.entrySet()) {
        int least = Math.min(pod.getValue(), after.getOrDefault(pod.getKey(), 0));
        int most = Math.max(pod.getValue(), after.getOrDefault(pod.getKey(), 0));
        int active = ledger.active().getOrDefault(pod.getKey(), 0);
        int waiting = ledger.reserved().getOrDefault(pod.getKey(), 0);
        freed += Math.max(0, least - active - waiting);
        held += Math.max(0, active - most);
        reserved += waiting;
      }
      boolean exact = before.equals(after) && before.equals(ledger.active());
      return new CountSample(atMs, exact, freed, held, reserved);
    }
  }

  private CountWatch(
      Supplier<Map<PodAddress, Integer>> truth, Supplier<Optional<LedgerCounts>> ledger) {
    this.truth = truth;
    this.ledger = ledger;
  }

  /**
   * Begins to watch.
   *
   * @param ledger empty while it does not answer
   */
  public static CountWatch start(
      Supplier<Map<PodAddress, Integer>> truth, Supplier<Optional<LedgerCounts>> ledger) {
    CountWatch watch = new CountWatch(truth, ledger);
    Future<?> unused =
        watch.clock.scheduleAtFixedRate(
            watch::sample, 0, INTERVAL.toMillis(), TimeUnit.MILLISECONDS);
    return watch;
  }

  private void sample() {
    Map<PodAddress, Integer> before = truth.get();
    Optional<LedgerCounts> counts = ledger.get();
    Map<PodAddress, Integer> after = truth.get();
    counts.ifPresent(
        answer -> {
          synchronized (samples) {
            samples.add(CountSample.of(ticker.nowMs(), before, answer, after));
          }
        });
  }

  /** The time that the samples are marked with. */
  public long nowMs() {
    return ticker.nowMs();
  }

  /** Lets time pass. */
  public void pass(Duration time) {
    long endMs = nowMs() + time.toMillis();
    Awaitility.await()
        .atMost(time.plusSeconds(5))
        .pollInterval(INTERVAL)
        .until(() -> nowMs() >= endMs);
  }

  /**
   * Waits until the counts are equal and stay so for three seconds.
   *
   * @return seconds from {@code sinceMs} to the first of the equal counts; empty when that did not
   *     happen within a minute and a half
   */
  public OptionalDouble secondsUntilExact(long sinceMs) {
    try {
      long exactMs =
          Awaitility.await()
              .atMost(PATIENCE)
              .pollInterval(INTERVAL)
              .until(() -> exactSince(since(sinceMs)), OptionalLong::isPresent)
              .orElseThrow();
      return OptionalDouble.of((exactMs - sinceMs) / 1e3);
    } catch (ConditionTimeoutException never) {
      return OptionalDouble.empty();
    }
  }

  /** When the run of equal counts began that the samples end with, if it is long enough. */
  static OptionalLong exactSince(List<CountSample> samples) {
    long startMs = Long.MAX_VALUE;
    long lastMs = Long.MAX_VALUE;
    for (CountSample sample : samples) {
      if (!sample.exact()) {
        startMs = Long.MAX_VALUE;
      } else if (startMs == Long.MAX_VALUE || sample.atMs() - lastMs > GAP.toMillis()) {
        startMs = sample.atMs();
      }
      lastMs = sample.atMs();
    }
    return startMs != Long.MAX_VALUE && lastMs - startMs >= STEADY.toMillis()
        ? OptionalLong.of(startMs)
        : OptionalLong.empty();
  }

  /** The most that any sample since then says. */
  public int most(long sinceMs, ToIntFunction<CountSample> figure) {
    return since(sinceMs).stream().mapToInt(figure).max().orElse(0);
  }

  /** The latest sample; empty before the first. */
  public Optional<CountSample> last() {
    synchronized (samples) {
      return samples.isEmpty() ? Optional.empty() : Optional.of(samples.getLast());
    }
  }

  private List<CountSample> since(long sinceMs) {
    synchronized (samples) {
      return samples.stream().filter(sample -> sample.atMs() >= sinceMs).toList();
    }
  }

  @Override
  public void close() {
    clock.shutdownNow();
  }
}
