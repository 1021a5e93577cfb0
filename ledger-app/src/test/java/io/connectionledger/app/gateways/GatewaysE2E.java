package io.connectionledger.app.gateways;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.connectionledger.app.config.ConfigLoader;
import io.connectionledger.app.config.LedgerConfig;
import io.connectionledger.app.config.Role;
import io.connectionledger.app.demo.LedgerPorts;
import io.connectionledger.app.e2e.Fleet;
import io.connectionledger.app.e2e.LedgerHttp;
import io.connectionledger.app.envoy.EnvoyBinary;
import io.connectionledger.app.envoy.EnvoyProcess;
import io.connectionledger.app.serve.LedgerNode;
import io.connectionledger.app.websocket.WebSocketClients;
import io.connectionledger.app.websocket.WebSocketClients.Attempt;
import io.connectionledger.app.websocket.WebSocketClients.Connection;
import io.connectionledger.app.websocket.WebSocketClients.Opened;
import io.connectionledger.app.websocket.WebSocketClients.Refused;
import io.connectionledger.app.websocket.WebSocketPod;
import java.io.IOException;
import java.net.BindException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ThreadLocalRandom;
import java.util.stream.IntStream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Real Envoys as Envoy Gateway and Istio configure them, patched as {@code k8s/integrations} does,
 * with two pools behind each. They run before the ledger does: what they let in then is adopted,
 * and from then on limits are exact.
 */
class GatewaysE2E {

  /** Of each pod, of which a pool has two. */
  private static final int LIMIT = 10;

  private static final Duration PATIENCE = Duration.ofSeconds(30);

  /** More than three heartbeats of 2 s, after which a connection that is not heard is given up. */
  private static final Duration LONGER_THAN_A_LEASE = Duration.ofSeconds(8);

  @TempDir private Path folder;

  /**
   * A pool behind a gateway.
   *
   * @param path where clients find it
   * @param cluster Envoy's name for it
   * @param claims the keys by which the ledger knows it
   * @param early how many clients come while the ledger is away
   * @param unleased how many of those are let in, of 10 within a minute
   */
  private record Pool(
      String name,
      String path,
      String cluster,
      String claims,
      int early,
      int unleased,
      List<WebSocketPod> pods)
      implements AutoCloseable {

    static Pool of(String name, String cluster, String claims, int early, int unleased) {
      return new Pool(name, "/" + name, cluster, claims, early, unleased, Fleet.pods(2));
    }

    String yaml() {
      return "%s: { per-pod-max-connections: %d, %s, pods: [%s] }"
          .formatted(name, LIMIT, claims, Fleet.yaml(pods));
    }

    List<Integer> ports() {
      return pods.stream().map(pod -> pod.address().port()).toList();
    }

    @Override
    public void close() {
      pods.forEach(WebSocketPod::close);
    }
  }

  /**
   * Its checks name the pool chat by a context extension, and the pool game by nothing. While the
   * ledger is away each route lets in so many.
   */
  @Test
  void shouldLimitBehindEnvoyGateway() throws Exception {
    try (Pool chat =
            Pool.of(
                "chat",
                "httproute/chat/chat/rule/0",
                "clusters: ['httproute/chat/chat/rule/*']",
                15,
                10);
        Pool game =
            Pool.of(
                "game",
                "httproute/chat/game/rule/0",
                "hosts: [{ host: 127.0.0.1, path-prefix: /game }]",
                15,
                10)) {
      shouldLimit(
          GatewayBootstrap.ENVOY_GATEWAY,
          chat,
          game,
          List.of("accesslog_als_0_0"),
          List.of("securitypolicy/chat/chat/extauth/0", "securitypolicy/chat/game/extauth/0"));
    }
  }

  /** Its checks name no pool. While the ledger is away the Envoy lets in so many, to all pools. */
  @Test
  void shouldLimitBehindIstio() throws Exception {
    try (Pool chat =
            Pool.of(
                "chat",
                "outbound|8080||chat.chat.svc.cluster.local",
                "clusters: ['outbound|8080||chat.chat.svc.cluster.local'],"
                    + " hosts: [{ host: 127.0.0.1, path-prefix: /chat }]",
                6,
                6);
        Pool game =
            Pool.of(
                "game",
                "outbound|8080||game.game.svc.cluster.local",
                "hosts: [{ host: 127.0.0.1, path-prefix: /game }]",
                9,
                4)) {
      shouldLimit(
          GatewayBootstrap.ISTIO,
          chat,
          game,
          List.of("outbound|9001||ledger.connection-ledger.svc.cluster.local"),
          List.of("outbound|9002||ledger.connection-ledger.svc.cluster.local"));
    }
  }

