package io.connectionledger.app.envoy;

import static io.connectionledger.testkit.PolicyFixtures.record;
import static io.envoyproxy.envoy.data.accesslog.v3.AccessLogType.DownstreamEnd;
import static io.envoyproxy.envoy.data.accesslog.v3.AccessLogType.DownstreamPeriodic;
import static io.envoyproxy.envoy.data.accesslog.v3.AccessLogType.DownstreamStart;
import static io.envoyproxy.envoy.data.accesslog.v3.AccessLogType.DownstreamTunnelSuccessfullyEstablished;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.connectionledger.app.websocket.WebSocketClients;
import io.connectionledger.app.websocket.WebSocketClients.Attempt;
import io.connectionledger.app.websocket.WebSocketClients.Broken;
import io.connectionledger.app.websocket.WebSocketClients.Opened;
import io.connectionledger.app.websocket.WebSocketClients.Refused;
import io.connectionledger.app.websocket.WebSocketPod;
import io.connectionledger.model.PodAddress;
import io.connectionledger.model.policy.Pod;
import io.connectionledger.model.policy.PoolPolicy;
import io.connectionledger.testkit.FreePorts;
import io.envoyproxy.envoy.service.auth.v3.AttributeContext;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.URI;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What the bootstrap file makes the real Envoy do. */
final class EnvoyProcessE2E {

  private static final Path BOOTSTRAP = Path.of("..", "envoy", "envoy.yaml");

  @TempDir private Path folder;

  private final List<AutoCloseable> parts = new ArrayList<>();
  private WebSocketPod first;
  private WebSocketPod second;
  private LedgerStandIn ledger;
  private WebSocketClients clients;

  @BeforeEach
  void start() throws IOException {
    first = part(WebSocketPod.start());
    second = part(WebSocketPod.start());
    ledger = part(new LedgerStandIn(List.of(pool(first, second))));
    clients = part(new WebSocketClients());
  }

  @AfterEach
  void stop() throws Exception {
    for (AutoCloseable part : parts.reversed()) {
      part.close();
    }
  }

  @Test
  void shouldAcceptTheBootstrapFileAsItIs() throws Exception {
    // When
    Process envoy =
        new ProcessBuilder(
                EnvoyBinary.system().locate().toString(),
                "--mode",
                "validate",
                "-c",
                BOOTSTRAP.toString())
            .redirectErrorStream(true)
            .start();
    String output = new String(envoy.getInputStream().readAllBytes(), StandardCharsets.UTF_8);

    // Then
    assertThat(output).contains("OK").doesNotContain("deprecated").doesNotContain("[warning]");
    assertThat(envoy.waitFor()).isZero();
  }

  @Test
  void shouldPlaceEveryWebSocketOnThePodThatTheLedgerNamed() throws Exception {
    // Given
    EnvoyProcess envoy = envoy();
    ledger.answer(() -> LedgerStandIn.place(second.address(), "r-1"));

    // When
    List<Opened> opened = openAll(envoy, 20, Map.of());

    // Then
    assertThat(opened).hasSize(20);
    await().untilAsserted(() -> assertThat(second.count().current()).isEqualTo(20));
    assertThat(first.count().opened()).isZero();
    AttributeContext.HttpRequest check =
        ledger.checks.getFirst().getAttributes().getRequest().getHttp();
    assertThat(ledger.checks.getFirst().getAttributes().getContextExtensionsMap())
        .containsEntry("pool", "chat");
    assertThat(check.getHeadersMap()).containsEntry("upgrade", "websocket");
    assertThat(check.getHeadersMap()).doesNotContainKey("sec-websocket-key");
  }

  @Test
  void shouldGetItsPodsSoonAfterTheLedgerCame() throws Exception {
    // Given: an Envoy that has been asking in vain for longer than it waits with its listeners
    int port = FreePorts.one();
    EnvoyProcess envoy = envoy(EnvoyOptions.of("envoy-test", port, port, port));
    assertThat(envoy.admin("/clusters").body()).doesNotContain(first.address().toString());

    // When
    part(new LedgerStandIn(List.of(pool(first, second)), port));

    // Then: far below the 30 s to which Envoy backs off by default
    await()
        .atMost(Duration.ofSeconds(10))
        .untilAsserted(
            () ->
                assertThat(envoy.admin("/clusters").body())
                    .contains(first.address().toString(), second.address().toString()));
  }

