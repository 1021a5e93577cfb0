package io.connectionledger.app.faults;

import io.connectionledger.app.demo.WebSocketClients;
import io.connectionledger.app.demo.WebSocketClients.Attempt;
import io.connectionledger.app.demo.WebSocketClients.Connection;
import io.connectionledger.app.demo.WebSocketClients.Opened;
import java.net.URI;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;
import java.util.stream.IntStream;
import org.awaitility.Awaitility;

/**
 * Clients of all Envoys in turn: residents, who stay and return when they are cut off, and
 * passers-by, who come at a steady pace and stay for seconds. While the crowd is held, nobody comes
 * and nobody leaves. Thread-safe.
 */
final class Crowd implements AutoCloseable {

  /** More at once only overflows accept queues. */
  private static final int AT_ONCE = 50;

  private static final int STAY_MIN_MS = 1_000;
  private static final int STAY_MAX_MS = 7_000;
  private static final int RETURN_MIN_MS = 300;
  private static final int RETURN_MAX_MS = 1_000;
  private static final int RUDE_PERCENT = 20;

  private final WebSocketClients clients = new WebSocketClients();
  private final ScheduledExecutorService clock = Executors.newSingleThreadScheduledExecutor();
  private final Set<Connection> open = ConcurrentHashMap.newKeySet();
  private final AtomicInteger attempts = new AtomicInteger();
  private final AtomicInteger ends = new AtomicInteger();
  private final Supplier<List<URI>> doors;
  private final Random random;
  private volatile boolean held = true;

  /**
   * A crowd of nobody, held.
   *
   * @param doors the Envoys, asked at every attempt
   */
  Crowd(Supplier<List<URI>> doors, long seed) {
    this.doors = doors;
    this.random = new Random(seed);
  }

  /** Lets residents in until {@code count} are, also while the crowd is held. */
  void settle(int count) {
    Awaitility.await(count + " residents are in")
        .atMost(Duration.ofMinutes(2))
        .pollDelay(Duration.ZERO)
        .until(
            () -> {
              int missing = Math.min(AT_ONCE, count - open.size());
              CompletableFuture.allOf(
                      IntStream.range(0, missing)
                          .mapToObj(i -> attempt().thenAccept(this::settled))
                          .toArray(CompletableFuture<?>[]::new))
                  .join();
              return open.size() >= count;
            });
  }

  /** Starts the passers-by. */
  void churn(int perSecond) {
    held = false;
    Future<?> unused =
        clock.scheduleAtFixedRate(
            this::passBy, 0, TimeUnit.SECONDS.toMicros(1) / perSecond, TimeUnit.MICROSECONDS);
  }

  void hold() {
    held = true;
  }

  void resume() {
    held = false;
  }

  /** Attempts up to now. */
  int attempts() {
    return attempts.get();
  }

  /** Connections that have ended up to now, whoever ended them. */
  int ends() {
    return ends.get();
  }

  private CompletableFuture<Attempt> attempt() {
    List<URI> envoys = doors.get();
    return clients.open(envoys.get(attempts.getAndIncrement() % envoys.size()), Map.of());
  }

  private void settled(Attempt attempt) {
    if (attempt instanceof Opened opened) {
      Future<?> unused = entered(opened.connection()).thenRun(this::returnSoon);
    }
  }

  private CompletableFuture<Void> entered(Connection connection) {
    open.add(connection);
    return connection
        .ended()
        .thenAccept(
            code -> {
              open.remove(connection);
              ends.incrementAndGet();
            });
  }

  private void returnSoon() {
    later(RETURN_MIN_MS, RETURN_MAX_MS, this::comeBack);
  }

  private void comeBack() {
    if (held) {
      returnSoon();
    } else {
      Future<?> unused =
          attempt()
              .thenAccept(
                  attempt -> {
                    if (attempt instanceof Opened) {
                      settled(attempt);
                    } else {
                      returnSoon();
                    }
                  });
    }
  }

  private void passBy() {
    if (!held) {
      Future<?> unused =
          attempt()
              .thenAccept(
                  attempt -> {
                    if (attempt instanceof Opened opened) {
                      Future<?> unusedEnd = entered(opened.connection());
                      later(STAY_MIN_MS, STAY_MAX_MS, () -> leave(opened.connection()));
                    }
                  });
    }
  }

  private void leave(Connection connection) {
    if (held) {
      later(STAY_MIN_MS, STAY_MAX_MS, () -> leave(connection));
    } else if (random.nextInt(100) < RUDE_PERCENT) {
      connection.abort();
    } else {
      Future<?> unused = connection.close();
    }
  }

  private void later(int fromMs, int toMs, Runnable action) {
    if (!clock.isShutdown()) {
      Future<?> unused =
          clock.schedule(action, random.nextInt(fromMs, toMs), TimeUnit.MILLISECONDS);
    }
  }

  @Override
  public void close() {
    clock.shutdownNow();
    clients.close();
  }
}
