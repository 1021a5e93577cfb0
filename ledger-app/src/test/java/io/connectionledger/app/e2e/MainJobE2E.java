package io.connectionledger.app.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.connectionledger.app.demo.LedgerPorts;
import io.connectionledger.app.envoy.EnvoyProbe;
import io.connectionledger.app.serve.LedgerNode;
import io.connectionledger.app.serve.MetricsPage;
import io.connectionledger.app.websocket.WebSocketClients.Attempt;
import io.connectionledger.app.websocket.WebSocketClients.Connection;
import io.connectionledger.app.websocket.WebSocketClients.Opened;
import io.connectionledger.app.websocket.WebSocketClients.Refused;
import io.connectionledger.app.websocket.WebSocketPod;
import io.connectionledger.model.Ticker;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;

/** The main job with everything real: Kafka, Envoys, pods, WebSockets. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class MainJobE2E {

  private static final int LIMIT = 50;

  private LedgerNode ledger;
  private Fleet chat;
  private Fleet paced;
  private Fleet watched;

  @BeforeAll
  void start(@TempDir Path folder) throws Exception {
    List<WebSocketPod> chatPods = Fleet.pods(3);
    List<WebSocketPod> pacedPods = Fleet.pods(3);
    List<WebSocketPod> watchedPods = Fleet.pods(2);
    ledger =
        Fleet.ledger(
            folder,
            """
            chat: { per-pod-max-connections: %d, pods: [%s] }
            paced:
              connections-per-second: 20
              burst-capacity: 5
              per-pod-max-connections: 10000
              pods: [%s]
            watched: { mode: shadow, per-pod-max-connections: 2, pods: [%s] }
            """
                .formatted(
                    LIMIT, Fleet.yaml(chatPods), Fleet.yaml(pacedPods), Fleet.yaml(watchedPods)));
    LedgerPorts ports = Fleet.ports(ledger);
    chat = Fleet.start("chat", chatPods, 3, ports, folder);
    paced = Fleet.start("paced", pacedPods, 3, ports, folder);
    watched = Fleet.start("watched", watchedPods, 1, ports, folder);
    Awaitility.await("ready")
        .atMost(Duration.ofSeconds(60))
        .until(() -> chat.ready() && paced.ready() && watched.ready());
  }

  @AfterEach
  void theLedgerAndThePodsAgree() {
    try {
      for (Fleet fleet : List.of(chat, paced, watched)) {
        Awaitility.await("ledger and pods of " + fleet.pool + " agree")
            .atMost(Duration.ofSeconds(20))
            .untilAsserted(() -> assertThat(fleet.ledgerCounts()).isEqualTo(fleet.podCounts()));
      }
    } finally {
      List.of(chat, paced, watched).forEach(Fleet::leave);
    }
  }

  @AfterAll
  void stop() {
    chat.close();
    paced.close();
    watched.close();
    ledger.close();
  }

  @Test
  void shouldAdmitExactlyTheLimitOfASimultaneousCrowd() {
    long seed = 20_261_121;
    List<Attempt> crowd = chat.attempt(400, Map.of());
    List<Connection> in = new ArrayList<>(Fleet.opened(crowd));

    assertThat(in).hasSize(3 * LIMIT);
    assertThat(crowd)
        .filteredOn(attempt -> !(attempt instanceof Opened))
        .hasSize(250)
        .allSatisfy(MainJobE2E::isFull);
    chat.awaitActive(3 * LIMIT);
    assertThat(chat.podCounts()).containsOnly(LIMIT);

    Collections.shuffle(in, new Random(seed));
    Fleet.close(in.subList(0, 30));
    chat.awaitActive(3 * LIMIT - 30);
    List<Attempt> second = chat.attempt(60, Map.of());

    assertThat(Fleet.opened(second)).hasSize(30);
    assertThat(chat.pods)
        .allSatisfy(pod -> assertThat(pod.count().peak()).isLessThanOrEqualTo(LIMIT));

    Fleet.close(in.subList(30, in.size()));
    Fleet.close(Fleet.opened(second));
    chat.awaitActive(0);
  }

  private static void isFull(Attempt attempt) {
    assertThat(attempt)
        .isInstanceOfSatisfying(
            Refused.class,
            refused -> {
              assertThat(refused.status()).isEqualTo(503);
              assertThat(refused.reason()).isEqualTo("pod_limit");
              assertThat(refused.retryAfterSeconds().orElse(0)).isPositive();
            });
  }

  @Test
  void shouldAdmitNoFasterThanTheTokenBucketOverAllEnvoys() throws Exception {
    ConcurrentLinkedQueue<CompletableFuture<Attempt>> started = new ConcurrentLinkedQueue<>();
    int attempts = 900;
    try (ScheduledExecutorService pace = Executors.newSingleThreadScheduledExecutor()) {
      var ticking =
          pace.scheduleAtFixedRate(
              () -> started.add(paced.knock(started.size(), Map.of())),
              0,
              15,
              TimeUnit.MILLISECONDS);
      Awaitility.await("demand for some 13 s")
          .atMost(Duration.ofSeconds(60))
          .until(() -> started.size() >= attempts);
      ticking.cancel(false);
    }
    List<Attempt> ended = started.stream().map(CompletableFuture::join).toList();
    List<Connection> in = new ArrayList<>(Fleet.opened(ended));
    Refused last =
        ended.stream()
            .filter(Refused.class::isInstance)
            .map(Refused.class::cast)
            .reduce((first, second) -> second)
            .orElseThrow();

    assertThat(ended)
        .filteredOn(attempt -> !(attempt instanceof Opened))
        .allSatisfy(
            attempt ->
                assertThat(attempt)
                    .isInstanceOfSatisfying(
                        Refused.class,
                        refused -> {
                          assertThat(refused.status()).isEqualTo(429);
                          assertThat(refused.reason()).isEqualTo("rate_limited");
                        }));
    List<JsonNode> decisions = Topic.decisions(ledger.bootstrapServers(), "paced");
    List<Long> admittedMs =
        decisions.stream()
            .filter(decision -> decision.path("type").asText().equals("allowed"))
            .map(decision -> decision.path("atMs").asLong())
            .toList();
    assertThat(admittedMs).hasSize(in.size());
    for (long from : admittedMs) {
      assertThat(admittedMs.stream().filter(at -> at >= from && at < from + 10_000).count())
          .as("admissions within 10 s from %d", from)
          .isLessThanOrEqualTo(205);
    }
    // Fewer than demand and bucket allow would be wrong too.
    assertThat((double) in.size()).isGreaterThanOrEqualTo(0.9 * allowedByBucket(decisions));

    long retryAfter = last.retryAfterSeconds().orElseThrow();
    Ticker ticker = Ticker.system();
    long againMs = ticker.nowMs() + Duration.ofSeconds(retryAfter).toMillis();
    Awaitility.await("retry-after")
        .atMost(Duration.ofSeconds(retryAfter + 5))
        .until(() -> ticker.nowMs() >= againMs);
    Attempt obedient = paced.knock(0, Map.of()).join();
    assertThat(obedient).isInstanceOf(Opened.class);
    in.add(((Opened) obedient).connection());

    Fleet.close(in);
    paced.awaitActive(0);
  }

  /** How many a bucket of 5, with 20 a second, lets in when each comes as late as it really did. */
  private static int allowedByBucket(List<JsonNode> decisions) {
    int allowed = 0;
    double tokens = 5;
    long lastMs = 0;
    for (long atMs :
        decisions.stream().mapToLong(d -> d.path("atMs").asLong()).sorted().toArray()) {
      tokens = Math.min(5, tokens + 20 * (atMs - lastMs) / 1e3);
      lastMs = atMs;
      if (tokens >= 1) {
        tokens--;
        allowed++;
      }
    }
    return allowed;
  }

  @Test
  void shouldExplainEveryAnswer() throws Exception {
    int port = chat.envoys.getFirst().listenerPort();
    List<String> welcome = EnvoyProbe.rawHandshake(port, "Upgrade: websocket");
    chat.awaitActive(0);
    List<Connection> in = chat.open(3 * LIMIT);
    List<String> refusal = EnvoyProbe.rawHandshake(port, "Upgrade: websocket");

    JsonNode allowed = explained(welcome);
    JsonNode rejected = explained(refusal);

    assertThat(welcome.getFirst()).contains("101");
    assertThat(allowed.path("outcome").asText()).isEqualTo("allowed");
    assertThat(allowed.path("pool").asText()).isEqualTo("chat");
    assertThat(allowed.path("state").path("limit").asInt()).isEqualTo(LIMIT);
    assertThat(refusal.getFirst()).contains("503");
    assertThat(rejected.path("reason").asText()).isEqualTo("pod_limit");
    assertThat(
            rejected.path("state").path("active").asInt()
                + rejected.path("state").path("reserved").asInt())
        .isEqualTo(3 * LIMIT);

    Fleet.close(in);
    chat.awaitActive(0);
  }

  /** What the ledger says of the decision whose id an answer carries. */
  private JsonNode explained(List<String> head) {
    String id =
        head.stream()
            .filter(line -> line.startsWith("x-ledger-decision: "))
            .map(line -> line.substring(line.indexOf(' ') + 1))
            .findFirst()
            .orElseThrow();
    return Awaitility.await("the decision " + id)
        .atMost(Duration.ofSeconds(20))
        .until(() -> chat.get("/v1/decisions/" + id), answer -> answer.has("outcome"));
  }

  @Test
  void shouldGiveNothingToAClientThatForgesHeaders() {
    String firstPod =
        Base64.getEncoder()
            .encodeToString(
                chat.pods.getFirst().address().toString().getBytes(StandardCharsets.UTF_8));
    Map<String, String> forged =
        Map.of(
            "x-request-id", "11111111-1111-1111-1111-111111111111",
            "x-ledger-pod", firstPod,
            "x-ledger-reservation", "mine",
            "x-ledger-pool", "paced",
            "x-envoy-auth-failure-mode-allowed", "true");

    List<Connection> in = Fleet.opened(chat.attempt(50, forged));

    assertThat(in).hasSize(50);
    chat.awaitActive(50);
    assertThat(chat.ledgerCounts()).containsExactlyInAnyOrder(17, 17, 16);

    Fleet.close(in);
    chat.awaitActive(0);
  }

  @Test
  void shouldShowEveryOpenAndCloseToAForeignConsumer() throws Exception {
    List<Connection> in = chat.open(40);
    chat.awaitActive(40);
    Fleet.close(in);
    chat.awaitActive(0);

    Topic topic = Topic.read(ledger.bootstrapServers());

    assertThat(topic.invalid()).isEmpty();
    for (WebSocketPod pod : chat.pods) {
      assertThat(topic.count("opened", pod.address())).isEqualTo(pod.count().opened());
      assertThat(topic.count("closed", pod.address())).isEqualTo(pod.count().closed());
    }
    assertThat(chat.pods.stream().mapToLong(pod -> pod.count().opened()).sum())
        .isGreaterThanOrEqualTo(40);
  }

  @Test
  void shouldLetPlainRequestsPassUntouchedAndUncounted() throws Exception {
    String before = chat.text("/metrics");

    String answer;
    try (HttpClient http = HttpClient.newHttpClient()) {
      URI uri = URI.create(chat.uri(0).toString().replace("ws:", "http:"));
      answer =
          http.send(HttpRequest.newBuilder(uri).build(), HttpResponse.BodyHandlers.ofString())
              .body();
    }

    assertThat(answer).isEqualTo("a pod, not a WebSocket");
    assertThat(
            sample(chat.text("/metrics"), "websocket_connections_attempted_total{pool=\"chat\"}"))
        .isEqualTo(sample(before, "websocket_connections_attempted_total{pool=\"chat\"}"));
  }

  @Test
  void shouldExportTheMetricsUnderTheNamesOfTheContract() {
    List<Connection> in = chat.open(3);
    chat.awaitActive(3);

    String page = chat.text("/metrics");

    assertThat(page).contains("# TYPE websocket_connections_active_total gauge");
    assertThat(sample(page, "websocket_connections_active_total{pool=\"chat\"}")).isEqualTo(3);
    assertThat(sample(page, "websocket_connections_per_pod{pool=\"chat\",pod=\"pod-1\"}"))
        .isEqualTo(1);
    assertThat(page)
        .contains("websocket_connections_rejected_total{")
        .contains("websocket_connection_rate_limited_total{")
        .contains("websocket_connections_attempted_total{")
        .contains("websocket_connections_established_total{")
        .contains("ledger_decision_seconds_bucket{")
        .contains("ledger_repairs_total")
        .contains("ledger_leases_expired_total");
    assertThat(chat.text("/websocket/metrics")).contains("websocket_connections_active_total{");
    assertThat(page)
        .contains(
            "grpc_server_processing_duration_seconds_count{",
            "kafka_producer_record_send_total{client_id=\"ledger-admission\"",
            "kafka_producer_record_send_total{client_id=\"ledger-ingest\"",
            "kafka_stream_alive_stream_threads",
            "jvm_memory_used_bytes{");
    // The contract's name for a gauge is the one thing that promtool does not like.
    assertThat(MetricsPage.problems(page))
        .containsExactly("websocket_connections_active_total: is a gauge");

    Fleet.close(in);
    chat.awaitActive(0);
  }

  @Test
  void shouldRejectNothingAndPlaceNothingInShadowMode() {
    List<Connection> in = Fleet.opened(watched.attempt(4, Map.of()));
    watched.awaitActive(4);
    in = new ArrayList<>(in);
    in.addAll(Fleet.opened(watched.attempt(16, Map.of())));

    assertThat(in).hasSize(20);
    watched.awaitActive(20);
    assertThat(watched.connections().path("mode").asText()).isEqualTo("shadow");
    // Envoy spreads as it likes: up to four of the others may have found room.
    assertThat(
            watched
                .get("/v1/pools/watched/rejections")
                .path("windows")
                .path("5m")
                .path("pod_limit")
                .asInt())
        .isBetween(12, 16);

    Fleet.close(in);
    watched.awaitActive(0);
  }

  private static double sample(String page, String name) {
    return page.lines()
        .filter(line -> line.startsWith(name + " "))
        .mapToDouble(line -> Double.parseDouble(line.substring(name.length() + 1)))
        .findFirst()
        .orElse(-1);
  }
}