  @Test
  void shouldReportEveryConnectionWithItsReservationFromOpenToClose() throws Exception {
    // Given
    EnvoyProcess envoy = envoy();
    ledger.answer(() -> LedgerStandIn.place(first.address(), "r-1"));
    Opened opened = openAll(envoy, 1, Map.of()).getFirst();
    await().until(() -> ledger.entries(DownstreamPeriodic).size() >= 2);

    // When
    opened.connection().close().join();

    // Then
    await().until(() -> !ledger.entries(DownstreamEnd).isEmpty());
    assertThat(ledger.nodes).containsOnly("envoy-test");
    assertThat(ledger.entries(DownstreamStart)).isEmpty();
    assertThat(ledger.entries(DownstreamTunnelSuccessfullyEstablished)).hasSize(1);
    assertThat(ledger.entries)
        .allSatisfy(
            entry -> {
              assertThat(EnvoyProbe.metadata(entry, "reservation")).isEqualTo("r-1");
              assertThat(EnvoyProbe.upstream(entry)).isEqualTo(first.address());
              assertThat(entry.getCommonProperties().getUpstreamCluster()).isEqualTo("chat");
              assertThat(entry.getResponse().getResponseCode().getValue()).isEqualTo(101);
              assertThat(entry.getRequest().getRequestHeadersMap())
                  .containsEntry("upgrade", "websocket");
            });
  }

  @Test
  void shouldLetNoClientSteer() throws Exception {
    // Given: a refusing pod, so that a retry would show on the other one
    EnvoyProcess envoy = envoy();
    ledger.answer(() -> LedgerStandIn.place(first.address(), "r-1"));
    first.refuse(503);

    // When
    List<Attempt> attempts =
        attemptAll(
            envoy,
            10,
            Map.of(
                "x-ledger-pod", "MTI3LjAuMC4xOjE=",
                "x-envoy-auth-failure-mode-allowed", "true",
                "x-envoy-retry-on", "5xx,connect-failure,reset,retriable-status-codes",
                "x-envoy-retriable-status-codes", "503",
                "x-envoy-max-retries", "5",
                "x-envoy-upstream-rq-timeout-ms", "1",
                "x-request-id", "11111111-1111-1111-1111-111111111111"));

    // Then
    assertThat(attempts)
        .allSatisfy(
            attempt ->
                assertThat(attempt)
                    .isInstanceOfSatisfying(
                        Refused.class, refused -> assertThat(refused.status()).isEqualTo(503)));
    assertThat(second.count().opened()).isZero();
    assertThat(ledger.checks)
        .hasSize(10)
        .extracting(
            check -> check.getAttributes().getRequest().getHttp().getHeadersOrThrow("x-request-id"))
        .doesNotHaveDuplicates();
    await().until(() -> ledger.entries(DownstreamEnd).size() == 10);
    assertThat(ledger.entries(DownstreamEnd))
        .allSatisfy(
            entry -> {
              assertThat(entry.getCommonProperties().getUpstreamRequestAttemptCount()).isEqualTo(1);
              assertThat(EnvoyProbe.upstream(entry)).isEqualTo(first.address());
              assertThat(EnvoyProbe.metadata(entry, "reservation")).isEqualTo("r-1");
            });
  }

  @Test
  void shouldRefuseRatherThanPlaceOnAnotherPod() throws Exception {
    // Given
    EnvoyProcess envoy = envoy();
    ledger.answer(() -> LedgerStandIn.place(new PodAddress("127.0.0.1", 1), "r-1"));

    // When
    List<Attempt> attempts = attemptAll(envoy, 5, Map.of());

    // Then
    assertThat(attempts)
        .allSatisfy(
            attempt ->
                assertThat(attempt)
                    .isInstanceOfSatisfying(
                        Refused.class, refused -> assertThat(refused.status()).isEqualTo(503)));
    assertThat(first.count().opened() + second.count().opened()).isZero();
  }

