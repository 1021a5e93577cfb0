package io.connectionledger.app.faults;

import io.connectionledger.app.e2e.Fleet;
import io.connectionledger.app.e2e.ServeProcess;
import io.connectionledger.app.envoy.EnvoyBinary;
import io.connectionledger.app.envoy.EnvoyOptions;
import io.connectionledger.app.envoy.EnvoyProcess;
import io.connectionledger.app.websocket.WebSocketPod;
import io.connectionledger.model.PodAddress;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.stream.IntStream;
import org.awaitility.Awaitility;

/**
 * A ledger, four pods, three Envoys of two workers and a crowd, everything real and everything
 * killable. The Envoys fail closed, so that whoever gets in was admitted by the ledger and the
 * pods' limit is the ledger's to keep.
 */
final class Rig implements AutoCloseable {

  static final Duration HEARTBEAT = Duration.ofSeconds(2);
  static final int WORKERS = 2;
  private static final int PODS = 4;
  private static final int ENVOYS = 3;
  private static final long SEED = 20_261_121;

  final int limit;
  final LedgerProcesses ledger;
  final List<WebSocketPod> pods;
  final List<EnvoyProcess> envoys = new CopyOnWriteArrayList<>();
  final Crowd crowd;
  final CountWatch watch;
  private final Path folder;
  private final Path bootstrap;
  private final EnvoyLog log;
  private int started;

  /**
   * How the Envoys report.
   *
   * @param alsPort 0 for the ledger's own
   */
  record EnvoyLog(int alsPort, Duration heartbeat) {}

  private Rig(
      Path folder,
      int limit,
      List<WebSocketPod> pods,
      LedgerProcesses ledger,
      Path bootstrap,
      EnvoyLog log) {
    this.folder = folder;
    this.log = log;
    this.limit = limit;
    this.pods = pods;
    this.ledger = ledger;
    this.bootstrap = bootstrap;
    this.crowd =
        new Crowd(
            () ->
                envoys.stream()
                    .map(envoy -> URI.create("ws://127.0.0.1:" + envoy.listenerPort() + "/"))
                    .toList(),
            SEED);
    this.watch = CountWatch.start(this::podCounts, ledger::counts);
  }

  /**
   * Starts everything but the Envoys.
   *
   * @param capacity connections that the pods take together
   * @param roles as for {@link LedgerProcesses#start}
   */
  private static Rig prepare(Path folder, int capacity, EnvoyLog log, String... roles)
      throws IOException {
    List<WebSocketPod> pods = IntStream.range(0, PODS).mapToObj(i -> WebSocketPod.start()).toList();
    int limit = capacity / PODS;
    LedgerProcesses ledger =
        LedgerProcesses.start(
            folder, HEARTBEAT, ServeProcess.pool(LedgerProcesses.POOL, limit, pods), roles);
    return new Rig(folder, limit, pods, ledger, failingClosed(folder), log);
  }

  /** A rig with the Envoy that the machine has. */
  static Rig start(Path folder, int capacity, String... roles) throws Exception {
    return start(folder, capacity, new EnvoyLog(0, HEARTBEAT), roles);
  }

  /** A rig whose Envoys report in another way. */
  static Rig start(Path folder, int capacity, EnvoyLog log, String... roles) throws Exception {
    Rig rig = prepare(folder, capacity, log, roles);
    Path program = EnvoyBinary.system().locate();
    for (int i = 0; i < ENVOYS; i++) {
      rig.envoys.add(rig.startEnvoy(program, "envoy-" + (i + 1), 0, log.heartbeat));
    }
    return rig;
  }

  /** A rig with an Envoy of each of these programs. */
  static Rig start(Path folder, int capacity, List<Path> programs) throws Exception {
    Rig rig = prepare(folder, capacity, new EnvoyLog(0, HEARTBEAT));
    for (Path program : programs) {
      rig.envoys.add(rig.startEnvoy(program, "envoy-" + (rig.started + 1), 0, HEARTBEAT));
    }
    return rig;
  }

  private static Path failingClosed(Path folder) throws IOException {
    String original = Files.readString(Fleet.ROOT.resolve("envoy/envoy.yaml"));
    String changed = original.replace("failure_mode_allow: true", "failure_mode_allow: false");
    if (changed.equals(original)) {
      throw new IllegalStateException("envoy.yaml does not say failure_mode_allow: true any more");
    }
    return Files.writeString(folder.resolve("envoy.yaml"), changed);
  }

  private EnvoyProcess startEnvoy(Path program, String node, int port, Duration heartbeat)
      throws Exception {
    started++;
    int alsPort = log.alsPort == 0 ? ledger.ports().als() : log.alsPort;
    return EnvoyProcess.start(
        program,
        bootstrap,
        EnvoyOptions.of(node, alsPort, ledger.ports().authz(), ledger.ports().xds())
            .withPool(LedgerProcesses.POOL)
            .withHeartbeat(heartbeat)
            .withWorkers(WORKERS)
            .withListenerPort(port),
        Files.createDirectories(folder.resolve("envoy-process-" + started)));
  }

  /**
   * Ends an Envoy with SIGTERM and starts another on its port, as {@code node}, which reports as
   * the ledger is configured.
   */
  void replace(EnvoyProcess old, String node) throws Exception {
    int port = old.listenerPort();
    old.terminate();
    envoys.set(
        envoys.indexOf(old), startEnvoy(EnvoyBinary.system().locate(), node, port, HEARTBEAT));
    old.close();
  }

  Map<PodAddress, Integer> podCounts() {
    Map<PodAddress, Integer> counts = new HashMap<>();
    pods.forEach(pod -> counts.put(pod.address(), pod.count().current()));
    return counts;
  }

  /** Connections that are really open. */
  int open() {
    return pods.stream().mapToInt(pod -> pod.count().current()).sum();
  }

  /** The most that any pod ever had. */
  int peak() {
    return pods.stream().mapToInt(pod -> pod.count().peak()).max().orElse(0);
  }

  /** Waits until the ledger and the pods agree before anything is broken. */
  void awaitExact() {
    Awaitility.await("the ledger and the pods agree, before the fault")
        .atMost(Duration.ofSeconds(60))
        .pollInterval(Duration.ofMillis(100))
        .until(() -> watch.last().map(CountWatch.CountSample::exact).orElse(false));
  }

  @Override
  public void close() throws InterruptedException {
    watch.close();
    crowd.close();
    envoys.forEach(EnvoyProcess::close);
    ledger.close();
    pods.forEach(WebSocketPod::close);
  }
}