  private void shouldLimit(
      GatewayBootstrap gateway, Pool chat, Pool game, List<String> als, List<String> authz)
      throws Exception {
    List<Pool> pools = List.of(chat, game);
    List<Integer> free = portsForLater(4);
    LedgerPorts ports = new LedgerPorts(free.get(0), free.get(1), free.get(2), free.get(3));
    Map<String, List<Integer>> endpoints = new HashMap<>();
    pools.forEach(pool -> endpoints.put(pool.cluster, pool.ports()));
    als.forEach(cluster -> endpoints.put(cluster, List.of(ports.als())));
    authz.forEach(cluster -> endpoints.put(cluster, List.of(ports.authz())));

    try (EnvoyProcess envoy =
            EnvoyProcess.start(
                EnvoyBinary.system().locate(),
                gateway.fitted(endpoints),
                2,
                Files.createDirectories(folder.resolve("envoy")));
        WebSocketClients clients = new WebSocketClients()) {
      Crowd crowd = new Crowd(clients, envoy.listenerPort());
      Map<Pool, List<Connection>> unleased = new HashMap<>();
      for (Pool pool : pools) {
        unleased.put(pool, crowd.enterWhileTheLedgerIsAway(pool));
      }

      try (LedgerNode ledger = ledger(ports, pools);
          LedgerHttp http = new LedgerHttp(ledger.httpPort().orElseThrow(), PATIENCE)) {
        Awaitility.await("ready")
            .atMost(Duration.ofMinutes(1))
            .until(() -> http.find("/health/ready").isPresent());
        for (Pool pool : pools) {
          awaitCounts(http, pool, pool.unleased, pool.unleased);
        }

        Map<Pool, List<Connection>> admitted = new HashMap<>();
        for (Pool pool : pools) {
          admitted.put(pool, crowd.fill(pool));
        }
        for (Pool pool : pools) {
          assertThat(pool.pods).allMatch(pod -> pod.count().current() == LIMIT);
          awaitCounts(http, pool, 2 * LIMIT, pool.unleased);
        }

        Awaitility.await("heartbeats keep every connection")
            .during(LONGER_THAN_A_LEASE)
            .atMost(PATIENCE)
            .until(
                () ->
                    pools.stream().allMatch(pool -> counts(http, pool, 2 * LIMIT, pool.unleased)));
        assertThat(metrics(http)).contains("ledger_leases_expired_total 0.0");

        for (Pool pool : pools) {
          close(unleased.get(pool));
          awaitCounts(http, pool, 2 * LIMIT - pool.unleased, 0);
          awaitReadiness(http, pool, gateway.read().at("/node/id").asText());
          close(admitted.get(pool));
          awaitCounts(http, pool, 0, 0);
          assertThat(pool.pods).allMatch(pod -> pod.count().peak() == LIMIT);
        }
      }
    }
  }

  /**
   * Free ports below those that the system gives to clients, one of whom could have it by the time
   * that the ledger comes.
   */
  private static List<Integer> portsForLater(int count) throws IOException {
    List<Integer> ports = new ArrayList<>();
    while (ports.size() < count) {
      int port = ThreadLocalRandom.current().nextInt(20_000, 32_768);
      try (ServerSocket socket = new ServerSocket(port, 1, InetAddress.getLoopbackAddress())) {
        if (!ports.contains(port)) {
          ports.add(socket.getLocalPort());
        }
      } catch (BindException taken) {
        assertThat(taken).as("another one then").hasMessageContaining("in use");
      }
    }
    return ports;
  }

  private LedgerNode ledger(LedgerPorts ports, List<Pool> pools)
      throws IOException, InterruptedException {
    Path file =
        Files.writeString(
            folder.resolve("ledger.yaml"),
            """
            data-dir: %s
            kafka: { port: 0 }
            als: { port: %d }
            authz: { port: %d }
            http: { port: %d }
            xds: { port: %d }
            lease: { heartbeat: 2s }
            pools:
              %s
              %s
            """
                .formatted(
                    folder.resolve("data"),
                    ports.als(),
                    ports.authz(),
                    ports.http(),
                    ports.xds(),
                    pools.getFirst().yaml(),
                    pools.getLast().yaml()));
    LedgerConfig config = ConfigLoader.load(file, Map.of());
    return LedgerNode.start(config, Role.resolve(Optional.empty(), config.kafka()));
  }