  @Test
  void shouldBoundWhatPassesWhileTheLedgerIsAway() throws Exception {
    // Given
    EnvoyProcess envoy = envoy();
    ledger.answer(
        () -> {
          throw new IllegalStateException("away");
        });

    // When
    List<Attempt> attempts = attemptAll(envoy, 40, Map.of());

    // Then: the bucket of ten, and what it refills meanwhile
    List<Refused> refused =
        attempts.stream().filter(Refused.class::isInstance).map(Refused.class::cast).toList();
    assertThat(attempts).filteredOn(Opened.class::isInstance).hasSizeBetween(10, 15);
    assertThat(attempts).filteredOn(Broken.class::isInstance).isEmpty();
    assertThat(refused).allMatch(attempt -> attempt.status() == 429);
    assertThat(refused).allMatch(attempt -> attempt.retryAfterSeconds().isPresent());
    HttpResponse<String> plain = EnvoyProbe.get(envoy);
    assertThat(plain.statusCode()).isEqualTo(200);
  }

  @Test
  void shouldTellNoClientWhereItsPodIs() throws Exception {
    // Given: an answer without a pod, so that stateful_session wants to tell
    EnvoyProcess envoy = envoy();

    // When
    List<String> handshake = EnvoyProbe.rawHandshake(envoy.listenerPort(), "Upgrade: websocket");
    HttpResponse<String> plain = EnvoyProbe.get(envoy);

    // Then
    assertThat(handshake.getFirst()).startsWith("HTTP/1.1 101");
    assertThat(handshake).noneMatch(line -> line.regionMatches(true, 0, "x-ledger-pod", 0, 12));
    assertThat(plain.headers().firstValue("x-ledger-pod")).isEmpty();
  }

  @Test
  void shouldAskAboutWebSocketsOnlyHoweverTheyAreSpelt() throws Exception {
    // Given
    EnvoyProcess envoy = envoy();

    // When
    HttpResponse<String> plain = EnvoyProbe.get(envoy);
    List<String> shouted = EnvoyProbe.rawHandshake(envoy.listenerPort(), "UPGRADE: WebSocket");
    List<String> foreign =
        EnvoyProbe.rawHandshake(envoy.listenerPort(), "Upgrade: websocket, other");

    // Then
    assertThat(plain.statusCode()).isEqualTo(200);
    assertThat(shouted.getFirst()).startsWith("HTTP/1.1 101");
    assertThat(foreign.getFirst()).startsWith("HTTP/1.1 403");
    assertThat(ledger.checks).hasSize(1);
    await()
        .untilAsserted(
            () -> assertThat(first.count().opened() + second.count().opened()).isEqualTo(1));
  }

  @Test
  void shouldFollowThePodsOfThePool() throws Exception {
    // Given
    ledger.eds.update(List.of(record(pool(first))));
    EnvoyProcess envoy = envoy();
    await()
        .untilAsserted(() -> assertThat(EnvoyProbe.podsOf(envoy)).containsExactly(first.address()));

    // When
    ledger.eds.update(List.of(record(pool(first, second))));

    // Then
    await()
        .untilAsserted(
            () ->
                assertThat(EnvoyProbe.podsOf(envoy))
                    .containsExactlyInAnyOrder(first.address(), second.address()));
    long updates = EnvoyProbe.stat(envoy, "cluster.chat.update_success");
    ledger.eds.update(List.of(record(pool(second, first))));
    ledger.eds.update(List.of(record(pool(second))));
    await()
        .untilAsserted(
            () -> assertThat(EnvoyProbe.podsOf(envoy)).containsExactly(second.address()));
    ledger.eds.update(List.of(record(pool())));
    await().untilAsserted(() -> assertThat(EnvoyProbe.podsOf(envoy)).isEmpty());
    assertThat(EnvoyProbe.stat(envoy, "cluster.chat.update_success")).isEqualTo(updates + 2);
    assertThat(EnvoyProbe.stat(envoy, "cluster.chat.update_rejected")).isZero();
  }

  @Test
  void shouldStartWithoutAnyPod() throws Exception {
    // Given
    ledger.eds.update(List.of(record(pool())));

    // When
    EnvoyProcess envoy = envoy();

    // Then
    assertThat(attemptAll(envoy, 1, Map.of()).getFirst())
        .isInstanceOfSatisfying(
            Refused.class, refused -> assertThat(refused.status()).isEqualTo(503));
  }

