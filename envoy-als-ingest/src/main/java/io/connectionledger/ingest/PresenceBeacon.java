package io.connectionledger.ingest;

import io.connectionledger.model.ConnectionIds;
import io.connectionledger.model.Presence;
import io.connectionledger.model.Ticker;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Tells the ledger which Envoys are heard here, each {@link Presence#INTERVAL} and whenever an
 * Envoy comes or goes. Thread-safe.
 *
 * <p>{@link #close} says nothing: an ingest that goes away makes no Envoy look dead.
 */
final class PresenceBeacon implements AutoCloseable {

  private static final Logger LOGGER = LoggerFactory.getLogger(PresenceBeacon.class);

  private final String ingest;
  private final Ticker ticker;
  private final Consumer<Presence> publish;
  private final Map<String, Integer> streams = new HashMap<>();
  private final ScheduledExecutorService thread =
      Executors.newSingleThreadScheduledExecutor(
          Thread.ofPlatform().name("presence").daemon().factory());

  /**
   * Starts telling.
   *
   * @param publish is called on one thread, one presence after the other; it may wait
   */
  PresenceBeacon(Ticker ticker, Consumer<Presence> publish) {
    this.ingest = ConnectionIds.next(ticker.nowMs());
    this.ticker = ticker;
    this.publish = publish;
    // With a fixed delay: while Kafka is away, one presence waits, not one for every second.
    var unused =
        thread.scheduleWithFixedDelay(
            this::tell, 0, Presence.INTERVAL.toMillis(), TimeUnit.MILLISECONDS);
  }

  /** A stream of {@code envoy} has begun. */
  void attached(String envoy) {
    synchronized (streams) {
      if (streams.merge(envoy, 1, Integer::sum) == 1) {
        tellSoon();
      }
    }
  }

  /** A stream of {@code envoy} has ended. */
  void detached(String envoy) {
    synchronized (streams) {
      if (streams.merge(envoy, -1, (count, ended) -> count + ended == 0 ? null : count + ended)
          == null) {
        tellSoon();
      }
    }
  }

  private void tellSoon() {
    if (!thread.isShutdown()) {
      thread.execute(this::tell);
    }
  }

  private void tell() {
    Set<String> envoys;
    synchronized (streams) {
      envoys = Set.copyOf(streams.keySet());
    }
    try {
      publish.accept(new Presence(ingest, envoys, ticker.nowMs()));
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
