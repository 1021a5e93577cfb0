package io.connectionledger.app.e2e;

import com.fasterxml.jackson.databind.JsonNode;
import io.connectionledger.app.config.ConfigLoader;
import io.connectionledger.app.config.LedgerConfig;
import io.connectionledger.app.config.Role;
import io.connectionledger.app.demo.LedgerPorts;
import io.connectionledger.app.envoy.EnvoyBinary;
import io.connectionledger.app.envoy.EnvoyOptions;
import io.connectionledger.app.envoy.EnvoyProcess;
import io.connectionledger.app.serve.LedgerNode;
import io.connectionledger.app.websocket.WebSocketClients;
import io.connectionledger.app.websocket.WebSocketClients.Attempt;
import io.connectionledger.app.websocket.WebSocketClients.Connection;
import io.connectionledger.app.websocket.WebSocketClients.Opened;
import io.connectionledger.app.websocket.WebSocketPod;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.UnaryOperator;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.awaitility.Awaitility;

/** Real pods, real Envoys and real clients around one ledger, for one pool. */
public final class Fleet implements AutoCloseable {

  public static final Path ROOT = Path.of("").toAbsolutePath().resolve("..").normalize();
  static final Duration TIMEOUT = Duration.ofSeconds(30);

  final String pool;
  final List<WebSocketPod> pods;
  final List<EnvoyProcess> envoys = new ArrayList<>();
  final WebSocketClients clients = new WebSocketClients();
  private final Queue<Connection> entered = new ConcurrentLinkedQueue<>();
  private final LedgerHttp http;

  private Fleet(String pool, List<WebSocketPod> pods, int httpPort) {
    this.pool = pool;
    this.pods = pods;
    this.http = new LedgerHttp(httpPort, TIMEOUT);
  }

  /** Where the ledger under test listens. */
  static LedgerPorts ports(LedgerNode ledger) {
    return new LedgerPorts(
        ledger.alsPort().orElseThrow(),
        ledger.authzPort().orElseThrow(),
        ledger.xdsPort().orElseThrow(),
        ledger.httpPort().orElseThrow());
  }

  /**
   * Starts a whole ledger in this process, on free ports and with a heartbeat of 2 s.
   *
   * @param pools the YAML of the pools, in block style
   */
  static LedgerNode ledger(Path folder, String pools) throws IOException, InterruptedException {
    Path config =
        Files.writeString(
            folder.resolve("ledger.yaml"),
            """
            data-dir: %s
            kafka: { port: 0 }
            als: { port: 0 }
            authz: { port: 0 }
            http: { port: 0 }
            xds: { port: 0 }
            lease: { heartbeat: 2s }
            pools:
            %s\
            """
                .formatted(folder.resolve("data"), pools.indent(2)));
    LedgerConfig loaded = ConfigLoader.load(config, Map.of());
    return LedgerNode.start(loaded, Role.resolve(Optional.empty(), loaded.kafka()));
  }

  /** The value of a pool's {@code pods}, without its brackets. */
  public static String yaml(List<WebSocketPod> pods) {
    AtomicInteger number = new AtomicInteger();
    return pods.stream()
        .map(
            pod ->
                "{ name: pod-%d, address: '%s' }"
                    .formatted(number.incrementAndGet(), pod.address()))
        .collect(Collectors.joining(", "));
  }

  public static List<WebSocketPod> pods(int count) {
    return IntStream.range(0, count).mapToObj(i -> WebSocketPod.start()).toList();
  }

  /** Starts them; the ledger may come later. */
  static Fleet start(
      String pool, List<WebSocketPod> pods, int envoys, LedgerPorts ports, Path folder)
      throws Exception {
    return start(pool, pods, envoys, ports, folder, ROOT.resolve("envoy/envoy.yaml"));
  }

  static Fleet start(
      String pool,
      List<WebSocketPod> pods,
      int envoys,
      LedgerPorts ports,
      Path folder,
      Path bootstrap)
      throws Exception {
    return start(pool, pods, envoys, ports, folder, bootstrap, UnaryOperator.identity());
  }

  /** Starts one, with options of its own. */
  static Fleet start(
      String pool,
      List<WebSocketPod> pods,
      LedgerPorts ports,
      Path folder,
      UnaryOperator<EnvoyOptions> options)
      throws Exception {
    return start(pool, pods, 1, ports, folder, ROOT.resolve("envoy/envoy.yaml"), options);
  }

  private static Fleet start(
      String pool,
      List<WebSocketPod> pods,
      int envoys,
      LedgerPorts ports,
      Path folder,
      Path bootstrap,
      UnaryOperator<EnvoyOptions> changed)
      throws Exception {
    Fleet fleet = new Fleet(pool, pods, ports.http());
    Path program = EnvoyBinary.system().locate();
    for (int i = 1; i <= envoys; i++) {
      EnvoyOptions options =
          changed.apply(
              EnvoyOptions.of("envoy-" + pool + "-" + i, ports.als(), ports.authz(), ports.xds())
                  .withPool(pool));
      fleet.envoys.add(
          EnvoyProcess.start(
              program,
              bootstrap,
              options,
              Files.createDirectories(folder.resolve(options.node()))));
    }
    return fleet;
  }

