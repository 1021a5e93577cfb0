package io.connectionledger.app.demo;

import io.connectionledger.app.demo.LedgerStarter.RunningLedger;
import io.connectionledger.app.demo.Summary.PodResult;
import io.connectionledger.app.envoy.EnvoyOptions;
import io.connectionledger.app.envoy.EnvoyProcess;
import io.connectionledger.app.terminal.Screen;
import io.connectionledger.app.terminal.StopSignal;
import io.connectionledger.app.websocket.WebSocketPod;
import io.connectionledger.model.Ticker;
import io.connectionledger.model.policy.Pod;
import io.connectionledger.model.policy.PoolPolicy;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;

/**
 * One run of the demo: pods, two Envoys and clients that want more than the limits allow. Not
 * thread-safe. Closing stops clients, Envoys, the ledger and the pods, in this order.
 */
final class Demo implements AutoCloseable {

  static final String POOL = "chat";
  private static final int ENVOYS = 2;
  private static final int PER_POD = 10;
  private static final int BURST = 10;

  /** For each pod. Three times what the policy admits, and more than the room: held for 6.5 s. */
  private static final int ATTEMPTS_PER_SECOND = 5;

  private static final double ADMITTED_PER_SECOND = ATTEMPTS_PER_SECOND / 3.0;

  private static final Duration HEARTBEAT = Duration.ofSeconds(2);
  private static final Duration TICK = Duration.ofMillis(500);

  /** A table is drawn at every tick, lines seldom. */
  private static final int TICKS_PER_LINE = 4;

  /** By then the leases of everything that was missed have ended. */
  private static final Duration PATIENCE = HEARTBEAT.multipliedBy(8);

  private final Deque<AutoCloseable> parts = new ArrayDeque<>();
  private final Ticker ticker;
  private final Screen screen;
  private final List<WebSocketPod> pods = new ArrayList<>();
  private final PoolPolicy policy;
  private final LedgerClient ledger;
  private final URI page;
  private final Traffic traffic;

  private Demo(
      LedgerStarter starter,
      Path envoy,
      Path bootstrap,
      int size,
      Screen screen,
      long seed,
      Ticker ticker)
      throws Exception {
    this.ticker = ticker;
    this.screen = screen;
    try {
      List<Pod> named = new ArrayList<>();
      for (int i = 1; i <= size; i++) {
        WebSocketPod pod = part(WebSocketPod.start());
        pods.add(pod);
        named.add(new Pod("demo-pod-" + i, pod.address()));
      }
      policy =
          new PoolPolicy(
              POOL,
              ADMITTED_PER_SECOND * size,
              BURST,
              PER_POD,
              PoolPolicy.Mode.ENFORCE,
              PoolPolicy.OnOwnerLoss.SHARE,
              named);
      RunningLedger running = part(starter.start(policy, HEARTBEAT));
      page = URI.create("http://127.0.0.1:" + running.ports().http() + "/");
      ledger = part(new LedgerClient(running.ports().http(), POOL));
      traffic = part(new Traffic(envoys(running.ports(), envoy, bootstrap), seed));
    } catch (Exception e) {
      close();
      throw e;
    }
  }

  /**
   * Starts everything but the clients' traffic.
   *
   * @param size how many pods
   */
  static Demo start(
      LedgerStarter starter,
      Path envoy,
      Path bootstrap,
      int size,
      Screen screen,
      long seed,
      Ticker ticker)
      throws Exception {
    return new Demo(starter, envoy, bootstrap, size, screen, seed, ticker);
  }

  private List<URI> envoys(LedgerPorts ports, Path envoy, Path bootstrap)
      throws IOException, InterruptedException {
    List<URI> doors = new ArrayList<>();
    for (int i = 1; i <= ENVOYS; i++) {
      Path folder = part(TemporaryFolder.create()).path();
      EnvoyOptions options =
          EnvoyOptions.of("demo-envoy-" + i, ports.als(), ports.authz(), ports.xds())
              .withHeartbeat(HEARTBEAT)
              .withPool(POOL);
      EnvoyProcess process = part(EnvoyProcess.start(envoy, bootstrap, options, folder));
      doors.add(URI.create("ws://127.0.0.1:" + process.listenerPort() + "/"));
    }
    return doors;
  }

  /** Where it can be looked at in a browser. */
  URI page() {
    return page;
  }

