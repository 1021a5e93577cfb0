package io.connectionledger.admission.http;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.connectionledger.admission.ScriptedLedger;
import io.connectionledger.admission.ScriptedPolicies;
import io.connectionledger.admission.http.auth.AccessSettings;
import io.connectionledger.admission.http.auth.HttpAccess;
import io.connectionledger.admission.http.auth.OidcIssuer;
import io.connectionledger.admission.stream.SseReader;
import io.connectionledger.model.PodAddress;
import io.connectionledger.model.event.ConnectionIds;
import io.connectionledger.model.event.Decision;
import io.connectionledger.model.event.DecisionInputs;
import io.connectionledger.model.event.RejectionReason;
import io.connectionledger.model.policy.DrainPace;
import io.connectionledger.model.policy.Pod;
import io.connectionledger.model.policy.PolicyRecord;
import io.connectionledger.model.policy.PoolPolicy;
import io.connectionledger.model.policy.PoolPolicy.Mode;
import io.connectionledger.model.view.PoolHistory;
import io.connectionledger.model.view.PoolReadiness;
import io.connectionledger.model.view.PoolReadiness.EnvoyView;
import io.connectionledger.model.view.PoolRejections;
import io.connectionledger.model.view.PoolRejections.PodRejections;
import io.connectionledger.model.view.PoolReport;
import io.connectionledger.model.view.PoolScaling;
import io.connectionledger.model.view.PoolView;
import io.connectionledger.model.view.PoolView.PodView;
import io.connectionledger.model.view.PoolView.State;
import io.connectionledger.model.view.Simulation;
import io.connectionledger.model.view.Simulation.Outcome;
import io.connectionledger.model.view.Simulation.Peak;
import io.connectionledger.model.view.SimulationRefusedException;
import io.connectionledger.model.view.SimulationRefusedException.Why;
import io.connectionledger.model.view.Simulations;
import io.connectionledger.testkit.PolicyFixtures;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The description of the API and the running server agree. */
@Timeout(60)
final class OpenApiIT {

  private static final long NOW_MS = 1_700_000_000_123L;
  private static final PodAddress POD = PodAddress.parse("10.0.0.1:80");
  private static final PodAddress POD_6 = PodAddress.parse("[fd00::7]:80");
  private static final String POOL = "/v1/pools/{pool}/";
  private static final String DRAIN = POOL + "pods/{address}/drain";

  private final ScriptedLedger ledger = new ScriptedLedger();
  private final ScriptedPolicies policies = new ScriptedPolicies();
  private final ScriptedArchive archive = new ScriptedArchive();
  private volatile List<String> unready = List.of();
  private volatile @Nullable Why refusal;
  private final QueryServer server = start();
  private final HttpClient client = HttpClient.newHttpClient();
  private final ApiDescription api;

  OpenApiIT() throws Exception {
    ledger.pools.add("chat");
    ledger.pools.add("elsewhere");
    ledger.connections.put("chat", pool(State.values()));
    ledger.readiness.put("chat", readiness(true));
    ledger.rejections.put("chat", rejections());
    ledger.reports.put("chat", report(null));
    ledger.pools.add("copied");
    ledger.standbys.put("copied", report(1_500L));
    policies.records.put("chat", policy());
    api = new ApiDescription(send("GET", "/openapi.json", "").body());
  }

  private QueryServer start() {
    TestServer test = new TestServer();
    test.ledger = ledger;
    test.policies = policies;
    test.decisions = archive;
    test.simulations = this::simulate;
    test.metrics = () -> "up 1\n";
    test.unready = () -> unready;
    return test.start();
  }

  @AfterEach
  void stop() {
    client.shutdownNow();
    server.close();
  }

