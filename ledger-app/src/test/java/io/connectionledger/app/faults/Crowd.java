package io.connectionledger.app.faults;

import io.connectionledger.app.websocket.WebSocketClients;
import io.connectionledger.app.websocket.WebSocketClients.Attempt;
import io.connectionledger.app.websocket.WebSocketClients.Connection;
import io.connectionledger.app.websocket.WebSocketClients.Opened;
import io.connectionledger.model.Ticker;
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
public final class Crowd implements AutoCloseable {

  /** More at once only overflows accept queues. */
  private static final int AT_ONCE = 50;

  private static final Stay FOR_SECONDS = new Stay(1_000, 7_000);
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
  private final Stay stay;
  private final Witness witness;
  private final Ticker ticker = Ticker.system();
  private volatile boolean held = true;

  /** How long passers-by stay, in milliseconds: at least, and less than. */
  public record Stay(int fromMs, int toMs) {}

  /** Is told how each attempt ended. */
  @FunctionalInterface
  public interface Witness {

    /**
     * One has ended.
     *
     * @param nanos from the request to its answer
     */
    void attempted(Attempt attempt, long nanos);
  }

  /**
   * A crowd of nobody, held, whose passers-by stay for some seconds.
   *
   * @param doors the Envoys, asked at every attempt
   */
  Crowd(Supplier<List<URI>> doors, long seed) {
    this(doors, seed, FOR_SECONDS, (attempt, nanos) -> {});
  }

  /**
   * A crowd of nobody, held.
   *
   * @param doors the Envoys, asked at every attempt
   * @param witness is called by any thread
   */
  public Crowd(Supplier<List<URI>> doors, long seed, Stay stay, Witness witness) {
    this.doors = doors;
    this.random = new Random(seed);
    this.stay = stay;
    this.witness = witness;
  }

  /** Lets residents in until {@code count} are, also while the crowd is held. */
  public void settle(int count) {
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

  /**
   * Attempts so many at once, also while the crowd is held; who gets in stays.
   *
   * @return how many got in
   */
  public int knock(int count) {
    List<CompletableFuture<Attempt>> attempts =
        IntStream.range(0, count).mapToObj(i -> attempt()).toList();
    List<Opened> in =
        attempts.stream()
            .map(CompletableFuture::join)
            .filter(Opened.class::isInstance)
            .map(Opened.class::cast)
            .toList();
    in.forEach(
        opened -> {
          Future<?> unused = entered(opened.connection());
        });
    return in.size();
  }

  /** Starts the passers-by. */
  public void churn(int perSecond) {
    held = false;
    Future<?> unused =
        clock.scheduleAtFixedRate(
            this::passBy, 0, TimeUnit.SECONDS.toMicros(1) / perSecond, TimeUnit.MICROSECONDS);
  }

  public void hold() {
    held = true;
  }

  public void resume() {
    held = false;
  }

  /** Attempts up to now. */
  public int attempts() {
    return attempts.get();
  }

  /** Connections that have ended up to now, whoever ended them. */
  public int ends() {
    return ends.get();
  }

  private CompletableFuture<Attempt> attempt() {
    List<URI> envoys = doors.get();
    long startedNanos = ticker.nowNanos();
    return clients
        .open(envoys.get(attempts.getAndIncrement() % envoys.size()), Map.of())
        .thenApply(
            attempt -> {
              witness.attempted(attempt, ticker.nowNanos() - startedNanos);
              return attempt;
            });
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
                      later(stay.fromMs, stay.toMs, () -> leave(opened.connection()));
                    }
                  });
    }
  }

  private void leave(Connection connection) {
    if (held) {
      later(stay.fromMs, stay.toMs, () -> leave(connection));
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