  @Test
  void shouldServeAPoolOfAnotherName() throws Exception {
    // Given
    ledger.eds.update(
        List.of(
            record(
                new PoolPolicy(
                    "games",
                    1,
                    1,
                    1,
                    PoolPolicy.Mode.ENFORCE,
                    PoolPolicy.OnOwnerLoss.SHARE,
                    List.of(new Pod("only", second.address()))))));
    EnvoyProcess envoy = envoy(options().withPool("games"));

    // When
    List<Opened> opened = openAll(envoy, 1, Map.of());

    // Then
    assertThat(opened).hasSize(1);
    await().untilAsserted(() -> assertThat(second.count().opened()).isEqualTo(1));
    assertThat(ledger.checks.getFirst().getAttributes().getContextExtensionsMap())
        .containsEntry("pool", "games");
  }

  @Test
  void shouldLeaveNoProcessBehind() throws Exception {
    // Given
    EnvoyProcess killed = envoy();
    EnvoyProcess terminated = envoy();

    // When
    killed.kill();
    terminated.terminate();

    // Then
    assertThat(ProcessHandle.of(killed.pid())).isEmpty();
    assertThat(ProcessHandle.of(terminated.pid())).isEmpty();
    assertThat(ProcessHandle.current().children().map(ProcessHandle::pid).toList()).isEmpty();
  }

  @Test
  void shouldNotOutliveAProcessThatIsKilled() throws Exception {
    // Given
    Process owner = EnvoyOwner.launch(ledger.port(), Files.createTempDirectory(folder, "owned-"));
    long pid =
        Long.parseLong(
            new BufferedReader(new InputStreamReader(owner.getInputStream(), UTF_8)).readLine());
    ProcessHandle envoy = ProcessHandle.of(pid).orElseThrow();

    // When
    owner.destroyForcibly();

    // Then
    await().until(() -> !envoy.isAlive());
  }

  @Test
  void shouldCountAThousandConnectionsAndTheirAbruptEnd() throws Exception {
    // Given: a thousand at once are more than this JVM, still cold, can answer in a second
    EnvoyProcess envoy = envoy(options().withCheckTimeout(Duration.ofSeconds(20)));
    List<Opened> opened = openAll(envoy, 1_000, Map.of());
    await()
        .untilAsserted(
            () -> assertThat(first.count().current() + second.count().current()).isEqualTo(1_000));

    // When
    opened.subList(0, 500).forEach(each -> each.connection().abort());

    // Then
    await()
        .untilAsserted(
            () -> assertThat(first.count().current() + second.count().current()).isEqualTo(500));
    envoy.kill();
    await()
        .untilAsserted(
            () -> assertThat(first.count().current() + second.count().current()).isZero());
    assertThat(first.count().peak() + second.count().peak()).isEqualTo(1_000);
  }

  private EnvoyOptions options() {
    return EnvoyOptions.of("envoy-test", ledger.port(), ledger.port(), ledger.port())
        .withHeartbeat(Duration.ofSeconds(1));
  }

  private EnvoyProcess envoy() throws Exception {
    return envoy(options());
  }

  private EnvoyProcess envoy(EnvoyOptions options) throws Exception {
    Path own = Files.createTempDirectory(folder, "envoy-");
    return part(EnvoyProcess.start(EnvoyBinary.system().locate(), BOOTSTRAP, options, own));
  }

  private <T extends AutoCloseable> T part(T part) {
    parts.add(part);
    return part;
  }

  private List<Attempt> attemptAll(EnvoyProcess envoy, int count, Map<String, String> headers) {
    URI uri = URI.create("ws://127.0.0.1:" + envoy.listenerPort() + "/");
    List<CompletableFuture<Attempt>> attempts =
        Stream.generate(() -> clients.open(uri, headers)).limit(count).toList();
    return attempts.stream().map(CompletableFuture::join).toList();
  }

  private List<Opened> openAll(EnvoyProcess envoy, int count, Map<String, String> headers) {
    List<Attempt> attempts = attemptAll(envoy, count, headers);
    assertThat(attempts).filteredOn(attempt -> !(attempt instanceof Opened)).isEmpty();
    return attempts.stream().map(Opened.class::cast).toList();
  }

  private static PoolPolicy pool(WebSocketPod... pods) {
    return new PoolPolicy(
        "chat",
        1,
        10,
        2,
        PoolPolicy.Mode.ENFORCE,
        PoolPolicy.OnOwnerLoss.SHARE,
        Stream.of(pods).map(pod -> new Pod("pod-" + pod.address().port(), pod.address())).toList());
  }
}