  @Test
  void shouldAnswerAllThatIsDocumentedAndNothingElse() throws Exception {
    for (String plain :
        List.of("/openapi.json", "/v1/pools", "/metrics", "/websocket/metrics", "/health/live")) {
      see("GET", plain, plain, 200);
    }
    see("GET", "/v1/pools", "/v1/pools?limit=1", 200);
    see("GET", "/v1/pools", "/v1/pools?limit=none", 400);
    see("GET", "/v1/pools", "/v1/pools", "", 304, "if-none-match", "*");
    for (String what : List.of("connections", "rejections", "scaling", "readiness", "detailed")) {
      see("GET", POOL + what, "/v1/pools/chat/" + what, 200);
      see("GET", POOL + what, "/v1/pools/chat/" + what + "?limit=1", 200);
      see("GET", POOL + what, "/v1/pools/copied/" + what, 200);
      see("GET", POOL + what, "/v1/pools/chat/" + what, "", 304, "if-none-match", "*");
      if (!what.equals("readiness")) {
        see("GET", POOL + what, "/v1/pools/chat/" + what + "?limit=0", 400);
      }
      see("GET", POOL + what, "/v1/pools/nope/" + what, 404);
      see("GET", POOL + what, "/v1/pools/elsewhere/" + what, 503);
    }
    seePolicy();
    seeDrain();
    seeStream();
    seeSimulation();
    seeDecision();
    seeRefusedCallers();
    seeFigures();
    see("GET", "/health/ready", "/health/ready", 200);
    unready = List.of("restoring");
    see("GET", "/health/ready", "/health/ready", 503);

    assertThat(api.seen()).isEqualTo(api.documented());
  }

  private void seeFigures() throws Exception {
    see("GET", "/v1/figures", "/v1/figures", 200);
    see("GET", "/v1/figures", "/v1/figures?limit=none", 400);
    see("GET", "/v1/figures", "/v1/figures", "", 304, "if-none-match", "*");
    ledger.histories.put(
        "chat",
        new PoolHistory(
            "chat",
            NOW_MS,
            NOW_MS - 20_000,
            10_000,
            List.of(4L, 5L),
            List.of(3L, 2L),
            List.of(0L, 1L),
            List.of(0L, 1L),
            new TreeMap<>(Map.of("pod_limit", List.of(1L, 0L)))));
    for (String what : List.of("figures", "history")) {
      see("GET", POOL + what, "/v1/pools/chat/" + what, 200);
      see("GET", POOL + what, "/v1/pools/chat/" + what, "", 304, "if-none-match", "*");
      see("GET", POOL + what, "/v1/pools/nope/" + what, 404);
      see("GET", POOL + what, "/v1/pools/elsewhere/" + what, 503);
    }
    see("GET", POOL + "figures", "/v1/pools/copied/figures", 200);
    see("GET", POOL + "decisions", "/v1/pools/chat/decisions", 200);
    see("GET", POOL + "decisions", "/v1/pools/chat/decisions?after=1&limit=1", 200);
    see("GET", POOL + "decisions", "/v1/pools/chat/decisions?after=-1", 400);
    see("GET", POOL + "decisions", "/v1/pools/nope/decisions", 404);
    archive.decisions.clear();
    see("GET", POOL + "decisions", "/v1/pools/chat/decisions", 503);
  }

  private void seePolicy() throws Exception {
    String policy = "/v1/pools/chat/policy";
    see("GET", POOL + "policy", policy, 200);
    see("GET", POOL + "policy", policy, "", 304, "if-none-match", "*");
    see("GET", POOL + "policy", "/v1/pools/nope/policy", 404);
    see("GET", POOL + "policy", "/v1/pools/elsewhere/policy", 503);
    see("PUT", POOL + "policy", policy, "{\"connectionsPerSecond\":2.5}", 200);
    see("GET", POOL + "policy", policy, 200);
    see("PUT", POOL + "policy", policy, "{\"perPodMaxConnections\":0}", 400);
    see("PUT", POOL + "policy", policy, "<policy/>", 415, "content-type", "text/xml");
    see("PUT", POOL + "policy", policy, " ".repeat(1_000_001), 413);
    see("PUT", POOL + "policy", "/v1/pools/nope/policy", "{}", 404);
    see("DELETE", POOL + "policy", "/v1/pools/nope/policy", 404);
    see("DELETE", POOL + "policy", policy, 200);
    policies.failure = new IllegalStateException("away");
    see("PUT", POOL + "policy", policy, "{\"burstCapacity\":3}", 503);
    see("DELETE", POOL + "policy", policy, 503);
    policies.failure = null;
  }

