package io.connectionledger.admission.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.connectionledger.admission.ScriptedLedger;
import io.connectionledger.admission.http.port.HttpSettings;
import io.connectionledger.model.PodAddress;
import io.connectionledger.model.event.ConnectionIds;
import io.connectionledger.model.event.Decision;
import io.connectionledger.model.event.DecisionInputs;
import io.connectionledger.model.event.RejectionReason;
import io.connectionledger.model.policy.PoolPolicy;
import io.connectionledger.model.policy.PoolPolicy.Mode;
import io.connectionledger.model.view.PoolReadiness;
import io.connectionledger.model.view.PoolRejections;
import io.connectionledger.model.view.PoolRejections.PodRejections;
import io.connectionledger.model.view.PoolView;
import io.connectionledger.model.view.PoolView.PodView;
import io.connectionledger.model.view.PoolView.State;
import java.io.UncheckedIOException;
import java.net.BindException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class QueryServerTest {

  private static final long NOW_MS = 1_700_000_000_123L;

  private final ScriptedLedger ledger = new ScriptedLedger();
  private List<String> unready = List.of();
  private final ScriptedArchive archive = new ScriptedArchive();
  private Supplier<String> metrics = () -> "up 1\n";
  private final QueryServer server = start(0);
  private final HttpClient client = HttpClient.newHttpClient();

  @AfterEach
  void stop() {
    client.close();
    server.close();
  }

  @Test
  void shouldListPools() throws Exception {
    // Given
    ledger.pools.addAll(List.of("game", "chat"));
    // When
    HttpResponse<String> answer = get("/v1/pools");
    // Then
    assertThat(answer.statusCode()).isEqualTo(200);
    assertThat(contentType(answer)).isEqualTo("application/json");
    assertThat(answer.body())
        .isEqualTo(
            "{\"asOf\":\"2023-11-14T22:13:20.123Z\","
                + "\"pools\":[{\"pool\":\"chat\"},{\"pool\":\"game\"}]}");
  }

  @Test
  void shouldShowConnectionsOfEachPod() throws Exception {
    // Given
    ledger.connections.put(
        "chat",
        new PoolView(
            "chat",
            NOW_MS,
            PoolPolicy.Mode.ENFORCE,
            3,
            1,
            List.of(
                new PodView("demo-pod-1", PodAddress.parse("127.0.0.1:9101"), 2, 0, 2, State.FULL),
                new PodView(
                    "[fd00::7]:80", PodAddress.parse("[fd00::7]:80"), 1, 2, 2, State.OVER_LIMIT))));
    // When
    HttpResponse<String> answer = get("/v1/pools/chat/connections");
    // Then
    assertThat(answer.statusCode()).isEqualTo(200);
    assertThat(answer.body())
        .isEqualTo(
            """
            {"pool":"chat","asOf":"2023-11-14T22:13:20.123Z","mode":"enforce","active":3,\
            "reserved":1,"unreported":0,"unleased":0,"pods":[{"pod":"demo-pod-1","address":"127.0.0.1:9101","active":2,"reserved":0,"limit":2,\
            "state":"full","overLimit":false},\
            {"pod":"[fd00::7]:80","address":"[fd00::7]:80","active":1,"reserved":2,"limit":2,\
            "state":"overLimit","overLimit":true}]}""");
  }

  @Test
  void shouldShowRejectionsByWindowAndReason() throws Exception {
    // Given
    Map<String, Map<String, Long>> windows = new LinkedHashMap<>();
    windows.put("5m", Map.of());
    windows.put("15m", Map.of("pod_limit", 2L));
    windows.put("1h", Map.of("pod_limit", 9L));
    PodAddress pod = PodAddress.parse("10.0.0.1:80");
    ledger.rejections.put(
        "chat",
        new PoolRejections(
            "chat", NOW_MS, windows, List.of(new PodRejections("pod-1", pod, windows))));
    // When
    HttpResponse<String> answer = get("/v1/pools/chat/rejections");
    // Then
    assertThat(answer.statusCode()).isEqualTo(200);
    assertThat(answer.body())
        .isEqualTo(
            """
            {"pool":"chat","asOf":"2023-11-14T22:13:20.123Z","windows":{"5m":{},\
            "15m":{"pod_limit":2},"1h":{"pod_limit":9}},"pods":[{"pod":"pod-1",\
            "address":"10.0.0.1:80","windows":{"5m":{},\
            "15m":{"pod_limit":2},"1h":{"pod_limit":9}}}]}""");
  }

  @Test
  void shouldSayHowFarTheCountsCanBeReliedOn() throws Exception {
    // Given
    ledger.readiness.put(
        "chat",
        new PoolReadiness(
            "chat",
            1_700_000_000_123L,
            false,
            0.5,
            List.of(new PoolReadiness.EnvoyView("envoy-1", 1_700_000_000_000L, 4)),
            List.of("completeness is below 0.95")));
    // When
    HttpResponse<String> answer = get("/v1/pools/chat/readiness");
    // Then
    assertThat(answer.body())
        .isEqualTo(
            """
            {"pool":"chat","asOf":"2023-11-14T22:13:20.123Z","ready":false,"completeness":0.5,\
            "envoys":[{"node":"envoy-1","lastSeen":"2023-11-14T22:13:20Z","connections":4}],\
            "reasons":["completeness is below 0.95"]}""");
  }

  @ParameterizedTest
  @ValueSource(strings = {"connections", "rejections", "scaling", "readiness", "detailed"})
  void shouldKnowNoOtherPool(String what) throws Exception {
    // When
    HttpResponse<String> answer = get("/v1/pools/nope/" + what);
    // Then
    assertProblem(answer, 404, "Not Found", "no pool is named 'nope'");
  }

  @Test
  void shouldRefuseWhatCannotNameAPoolWithoutRepeatingIt() throws Exception {
    // When
    HttpResponse<String> answer = get("/v1/pools/%3Cscript%3E/connections");
    // Then
    assertProblem(
        answer, 404, "Not Found", "a pool's name has 1 to 128 letters, digits, '.', '_' and '-'");
  }

  @Test
  void shouldSayThatThePoolHasNoOwner() throws Exception {
    // Given
    ledger.pools.add("chat");
    // When
    HttpResponse<String> answer = get("/v1/pools/chat/connections");
    // Then
    assertNoOwner(answer, "pool 'chat' has no owner that answers, and no instance a copy of it");
  }

  @Test
  void shouldNotDenyAPoolBeforeTheLedgerHasCaughtUp() throws Exception {
    // Given
    ledger.status = "restoring";
    // When
    HttpResponse<String> answer = get("/v1/pools/chat/connections");
    // Then
    assertNoOwner(answer, "pool 'chat' cannot be read yet: restoring");
  }

  @Test
  void shouldAnswerUnknownPathsAndMethodsWithProblems() throws Exception {
    // When
    HttpResponse<String> path = get("/v2/anything");
    HttpResponse<String> method =
        send(request("/v1/pools").POST(HttpRequest.BodyPublishers.noBody()).build());
    // Then
    assertThat(path.statusCode()).isEqualTo(404);
    assertThat(contentType(path)).isEqualTo("application/problem+json");
    assertThat(method.statusCode()).isEqualTo(405);
    assertThat(contentType(method)).isEqualTo("application/problem+json");
    assertThat(method.headers().firstValue("allow"))
        .hasValueSatisfying(allow -> assertThat(allow).contains("GET"));
  }

  @Test
  void shouldHideABugBehindAProblem() throws Exception {
    // Given
    metrics =
        () -> {
          throw new IllegalStateException("secret");
        };
    // When
    HttpResponse<String> answer = get("/metrics");
    // Then
    assertProblem(answer, 500, "Server Error", "see this instance's log");
  }

  @ParameterizedTest
  @ValueSource(strings = {"/metrics", "/websocket/metrics"})
  void shouldServeTheScrape(String path) throws Exception {
    // When
    HttpResponse<String> answer = get(path);
    // Then
    assertThat(answer.statusCode()).isEqualTo(200);
    assertThat(contentType(answer)).isEqualTo("text/plain; version=0.0.4; charset=utf-8");
    assertThat(answer.body()).isEqualTo("up 1\n");
  }

  @Test
  void shouldBeAliveWhileNotReady() throws Exception {
    // Given
    unready = List.of("restoring", "the check path is not warm yet");
    // When
    HttpResponse<String> live = get("/health/live");
    HttpResponse<String> ready = get("/health/ready");
    // Then
    assertThat(live.statusCode()).isEqualTo(200);
    assertThat(ready.statusCode()).isEqualTo(503);
    assertThat(contentType(ready)).isEqualTo("application/problem+json");
    assertThat(ready.body())
        .isEqualTo(
            """
            {"type":"about:blank","title":"Service Unavailable","status":503,\
            "detail":"not ready",\
            "reasons":["restoring","the check path is not warm yet"]}""");
  }

  @Test
  void shouldBeReady() throws Exception {
    // When
    HttpResponse<String> ready = get("/health/ready");
    // Then
    assertThat(ready.statusCode()).isEqualTo(200);
    assertThat(ready.body()).isEqualTo("{\"status\":\"ready\"}");
  }

  @Test
  void shouldNameThePortThatIsTaken() {
    // Given
    int taken = server.port();
    // When / Then
    assertThatThrownBy(() -> start(taken))
        .isInstanceOf(UncheckedIOException.class)
        .hasCauseInstanceOf(BindException.class)
        .hasMessageStartingWith(
            "cannot listen on http port " + taken + " of 127.0.0.1: Address already in use");
  }

  @Test
  void shouldExplainADecision() throws Exception {
    PodAddress pod = new PodAddress("10.0.0.7", 8080);
    Decision.Allowed allowed =
        new Decision.Allowed(
            "chat",
            ConnectionIds.next(NOW_MS),
            pod,
            0,
            1_700_000_000_000L,
            null,
            new DecisionInputs(
                DecisionInputs.Choice.LEAST_CONNECTIONS, 4.5, 3, 0, 7, 2, 50, 1, null));
    Decision.Rejected rejected =
        new Decision.Rejected(
            "chat",
            ConnectionIds.next(NOW_MS),
            RejectionReason.POD_LIMIT,
            null,
            9,
            1_700_000_000_000L,
            Mode.SHADOW);
    archive.decisions.add(allowed);
    archive.decisions.add(rejected);

    assertThat(get("/v1/decisions/" + allowed.id()).body())
        .isEqualTo(
            "{\"id\":\"%s\",\"pool\":\"chat\",\"at\":\"2023-11-14T22:13:20Z\",\"outcome\":\"allowed\","
                    .formatted(allowed.id())
                + "\"pod\":\"10.0.0.7:8080\",\"mode\":\"enforce\","
                + "\"rule\":\"no pod that takes connections held fewer\",\"state\":{"
                + "\"choice\":\"least_connections\",\"tokens\":4.5,\"pods\":3,\"tripped\":0,"
                + "\"active\":7,\"reserved\":2,\"limit\":50,\"held\":1}}");
    assertThat(get("/v1/decisions/" + rejected.id()).body())
        .contains("\"outcome\":\"rejected\",\"reason\":\"pod_limit\",\"status\":503")
        .contains("\"retryAfterSeconds\":9,\"mode\":\"shadow\"")
        .doesNotContain("state");
  }

  @Test
  void shouldSayWhyADecisionCannotBeExplained() throws Exception {
    HttpResponse<String> away = get("/v1/decisions/" + ConnectionIds.next(NOW_MS));
    archive.decisions.add(
        new Decision.Rejected("chat", "d-1", RejectionReason.POD_LIMIT, null, 9, NOW_MS));
    HttpResponse<String> none = get("/v1/decisions/" + ConnectionIds.next(NOW_MS));
    HttpResponse<String> noId = get("/v1/decisions/d-1");

    assertThat(away.statusCode()).isEqualTo(503);
    assertThat(away.body()).contains("ledger.decisions cannot be read: away");
    assertThat(none.statusCode()).isEqualTo(404);
    assertThat(none.body())
        .contains("it was not recorded, or too long ago; of a flood of rejections most");
    assertThat(noId.statusCode()).isEqualTo(404);
    assertThat(noId.body()).contains("a decision's id has 16 letters");
  }

  private QueryServer start(int port) {
    TestServer test = new TestServer();
    test.ledger = ledger;
    test.decisions = archive;
    test.ticker = () -> NOW_MS * 1_000_000;
    test.metrics = () -> metrics.get();
    test.unready = () -> unready;
    test.settings = HttpSettings.on("127.0.0.1", port);
    return test.start();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "/",
        "/page/app.js",
        "/health/ready",
        "/health/live",
        "/metrics",
        "/openapi.json",
        "/v1/pools",
        "/v1/pools/nowhere/connections",
        "/v1/pools/chat/policy",
        "/v1/decisions/none",
        "/nothing"
      })
  void shouldAnswerHeadAsGetWithoutTheBody(String path) throws Exception {
    // Given
    unready = List.of("restoring");
    HttpResponse<String> got = get(path);
    // When
    HttpResponse<String> head = send(request(path).HEAD().build());
    // Then
    assertThat(head.statusCode()).isEqualTo(got.statusCode());
    assertThat(head.body()).isEmpty();
    assertThat(contentType(head)).isEqualTo(contentType(got));
    assertThat(head.headers().firstValue("content-length"))
        .isEqualTo(got.headers().firstValue("content-length"));
  }

  private HttpResponse<String> get(String path) throws Exception {
    return send(request(path).build());
  }

  private HttpRequest.Builder request(String path) {
    return HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + server.port() + path));
  }

  private HttpResponse<String> send(HttpRequest request) throws Exception {
    return client.send(request, HttpResponse.BodyHandlers.ofString());
  }

  private static String contentType(HttpResponse<String> answer) {
    return answer.headers().firstValue("content-type").orElse("none");
  }

  private static void assertNoOwner(HttpResponse<String> answer, String detail) {
    assertThat(answer.statusCode()).isEqualTo(503);
    assertThat(contentType(answer)).isEqualTo("application/problem+json");
    assertThat(answer.body()).contains("\"detail\":\"" + detail + "\",\"reason\":\"no_owner\"");
  }

  private static void assertProblem(
      HttpResponse<String> answer, int status, String title, String detail) {
    assertThat(answer.statusCode()).isEqualTo(status);
    assertThat(contentType(answer)).isEqualTo("application/problem+json");
    assertThat(answer.body())
        .isEqualTo(
            "{\"type\":\"about:blank\",\"title\":\"%s\",\"status\":%d,\"detail\":\"%s\"}"
                .formatted(title, status, detail));
  }
}
