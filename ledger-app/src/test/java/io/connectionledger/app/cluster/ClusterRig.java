package io.connectionledger.app.cluster;

import io.connectionledger.app.demo.LedgerPorts;
import io.connectionledger.app.e2e.BootstrapVariants;
import io.connectionledger.app.e2e.Cluster;
import io.connectionledger.app.e2e.Fleet;
import io.connectionledger.app.envoy.EnvoyBinary;
import io.connectionledger.app.envoy.EnvoyOptions;
import io.connectionledger.app.envoy.EnvoyProcess;
import io.connectionledger.app.faults.CountWatch;
import io.connectionledger.app.faults.CountWatch.LedgerCounts;
import io.connectionledger.app.faults.Crowd;
import io.connectionledger.app.websocket.WebSocketPod;
import io.connectionledger.model.PodAddress;
import io.connectionledger.testkit.TestFolders;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.IntStream;
import org.awaitility.Awaitility;

/**
 * A broker, three instances of the ledger, three Envoys that talk to all of them, four pods and a
 * crowd; everything real, all but the pods and the crowd a process each.
 */
final class ClusterRig implements AutoCloseable {

  static final String POOL = "chat";
  static final int INSTANCES = 3;
  static final int ENVOYS = 3;
  static final int PODS = 4;
  static final int LIMIT = 200;
  static final int CAPACITY = PODS * LIMIT;
  static final int ATTEMPTS_PER_SECOND = 200;

  private static final Duration HEARTBEAT = Duration.ofSeconds(2);

  /** Of the same pool's next owner, from the end of the last. */
  private static final Duration OWNED_AT_LAST = Duration.ofSeconds(60);

  /** More at once only overflows accept queues. */
  private static final int AT_ONCE = 50;

  private static final long SEED = 20_261_121;

  final Cluster cluster;
  final List<WebSocketPod> pods;
  final List<EnvoyProcess> envoys = new ArrayList<>();
  final AnswerCounts answers = new AnswerCounts();
  final Admissions admissions;
  final Crowd crowd;
  final CountWatch watch;

  /** Instances that cannot answer now. */
  private final Set<Integer> away = ConcurrentHashMap.newKeySet();

  /**
   * How many want in.
   *
   * @param residents who stay; beside them come {@link #ATTEMPTS_PER_SECOND}
   * @param stay for how long those do
   */
  record ClientDemand(int residents, Crowd.Stay stay) {

    /** Five eighths of the pods' limits, so that there always is room. */
    static final ClientDemand WITH_ROOM =
        new ClientDemand(CAPACITY * 3 / 8, new Crowd.Stay(500, 1_500));

    /** More than the pods may take, so that one too many would show at once. */
    static final ClientDemand OVERFULL =
        new ClientDemand(CAPACITY * 5 / 8, new Crowd.Stay(1_000, 7_000));
  }

  /**
   * What the death of an owner did.
   *
   * @param ownedSeconds until another instance owned the pool
   * @param silentSeconds the longest time without an admission although there was room
   * @param exactSeconds from the moment that nobody came or went any more; empty: never
   */
  record Takeover(
      long pid, double ownedSeconds, double silentSeconds, OptionalDouble exactSeconds) {}

  private ClusterRig(Cluster cluster, List<WebSocketPod> pods, ClientDemand demand) {
    this.cluster = cluster;
    this.pods = pods;
    this.admissions = Admissions.start(pods, LIMIT);
    this.crowd =
        new Crowd(
            () ->
                envoys.stream()
                    .map(envoy -> URI.create("ws://127.0.0.1:" + envoy.listenerPort() + "/"))
                    .toList(),
            SEED,
            demand.stay(),
            answers);
    this.watch = CountWatch.start(this::podCounts, this::ledgerCounts);
  }

  /**
   * Starts it. With the crowd's residents in, it is ready for churn.
   *
   * @param onOwnerLoss of the pool
   * @param failOpen what the Envoys do without a ledger: let some pass, as their file says, or
   *     nobody, so that whoever gets in was admitted by the ledger
   */
  static ClusterRig start(Path folder, ClientDemand demand, String onOwnerLoss, boolean failOpen)
      throws Exception {
    List<WebSocketPod> pods = Fleet.pods(PODS);
    String pool =
        "%s: { per-pod-max-connections: %d, on-owner-loss: %s, slow-start: 0s, pods: [%s] }"
            .formatted(POOL, LIMIT, onOwnerLoss, Fleet.yaml(pods));
    Cluster cluster =
        Cluster.start(
            folder,
            INSTANCES,
            new Cluster.ClusterSettings(
                "durability: fast", "heartbeat: " + HEARTBEAT.toSeconds() + "s", pool));
    ClusterRig rig = new ClusterRig(cluster, pods, demand);
    Path bootstrap =
        failOpen ? Fleet.ROOT.resolve("envoy/envoy.yaml") : BootstrapVariants.failingClosed(folder);
    for (int i = 1; i <= ENVOYS; i++) {
      rig.envoys.add(rig.startEnvoy(bootstrap, "envoy-" + i, folder));
    }
    rig.crowd.settle(demand.residents());
    return rig;
  }

  /** Where an experiment's processes live and log; what an earlier run left is deleted. */
  static Path folder(String what) throws IOException {
    return TestFolders.empty(Path.of("target", "cluster"), what);
  }