  private void seeDrain() throws Exception {
    String pod = "/v1/pools/chat/pods/%5Bfd00::7%5D:80/drain";
    see("DELETE", DRAIN, "/v1/pools/chat/pods/10.0.0.9:80/drain", 404);
    see("PUT", DRAIN, "/v1/pools/chat/pods/10.0.0.9:80/drain", 404);
    see("PUT", DRAIN, pod, 200);
    see("PUT", DRAIN, pod + "?within=soon", 400);
    see("PUT", DRAIN, pod + "?within=10m", 200);
    see("GET", POOL + "connections", "/v1/pools/chat/connections", 200);
    see("GET", POOL + "detailed", "/v1/pools/chat/detailed", 200);
    see("GET", POOL + "policy", "/v1/pools/chat/policy", 200);
    policies.failure = new IllegalStateException("away");
    see("DELETE", DRAIN, pod, 503);
    see("PUT", DRAIN, "/v1/pools/chat/pods/10.0.0.1:80/drain", 503);
    policies.failure = null;
    see("DELETE", DRAIN, pod, 200);
  }

  private void seeStream() throws Exception {
    String stream = POOL + "stream";
    see("GET", stream, "/v1/pools/nope/stream", 404);
    see("GET", stream, "/v1/pools/elsewhere/stream", 503);
    see("GET", stream, "/v1/pools/chat/stream", "", 406, "accept", "application/json");
    try (SseReader reader = SseReader.of(client, uri("/v1/pools/chat/stream"))) {
      await().until(() -> reader.events.size() == 1);
      policies.records.put(
          "chat", policy().withDrain(POD, new DrainPace(NOW_MS, NOW_MS + 60_000, 9), NOW_MS));
      await().until(() -> reader.types().contains("policy"));
      ledger.readiness.put("chat", readiness(false));
      await().until(() -> reader.types().contains("readiness"));
      ledger.connections.put("chat", pool(State.DRAINING));
      ledger.watcher.changed("chat", Objects.requireNonNull(ledger.connections.get("chat")).pods());
      await().until(() -> reader.types().contains("connections"));
      JsonNode schemas = api.events(stream);
      for (SseReader.SseEvent event : reader.events) {
        assertThat(schemas.has(event.type())).describedAs(event.type()).isTrue();
        api.assertValid(
            event.type(), schemas.path(event.type()), new ObjectMapper().readTree(event.data()));
      }
      assertThat(reader.types())
          .containsAll(schemas.properties().stream().map(Map.Entry::getKey).toList());
    }
    api.seen("GET", stream, 200);
  }

  private void seeSimulation() throws Exception {
    String operation = POOL + "simulate";
    String path = "/v1/pools/chat/simulate";
    see("POST", operation, path, "", 200);
    see("POST", operation, path, "{\"window\":\"5m\",\"perPodMaxConnections\":2}", 200);
    see("POST", operation, path, "{\"window\":\"2h\"}", 400);
    see("POST", operation, "/v1/pools/nope/simulate", "", 404);
    see("POST", operation, "/v1/pools/elsewhere/simulate", "", 503);
    see("POST", operation, path, "<limits/>", 415, "content-type", "text/xml");
    see("POST", operation, path, " ".repeat(1_000_001), 413);
    for (Map.Entry<Why, Integer> refused :
        Map.of(Why.BUSY, 429, Why.TOO_MUCH, 413, Why.UNAVAILABLE, 503, Why.UNKNOWN_POOL, 404)
            .entrySet()) {
      refusal = refused.getKey();
      see("POST", operation, path, "", refused.getValue());
    }
  }

