package io.connectionledger.ingest;

import io.connectionledger.model.Ticker;
import io.connectionledger.model.event.ConnectionIds;
import io.connectionledger.model.event.Presence;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Tells the ledger which Envoys are heard here, each {@link Presence#INTERVAL} and soon after a
 * stream begins or an Envoy's last one ends. Thread-safe.
 *
 * <p>{@link #close} says nothing: an ingest that goes away makes no Envoy look dead.
 */
final class PresenceBeacon implements AutoCloseable {

  private static final Logger LOGGER = LoggerFactory.getLogger(PresenceBeacon.class);

  /** Changes within this time are told together, as when all Envoys come back at once. */
  private static final long GATHER_MS = 50;

  private final String ingest;
  private final Ticker ticker;
  private final Consumer<Presence> publish;
  private final Supplier<List<String>> problems;
  private final Map<String, Streams> streams = new HashMap<>();
  private final AtomicBoolean told = new AtomicBoolean(true);
  private long begun;
  private final ScheduledExecutorService thread =
      Executors.newSingleThreadScheduledExecutor(
          Thread.ofPlatform().name("presence").daemon().factory());

  /** Of an Envoy: how many it has open, and the number of the one that began last. */
  private record Streams(int open, long latest) {}

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

  /** A stream of {@code envoy} has begun. */
  void attached(String envoy) {
    synchronized (streams) {
      Streams before = streams.get(envoy);
      streams.put(envoy, new Streams(before == null ? 1 : before.open + 1, ++begun));
    }
    tellSoon();
  }

  /** A stream of {@code envoy} has ended. */
  void detached(String envoy) {
    synchronized (streams) {
      Streams left =
          streams.computeIfPresent(
              envoy, (node, all) -> all.open == 1 ? null : new Streams(all.open - 1, all.latest));
      if (left != null) {
        return;
      }
    }
    tellSoon();
  }

  private void tellSoon() {
    if (told.compareAndSet(true, false) && !thread.isShutdown()) {
      var unused = thread.schedule(this::tell, GATHER_MS, TimeUnit.MILLISECONDS);
    }
  }

  private void tell() {
    told.set(true);
    Map<String, Long> envoys = new HashMap<>();
    synchronized (streams) {
      streams.forEach((envoy, all) -> envoys.put(envoy, all.latest));
    }
    try {
      publish.accept(new Presence(ingest, envoys, ticker.nowMs(), problems.get()));
    } catch (RuntimeException failure) {
      // The next one comes within the interval; an exception would end the schedule.
      LOGGER.atWarn().addKeyValue("error", failure.toString()).log("Presence was not written");
    }
  }

  /** Stops telling, before the streams end. Idempotent. */
  @Override
  public void close() {
    thread.shutdownNow();
  }
}