  private EnvoyProcess startEnvoy(Path bootstrap, String node, Path folder) throws Exception {
    return EnvoyProcess.start(
        EnvoyBinary.system().locate(),
        bootstrap,
        EnvoyOptions.of(node, 1, 1, 1)
            .withServices(
                cluster.ports(LedgerPorts::als),
                cluster.ports(LedgerPorts::authz),
                cluster.ports(LedgerPorts::xds))
            .withPool(POOL)
            .withHeartbeat(HEARTBEAT)
            .withWorkers(1),
        Files.createDirectories(folder.resolve(node)));
  }

  private Map<PodAddress, Integer> podCounts() {
    Map<PodAddress, Integer> counts = new HashMap<>();
    pods.forEach(pod -> counts.put(pod.address(), pod.count().current()));
    return counts;
  }

  /** What any instance says that can answer. */
  private Optional<LedgerCounts> ledgerCounts() {
    return IntStream.range(0, INSTANCES)
        .filter(instance -> !away.contains(instance))
        .mapToObj(instance -> cluster.find(instance, "/v1/pools/" + POOL + "/connections"))
        .flatMap(Optional::stream)
        .findFirst()
        .map(LedgerCounts::parse);
  }

  /** Kills the owner with SIGKILL, waits for the next, and starts the killed one again. */
  Takeover killOwner() throws Exception {
    int owner = cluster.ownerOf(POOL);
    long pid = cluster.process(owner).pid();
    long killedMs = watch.nowMs();
    kill(owner);
    awaitOwner(owner);
    double ownedSeconds = (watch.nowMs() - killedMs) / 1e3;
    watch.pass(Duration.ofSeconds(2));
    double silentSeconds = admissions.longestSilence(killedMs);
    restart(owner);
    return new Takeover(pid, ownedSeconds, silentSeconds, settled());
  }

  /** Ends an instance with SIGTERM and starts it again; returns when it is ready. */
  void roll(int instance) throws Exception {
    away.add(instance);
    cluster.process(instance).terminate();
    restart(instance);
  }

  void kill(int instance) throws InterruptedException {
    away.add(instance);
    cluster.process(instance).kill();
  }

  void restart(int instance) throws IOException {
    cluster.process(instance).restart();
    awaitBack(instance);
  }

  /** Waits until an instance is ready that was started again. */
  void awaitBack(int instance) {
    cluster.awaitReady(instance);
    away.remove(instance);
  }

  /** Holds the crowd and lets as many in, to stay, as there is room for. */
  void fill() {
    crowd.hold();
    Awaitility.await("every slot is taken")
        .atMost(Duration.ofSeconds(40))
        .pollDelay(Duration.ZERO)
        .pollInterval(Duration.ofMillis(100))
        .until(
            () -> {
              int unused = crowd.knock(Math.min(AT_ONCE, CAPACITY - open()));
              return open() >= CAPACITY;
            });
  }

  /** SIGSTOP; it is asked for nothing any more. */
  void freeze(int instance) throws Exception {
    away.add(instance);
    cluster.signal(instance, "STOP");
  }

  /** SIGCONT. */
  void thaw(int instance) throws Exception {
    cluster.signal(instance, "CONT");
    away.remove(instance);
  }

  /** Waits until an instance owns the pool that is not {@code former}. */
  int awaitOwner(int former) {
    return Awaitility.await(POOL + " is owned again")
        .atMost(OWNED_AT_LAST)
        .pollInterval(Duration.ofMillis(100))
        .until(
            () ->
                IntStream.range(0, INSTANCES)
                    .filter(i -> i != former)
                    .filter(this::owns)
                    .boxed()
                    .toList(),
            owners -> !owners.isEmpty())
        .getFirst();
  }

  private boolean owns(int instance) {
    return cluster
        .find(instance, "/metrics")
        .filter(page -> page.contains("websocket_connections_active_total{pool=\"" + POOL + "\"}"))
        .isPresent();
  }

  /** Lets nobody come or go; how long until the ledger has the pods' own counts. */
  OptionalDouble settled() {
    crowd.hold();
    OptionalDouble seconds = watch.secondsUntilExact(watch.nowMs());
    crowd.resume();
    return seconds;
  }

  /** The most that any pod ever had. */
  int peak() {
    return pods.stream().mapToInt(pod -> pod.count().peak()).max().orElse(0);
  }

  /** Connections that are really open. */
  int open() {
    return pods.stream().mapToInt(pod -> pod.count().current()).sum();
  }

  /** The sum of a counter of all Envoys; the name without pattern characters but dots. */
  long envoys(String counter) throws Exception {
    long sum = 0;
    for (EnvoyProcess envoy : envoys) {
      String line = envoy.admin("/stats?filter=%5E" + counter + "%24").body().strip();
      sum += line.isEmpty() ? 0 : Long.parseLong(line.substring(line.lastIndexOf(' ') + 1));
    }
    return sum;
  }

  @Override
  public void close() throws InterruptedException {
    watch.close();
    admissions.close();
    crowd.close();
    envoys.forEach(EnvoyProcess::close);
    cluster.close();
    pods.forEach(WebSocketPod::close);
  }
}