  private Simulation simulate(Simulations.Request request) throws SimulationRefusedException {
    if (refusal != null) {
      throw new SimulationRefusedException(refusal, "not now");
    }
    Outcome outcome =
        new Outcome(4, Map.of(RejectionReason.POD_LIMIT, 2L), List.of(new Peak("one", POD, 3)));
    return new Simulation(
        request.pool(),
        request.fromMs(),
        request.toMs(),
        outcome,
        outcome,
        outcome,
        request.change().apply(policy().policy()),
        List.of("It is so."));
  }

  private void seeDecision() throws Exception {
    String path = "/v1/decisions/{id}";
    String id = ConnectionIds.next(NOW_MS);
    see("GET", path, "/v1/decisions/" + id, 503);
    DecisionInputs basis =
        new DecisionInputs(DecisionInputs.Choice.TRIAL, 4.5, 3, 0, 7, 2, 50, 1, null);
    archive.decisions.add(new Decision.Allowed("chat", id, POD, 0, NOW_MS, Mode.ENFORCE, basis));
    see("GET", path, "/v1/decisions/" + id, 200);
    String other = ConnectionIds.next(NOW_MS);
    see("GET", path, "/v1/decisions/" + other, 404);
    archive.decisions.add(
        new Decision.Rejected(
            "chat", other, RejectionReason.POD_LIMIT, null, 9, NOW_MS, Mode.SHADOW));
    see("GET", path, "/v1/decisions/" + other, 200);
  }

  private void seeRefusedCallers() throws Exception {
    TestServer test = new TestServer();
    try (OidcIssuer issuer = new OidcIssuer();
        HttpAccess access =
            HttpAccess.of(
                new AccessSettings(null, issuer.settings(), true), test.ticker, test.registry)) {
      test.access = access;
      try (QueryServer closed = test.start()) {
        for (String secured : api.secured()) {
          String[] operation = secured.split(" ", -1);
          for (String token : List.of("", issuer.token(List.of()))) {
            HttpRequest.Builder request =
                HttpRequest.newBuilder(
                        URI.create(
                            "http://127.0.0.1:"
                                + closed.port()
                                + operation[1].replace("{", "").replace("}", "")))
                    .method(operation[0], HttpRequest.BodyPublishers.noBody());
            if (!token.isEmpty()) {
              request.header("authorization", "Bearer " + token);
            }
            api.judge(
                operation[0],
                operation[1],
                client.send(request.build(), HttpResponse.BodyHandlers.ofString()));
          }
        }
      }
    }
  }

  @ParameterizedTest
  @CsvSource({
    "GET, /v2/anything, 404",
    "GET, /v1/pools/chat, 404",
    "GET, /v1/pools/a/b/stream, 404",
    "POST, /v1/pools, 405",
    "PATCH, /v1/pools/chat/policy, 405",
    "DELETE, /v1/pools/chat/stream, 405"
  })
  void shouldAnswerWithAProblemWhatItDoesNotHave(String method, String path, int status)
      throws Exception {
    // When
    HttpResponse<String> answer = send(method, path, "");
    // Then
    assertThat(answer.statusCode()).isEqualTo(status);
    assertProblem(answer.headers().firstValue("content-type").orElse(""), answer.body());
    assertThat(answer.headers().firstValue("allow").isPresent()).isEqualTo(status == 405);
  }

  @ParameterizedTest
  @CsvSource({
    "GET /v1/pools HTTP/1.1\\r\\nHost: a\\r\\nHost: b\\r\\n\\r\\n, 400",
    "GET /v1/pools HTTP/1.1\\r\\n\\r\\n, 400",
    "no http at all\\r\\n\\r\\n, 400",
    "GET /v1/pools HTTP/1.1\\r\\nHost: a\\r\\nX: LONG\\r\\n\\r\\n, 431",
    "GET /v1/pools HTTP/3.3\\r\\nHost: a\\r\\n\\r\\n, 505"
  })
  void shouldAnswerWithAProblemWhatItDoesNotUnderstand(String request, int status)
      throws Exception {
    // When
    String answer = raw(request.replace("\\r\\n", "\r\n").replace("LONG", "x".repeat(80 << 10)));
    // Then
    int body = answer.indexOf("\r\n\r\n");
    assertThat(answer).startsWith("HTTP/1.1 " + status);
    String type =
        Arrays.stream(answer.substring(0, body).split("\r\n", -1))
            .filter(line -> line.toLowerCase(Locale.ROOT).startsWith("content-type: "))
            .map(line -> line.substring("content-type: ".length()))
            .findFirst()
            .orElse("");
    assertProblem(type, answer.substring(body + 4));
  }