  /** Lets the clients loose until {@code stop} or {@code end}, and shows what happens. */
  void run(StopSignal stop, Duration end) throws IOException, InterruptedException {
    screen.say(
        String.format(
            "%d pods, %d connections each; %d Envoys; %.0f connections a second, burst %d;"
                + " clients try %d a second",
            pods.size(),
            PER_POD,
            ENVOYS,
            ADMITTED_PER_SECOND * pods.size(),
            BURST,
            ATTEMPTS_PER_SECOND * pods.size()));
    long startMs = ticker.nowMs();
    long lastMs = startMs;
    LedgerState last = ledger.read();
    traffic.start(ATTEMPTS_PER_SECOND * pods.size());
    for (long tick = 1; ticker.nowMs() - startMs < end.toMillis() && !stop.await(TICK); tick++) {
      if (screen.isTerminal() || tick % TICKS_PER_LINE == 0) {
        LedgerState state = ledger.read();
        long nowMs = ticker.nowMs();
        double perSecond = 1000.0 * (state.attempted() - last.attempted()) / (nowMs - lastMs);
        LiveFigures moment =
            new LiveFigures(
                (nowMs - startMs) / 1000, perSecond, state, policy.pods(), this::ownCount);
        screen.paint(screen.isTerminal() ? moment.table() : List.of(moment.line()));
        last = state;
        lastMs = nowMs;
      }
    }
  }

  /** Compares while connections are held, then after all have left. */
  Summary conclude() throws IOException, InterruptedException {
    traffic.hold();
    LedgerState held = settle(state -> !traffic.attempting() && agrees(state));
    List<Integer> ownHeld = pods.stream().map(pod -> pod.count().current()).toList();
    traffic.leave(PATIENCE);
    LedgerState left = settle(state -> state.active() == 0 && agrees(state));

    List<PodResult> results = new ArrayList<>();
    for (int i = 0; i < pods.size(); i++) {
      String address = pods.get(i).address().toString();
      WebSocketPod.Count own = pods.get(i).count();
      results.add(
          new PodResult(
              policy.pods().get(i).name(),
              policy.perPodMaxConnections(),
              own.peak(),
              own.admittedPeak(),
              ownHeld.get(i),
              held.pod(address).active(),
              own.current(),
              left.pod(address).active() + left.pod(address).reserved()));
    }
    List<WebSocketPod.Count> own = pods.stream().map(WebSocketPod::count).toList();
    return Summary.of(
        results,
        own.stream().mapToLong(WebSocketPod.Count::opened).sum(),
        left.established(),
        own.stream().mapToLong(WebSocketPod.Count::failedOpen).sum());
  }

  /** The ledger's state when it is as {@code wanted}, or when patience ends. */
  private LedgerState settle(Predicate<LedgerState> wanted)
      throws IOException, InterruptedException {
    long deadlineMs = ticker.nowMs() + PATIENCE.toMillis();
    LedgerState state = ledger.read();
    while (!wanted.test(state) && ticker.nowMs() < deadlineMs) {
      pause();
      state = ledger.read();
    }
    return state;
  }

  private static void pause() {
    CompletableFuture.runAsync(
            () -> {}, CompletableFuture.delayedExecutor(TICK.toMillis(), TimeUnit.MILLISECONDS))
        .join();
  }

  private boolean agrees(LedgerState state) {
    return state.reserved() == 0
        && pods.stream()
            .allMatch(pod -> state.pod(pod.address().toString()).active() == pod.count().current());
  }

  private int ownCount(Pod pod) {
    return pods.get(policy.pods().indexOf(pod)).count().current();
  }

  private <T extends AutoCloseable> T part(T part) {
    parts.push(part);
    return part;
  }

  @Override
  public void close() throws Exception {
    Exception failure = null;
    while (!parts.isEmpty()) {
      try {
        parts.pop().close();
      } catch (Exception e) {
        if (failure == null) {
          failure = e;
        } else {
          failure.addSuppressed(e);
        }
      }
    }
    if (failure != null) {
      throw failure;
    }
  }

  /** A folder that is gone when closed. */
  private record TemporaryFolder(Path path) implements AutoCloseable {

    static TemporaryFolder create() throws IOException {
      return new TemporaryFolder(Files.createTempDirectory("ledger-demo-"));
    }

    @Override
    public void close() throws IOException {
      try (var files = Files.list(path)) {
        for (Path file : files.toList()) {
          Files.delete(file);
        }
      }
      Files.delete(path);
    }
  }
}
