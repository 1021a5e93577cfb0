package io.connectionledger.app.demo;

import io.connectionledger.app.websocket.WebSocketClients;
import io.connectionledger.app.websocket.WebSocketClients.Attempt;
import io.connectionledger.app.websocket.WebSocketClients.Connection;
import io.connectionledger.app.websocket.WebSocketClients.Opened;
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

/**
 * Impatient clients: they open connections at a steady pace through all Envoys in turn, keep each
 * for a while, and leave, most of them with a goodbye, some without.
 */
final class Traffic implements AutoCloseable {

  private static final int PATIENT_MS = 12_000;
  private static final int HASTY_MS = 1_000;
  private static final int RUDE_PERCENT = 20;

  private final WebSocketClients clients = new WebSocketClients();
  private final ScheduledExecutorService clock = Executors.newSingleThreadScheduledExecutor();
  private final Set<Connection> open = ConcurrentHashMap.newKeySet();
  private final AtomicInteger attempting = new AtomicInteger();
  private final List<URI> envoys;
  private final Random random;
  private volatile boolean churning = true;
  private int next;

  Traffic(List<URI> envoys, long seed) {
    this.envoys = List.copyOf(envoys);
    this.random = new Random(seed);
  }

  /** Begins to open connections, {@code perSecond} attempts a second. */
  void start(int perSecond) {
    Future<?> unused =
        clock.scheduleAtFixedRate(
            this::attempt, 0, TimeUnit.SECONDS.toMicros(1) / perSecond, TimeUnit.MICROSECONDS);
  }

  private void attempt() {
    if (churning) {
      attempting.incrementAndGet();
      URI envoy = envoys.get(next++ % envoys.size());
      int lifeMs = random.nextInt(HASTY_MS, PATIENT_MS);
      boolean rude = random.nextInt(100) < RUDE_PERCENT;
      Future<?> unused =
          clients.open(envoy, Map.of()).thenAccept(attempt -> attempted(attempt, lifeMs, rude));
    }
  }

  private void attempted(Attempt attempt, int lifeMs, boolean rude) {
    if (attempt instanceof Opened opened) {
      Connection connection = opened.connection();
      open.add(connection);
      Future<?> unusedEnd = connection.ended().thenRun(() -> open.remove(connection));
      if (churning) {
        Future<?> unusedLife =
            clock.schedule(() -> leave(connection, rude), lifeMs, TimeUnit.MILLISECONDS);
      }
    }
    attempting.decrementAndGet();
  }

  private void leave(Connection connection, boolean rude) {
    if (!churning) {
      return;
    }
    if (rude) {
      connection.abort();
    } else {
      Future<?> unused = connection.close();
    }
  }

  /** From now on nobody comes and nobody leaves. */
  void hold() {
    churning = false;
  }

  /** Whether an attempt is still on its way. */
  boolean attempting() {
    return attempting.get() > 0;
  }

  /** Everybody leaves, with a goodbye; waits at most {@code patience} for the others' goodbyes. */
  void leave(Duration patience) {
    CompletableFuture.allOf(
            open.stream().map(Connection::close).toArray(CompletableFuture<?>[]::new))
        .completeOnTimeout(null, patience.toMillis(), TimeUnit.MILLISECONDS)
        .join();
  }

  @Override
  public void close() {
    clock.shutdownNow();
    clients.close();
  }
}