  /** Clients of one gateway. */
  private record Crowd(WebSocketClients clients, int port) {

    /** Clients none of whom may say where to go to. */
    List<Connection> enterWhileTheLedgerIsAway(Pool pool) throws Exception {
      String nowhere =
          Base64.getEncoder().encodeToString("127.0.0.1:1".getBytes(StandardCharsets.US_ASCII));
      List<Attempt> attempts =
          attempt(pool, pool.early, Map.of("x-ledger-pod", nowhere, "x-envoy-max-retries", "3"));

      List<Connection> in = opened(attempts);
      assertThat(in).as("%s", attempts).hasSize(pool.unleased);
      assertThat(attempts)
          .filteredOn(attempt -> attempt instanceof Refused refused && refused.status() == 429)
          .hasSize(pool.early - pool.unleased);
      assertThat(pool.pods).allMatch(pod -> pod.headersOfOpen("x-ledger-pod").isEmpty());
      assertThat(plain(pool).statusCode()).isEqualTo(200);
      assertThat(plain(pool).headers().firstValue("x-ledger-pod")).isEmpty();
      return in;
    }

    /** Several times as many as there is room for, until nobody gets in any more. */
    List<Connection> fill(Pool pool) {
      List<Connection> in = new ArrayList<>();
      Awaitility.await(pool.name + " is full")
          .atMost(PATIENCE)
          .until(
              () ->
                  in.addAll(opened(attempt(pool, 3 * LIMIT, Map.of())))
                      && in.size() >= 2 * LIMIT - pool.unleased);
      assertThat(in).hasSize(2 * LIMIT - pool.unleased);
      List<Attempt> late = attempt(pool, 3 * LIMIT, Map.of());
      assertThat(opened(late)).isEmpty();
      assertThat(late)
          .filteredOn(Refused.class::isInstance)
          .extracting(attempt -> ((Refused) attempt).reason())
          .contains("pod_limit");
      return in;
    }

    private List<Attempt> attempt(Pool pool, int count, Map<String, String> headers) {
      URI uri = URI.create("ws://127.0.0.1:" + port + pool.path);
      List<CompletableFuture<Attempt>> attempts =
          IntStream.range(0, count).mapToObj(i -> clients.open(uri, headers)).toList();
      return attempts.stream().map(CompletableFuture::join).toList();
    }

    private HttpResponse<String> plain(Pool pool) throws IOException, InterruptedException {
      try (HttpClient client = HttpClient.newHttpClient()) {
        return client.send(
            HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + pool.path)).build(),
            HttpResponse.BodyHandlers.ofString());
      }
    }
  }

  private static List<Connection> opened(List<Attempt> attempts) {
    return attempts.stream()
        .filter(Opened.class::isInstance)
        .map(attempt -> ((Opened) attempt).connection())
        .toList();
  }

  private static void close(List<Connection> connections) {
    CompletableFuture.allOf(
            connections.stream().map(Connection::close).toArray(CompletableFuture[]::new))
        .join();
  }

  private static void awaitCounts(LedgerHttp http, Pool pool, int active, int unleased) {
    Awaitility.await("%s holds %d, %d of them unleased".formatted(pool.name, active, unleased))
        .atMost(PATIENCE)
        .until(() -> counts(http, pool, active, unleased));
  }

  private static boolean counts(LedgerHttp http, Pool pool, int active, int unleased) {
    JsonNode view = view(http, pool, "connections");
    return view.path("active").asInt(-1) == active
        && view.path("reserved").asInt(-1) == 0
        && view.path("unleased").asInt(-1) == unleased;
  }

  private static void awaitReadiness(LedgerHttp http, Pool pool, String node) {
    JsonNode readiness =
        Awaitility.await(pool.name + " is ready")
            .atMost(PATIENCE)
            .until(
                () -> view(http, pool, "readiness"),
                view ->
                    view.path("ready").asBoolean() && view.path("completeness").asDouble() == 1);
    assertThat(readiness.path("reasons")).isEmpty();
    assertThat(readiness.at("/envoys/0/node").asText()).isEqualTo(node);
  }

  private static JsonNode view(LedgerHttp http, Pool pool, String of) {
    return LedgerHttp.json(http.find("/v1/pools/" + pool.name + "/" + of).orElse("{}"));
  }

  private static String metrics(LedgerHttp http) {
    return http.find("/metrics").orElseThrow();
  }
}