  URI uri(int attempt) {
    int port = envoys.get(attempt % envoys.size()).listenerPort();
    return URI.create("ws://127.0.0.1:" + port + "/");
  }

  /** Attempts at once, spread over all Envoys. */
  List<Attempt> attempt(int count, Map<String, String> headers) {
    List<CompletableFuture<Attempt>> attempts =
        IntStream.range(0, count).mapToObj(i -> knock(i, headers)).toList();
    return attempts.stream().map(CompletableFuture::join).toList();
  }

  /** One attempt, at the Envoy whose turn it is. */
  CompletableFuture<Attempt> knock(int attempt, Map<String, String> headers) {
    return clients
        .open(uri(attempt), headers)
        .thenApply(
            ended -> {
              if (ended instanceof Opened opened) {
                entered.add(opened.connection());
              }
              return ended;
            });
  }

  /** Closes whatever a test has left open, which one that fails does not do itself. */
  void leave() {
    List<Connection> open = new ArrayList<>();
    for (Connection next = entered.poll(); next != null; next = entered.poll()) {
      open.add(next);
    }
    close(open);
    awaitActive(0);
  }

  /**
   * Opens as many, for a test of what comes after: who is refused, as when a machine that pauses
   * lets the second pass that a check has, tries again.
   */
  List<Connection> open(int count) {
    List<Connection> in = new ArrayList<>();
    Awaitility.await(count + " are open")
        .atMost(Duration.ofSeconds(30))
        .pollDelay(Duration.ZERO)
        .until(() -> in.addAll(opened(attempt(count - in.size(), Map.of()))) && in.size() == count);
    return in;
  }

  static List<Connection> opened(List<Attempt> attempts) {
    return attempts.stream()
        .filter(Opened.class::isInstance)
        .map(attempt -> ((Opened) attempt).connection())
        .toList();
  }

  static void close(List<Connection> connections) {
    CompletableFuture.allOf(
            connections.stream().map(Connection::close).toArray(CompletableFuture[]::new))
        .join();
  }

  JsonNode connections() {
    return get("/v1/pools/" + pool + "/connections");
  }

  int active() {
    return connections().path("active").asInt(-1);
  }

  int held() {
    JsonNode view = connections();
    return view.path("active").asInt(-1) + view.path("reserved").asInt(-1);
  }

  JsonNode get(String path) {
    return LedgerHttp.json(text(path));
  }

  String text(String path) {
    return http.send("GET", path, "").map(HttpResponse::body).orElse("{}");
  }

  /** What the ledger answers to a request that changes something; it must succeed. */
  JsonNode change(String method, String path, String body) {
    return http.change(method, path, body);
  }

  /** Whether the ledger is ready and every Envoy has its pods. */
  boolean ready() {
    return ledgerReady() && envoys.stream().allMatch(this::hasPods);
  }

  boolean ledgerReady() {
    return get("/health/ready").path("status").asText().equals("ready");
  }

  private boolean hasPods(EnvoyProcess envoy) {
    try {
      String clusters = envoy.admin("/clusters").body();
      return pods.stream()
          .allMatch(pod -> clusters.contains(pool + "::" + pod.address() + "::cx_active::"));
    } catch (IOException unreachable) {
      return false;
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException(interrupted);
    }
  }

  /** Waits until the ledger holds exactly {@code active} open connections and nothing reserved. */
  void awaitActive(int active) {
    // A slot whose client went away just as it was answered is free after its reservation and a
    // round of heartbeats.
    Awaitility.await("the ledger holds " + active)
        .atMost(Duration.ofSeconds(30))
        .pollInterval(Duration.ofMillis(50))
        .until(
            () -> connections(),
            view ->
                view.path("active").asInt(-1) == active && view.path("reserved").asInt(-1) == 0);
  }

  /** What each pod itself counts must be what the ledger says of it. */
  List<Integer> ledgerCounts() {
    JsonNode view = connections();
    return pods.stream().map(pod -> pod(view, pod)).toList();
  }

  List<Integer> podCounts() {
    return pods.stream().map(pod -> pod.count().current()).toList();
  }

  private static int pod(JsonNode view, WebSocketPod pod) {
    for (JsonNode entry : view.path("pods")) {
      if (entry.path("address").asText().equals(pod.address().toString())) {
        return entry.path("active").asInt();
      }
    }
    return -1;
  }

  @Override
  public void close() {
    clients.close();
    envoys.forEach(EnvoyProcess::close);
    pods.forEach(WebSocketPod::close);
    http.close();
  }
}