  private void assertProblem(String contentType, String body) throws IOException {
    assertThat(contentType).isEqualTo("application/problem+json");
    JsonNode schema = new ObjectMapper().readTree("{\"$ref\":\"#/components/schemas/Problem\"}");
    api.assertValid("problem", schema, new ObjectMapper().readTree(body));
  }

  private void see(String method, String path, String actual, int status) throws Exception {
    see(method, path, actual, "", status);
  }

  private void see(
      String method, String path, String actual, String body, int status, String... headers)
      throws Exception {
    HttpResponse<String> answer = send(method, actual, body, headers);
    assertThat(answer.statusCode()).describedAs("%s: %s", actual, answer.body()).isEqualTo(status);
    api.judge(method, path, answer);
  }

  private HttpResponse<String> send(String method, String path, String body, String... headers)
      throws Exception {
    HttpRequest.Builder request =
        HttpRequest.newBuilder(uri(path)).method(method, HttpRequest.BodyPublishers.ofString(body));
    if (headers.length > 0) {
      request.headers(headers);
    }
    return client.send(request.build(), HttpResponse.BodyHandlers.ofString());
  }

  private String raw(String request) throws IOException {
    try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), server.port())) {
      socket.getOutputStream().write(request.getBytes(UTF_8));
      socket.shutdownOutput();
      return new String(socket.getInputStream().readAllBytes(), UTF_8);
    }
  }

  private URI uri(String path) {
    return URI.create("http://127.0.0.1:" + server.port() + path);
  }

  private static PolicyRecord policy() {
    PoolPolicy policy =
        PolicyFixtures.unlimited(
            "chat",
            3,
            PoolPolicy.OnOwnerLoss.SHARE,
            List.of(new Pod("one", POD), new Pod("six", POD_6)));
    return PolicyRecord.ofBase(policy, Set.of(), 1);
  }

  private static PoolView pool(State... states) {
    List<PodView> pods = new ArrayList<>();
    for (State state : states) {
      pods.add(new PodView("one", pods.isEmpty() ? POD_6 : POD, 2, 1, 2, state));
    }
    return new PoolView("chat", NOW_MS, Mode.ENFORCE, 2, 1, pods);
  }

  private static PoolReadiness readiness(boolean ready) {
    return new PoolReadiness(
        "chat",
        NOW_MS,
        ready,
        ready ? 1 : 0.5,
        List.of(new EnvoyView("envoy-1", NOW_MS, 4)),
        ready ? List.of() : List.of("completeness is below 0.95"));
  }

  private static PoolRejections rejections() {
    Map<String, Map<String, Long>> windows =
        Map.of("5m", Map.of(), "15m", Map.of("pod_limit", 2L), "1h", Map.of("overflow", 9L));
    return new PoolRejections(
        "chat",
        NOW_MS,
        windows,
        List.of(new PodRejections("one", POD, windows), new PodRejections("six", POD_6, windows)));
  }

  private static PoolReport report(@Nullable Long staleMs) {
    return new PoolReport(
        staleMs,
        pool(State.DRAINING, State.GONE),
        rejections(),
        new PoolScaling(
            "chat",
            NOW_MS,
            false,
            List.of("the owner is new"),
            List.of(
                new PoolScaling.Candidate("one", POD, 1, 2),
                new PoolScaling.Candidate("six", POD_6, 2, 1)),
            3),
        readiness(true));
  }
}
