package io.connectionledger.admission.http;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.connectionledger.admission.NoSimulations;
import io.connectionledger.admission.ScriptedLedger;
import io.connectionledger.admission.ScriptedPolicies;
import io.connectionledger.model.PodAddress;
import io.connectionledger.model.policy.DrainPace;
import io.connectionledger.model.policy.Pod;
import io.connectionledger.model.policy.PolicyRecord;
import io.connectionledger.model.policy.PoolPolicy;
import io.connectionledger.model.view.PoolReadiness;
import io.connectionledger.model.view.PoolRejections;
import io.connectionledger.model.view.PoolRejections.PodRejections;
import io.connectionledger.model.view.PoolReport;
import io.connectionledger.model.view.PoolScaling;
import io.connectionledger.model.view.PoolScaling.Candidate;
import io.connectionledger.model.view.PoolView;
import io.connectionledger.model.view.PoolView.PodView;
import io.connectionledger.model.view.PoolView.State;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class QueryRoutesTest {

  private static final long NOW_MS = 1_700_000_000_123L;
  private static final PodAddress ONE = PodAddress.parse("10.0.0.1:80");
  private static final PodAddress TWO = PodAddress.parse("10.0.0.2:80");
  private static final PodAddress GONE = PodAddress.parse("10.0.0.9:80");
  private static final ObjectMapper JSON = new ObjectMapper();

  private final ScriptedLedger ledger = new ScriptedLedger();
  private final ScriptedPolicies policies = new ScriptedPolicies();
  private final QueryServer server =
      TestServer.start(ledger, policies, new NoSimulations(), NOW_MS);
  private final HttpClient client = HttpClient.newHttpClient();

  @AfterEach
  void stop() {
    client.close();
    server.close();
  }

  private static PoolReport report(@Nullable Long staleMs, long asOfMs) {
    Map<String, Map<String, Long>> none = Map.of("5m", Map.of());
    Map<String, Map<String, Long>> some = Map.of("5m", Map.of("pod_limit", 4L));
    return new PoolReport(
        staleMs,
        new PoolView(
            "chat",
            asOfMs,
            PoolPolicy.Mode.ENFORCE,
            4,
            3,
            List.of(
                new PodView("one", ONE, 2, 1, 3, State.DRAINING),
                new PodView("two", TWO, 1, 2, 1, 3, State.FULL),
                new PodView("10.0.0.9:80", GONE, 1, 0, 3, State.GONE))),
        new PoolRejections(
            "chat",
            asOfMs,
            some,
            List.of(
                new PodRejections("one", ONE, some),
                new PodRejections("two", TWO, none),
                new PodRejections("10.0.0.9:80", GONE, none))),
        new PoolScaling(
            "chat",
            asOfMs,
            false,
            List.of("the owner is new"),
            List.of(new Candidate("one", ONE, 1, 2), new Candidate("two", TWO, 2, 1)),
            3),
        new PoolReadiness(
            "chat",
            asOfMs,
            true,
            1,
            List.of(new PoolReadiness.EnvoyView("envoy-1", asOfMs, 4)),
            List.of()));
  }

  private void own(PoolReport report) {
    ledger.pools.add("chat");
    ledger.connections.put("chat", report.connections());
    ledger.rejections.put("chat", report.rejections());
    ledger.readiness.put("chat", report.readiness());
    ledger.reports.put("chat", report);
  }

  @Test
  void shouldShowWhatAScalingControllerMayDo() throws Exception {
    // Given
    own(report(null, NOW_MS));
    // When
    HttpResponse<String> answer = get("/v1/pools/chat/scaling");
    // Then
    assertThat(answer.statusCode()).isEqualTo(200);
    assertThat(answer.body())
        .isEqualTo(
            """
            {"pool":"chat","asOf":"2023-11-14T22:13:20.123Z","ready":false,\
            "scaleDown":[{"pod":"one","address":"10.0.0.1:80","priority":1,"active":2},\
            {"pod":"two","address":"10.0.0.2:80","priority":2,"active":1}],\
            "desiredPods":3,"reasons":["the owner is new"]}""");
  }

  @Test
  void shouldShowEverythingForEachPod() throws Exception {
    // Given
    own(report(null, NOW_MS));
    PoolPolicy policy =
        new PoolPolicy(
            "chat",
            PoolPolicy.UNLIMITED_RATE,
            1,
            3,
            PoolPolicy.Mode.ENFORCE,
            PoolPolicy.OnOwnerLoss.SHARE,
            List.of(new Pod("one", ONE), new Pod("two", TWO)));
    policies.records.put(
        "chat",
        PolicyRecord.ofBase(policy, Set.of(), 1)
            .withDrain(ONE, new DrainPace(NOW_MS - 30_000, NOW_MS + 30_000, 8), 1));
    // When
    HttpResponse<String> answer = get("/v1/pools/chat/detailed");
    // Then
    assertThat(answer.body())
        .isEqualTo(
            """
            {"pool":"chat","asOf":"2023-11-14T22:13:20.123Z","mode":"enforce","active":4,\
            "reserved":3,"unreported":0,"unleased":0,"windows":{"5m":{"pod_limit":4}},"desiredPods":3,\
            "scaling":{"ready":false,"reasons":["the owner is new"]},\
            "readiness":{"ready":true,"completeness":1.0,"envoys":[{"node":"envoy-1",\
            "lastSeen":"2023-11-14T22:13:20.123Z","connections":4}],"reasons":[]},\
            "pods":[{"pod":"one","address":"10.0.0.1:80","active":2,"reserved":1,"limit":3,\
            "state":"draining","overLimit":false,"drainUntil":"2023-11-14T22:13:50.123Z",\
            "drainFrom":8,"drainTo":4,"priority":1,"windows":{"5m":{"pod_limit":4}}},\
            {"pod":"two","address":"10.0.0.2:80","active":1,"reserved":2,"lent":1,"limit":3,\
            "state":"full","overLimit":false,"priority":2,"windows":{"5m":{}}},\
            {"pod":"10.0.0.9:80","address":"10.0.0.9:80","active":1,"reserved":0,"limit":3,\
            "state":"gone","overLimit":false,"windows":{"5m":{}}}]}""");
  }

  @ParameterizedTest
  @ValueSource(strings = {"connections", "rejections", "scaling", "readiness", "detailed"})
  void shouldLetAStandbySpeakWhenTheOwnerCannot(String what) throws Exception {
    // Given
    ledger.pools.add("chat");
    ledger.standbys.put("chat", report(1_500L, NOW_MS));
    // When
    HttpResponse<String> answer = get("/v1/pools/chat/" + what);
    // Then
    assertThat(answer.statusCode()).isEqualTo(200);
    assertThat(answer.body())
        .startsWith(
            "{\"pool\":\"chat\",\"asOf\":\"2023-11-14T22:13:20.123Z\",\"staleMillis\":1500,");
  }

  @ParameterizedTest
  @ValueSource(strings = {"connections", "rejections", "scaling", "readiness", "detailed"})
  void shouldHaveNothingToSayUntilSomethingChanges(String what) throws Exception {
    // Given
    own(report(null, NOW_MS));
    String tag = tag(get("/v1/pools/chat/" + what));
    // When
    HttpResponse<String> same = get("/v1/pools/chat/" + what, "\"other\", " + tag);
    HttpResponse<String> any = get("/v1/pools/chat/" + what, "*");
    own(report(null, NOW_MS + 1));
    HttpResponse<String> other = get("/v1/pools/chat/" + what, "\"other\"");
    ledger.connections.clear();
    ledger.rejections.clear();
    ledger.readiness.clear();
    ledger.reports.clear();
    ledger.standbys.put("chat", report(1_500L, NOW_MS));
    HttpResponse<String> stale = get("/v1/pools/chat/" + what, tag);
    // Then
    assertThat(tag).matches("W/\"[A-Za-z0-9_-]{16}\"");
    assertThat(same.statusCode()).isEqualTo(304);
    assertThat(same.body()).isEmpty();
    assertThat(tag(same)).isEqualTo(tag);
    assertThat(any.statusCode()).isEqualTo(304);
    assertThat(other.statusCode()).isEqualTo(200);
    assertThat(stale.statusCode()).isEqualTo(200);
    if (what.matches("connections|rejections|scaling")) {
      assertThat(tag(other)).as("another moment alone is no change").isEqualTo(tag);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"connections", "rejections", "detailed"})
  void shouldTurnThePagesOfPods(String what) throws Exception {
    // Given
    own(report(null, NOW_MS));
    List<String> seen = new ArrayList<>();
    String after = "";
    // When
    do {
      JsonNode page = JSON.readTree(get("/v1/pools/chat/" + what + "?limit=1" + after).body());
      assertThat(page.path("pods")).hasSize(1);
      seen.add(page.path("pods").path(0).path("address").asText());
      after = page.has("next") ? "&after=" + page.path("next").asText() : "";
    } while (!after.isEmpty());
    // Then
    assertThat(seen).containsExactly("10.0.0.1:80", "10.0.0.2:80", "10.0.0.9:80");
  }

  @Test
  void shouldTurnThePagesOfPoolsAndOfPodsToRemove() throws Exception {
    // Given
    own(report(null, NOW_MS));
    ledger.pools.addAll(List.of("a", "z"));
    // When
    HttpResponse<String> pools = get("/v1/pools?limit=1&after=a");
    HttpResponse<String> scaling = get("/v1/pools/chat/scaling?after=10.0.0.1:80");
    // Then
    assertThat(pools.body()).contains("\"pools\":[{\"pool\":\"chat\"}],\"next\":\"chat\"");
    assertThat(scaling.body()).contains("\"scaleDown\":[{\"pod\":\"two\"").doesNotContain("next");
  }

  @ParameterizedTest
  @ValueSource(strings = {"0", "10001", "-1", "many", "", "1e3"})
  void shouldRefuseALimitThatIsNone(String limit) throws Exception {
    // Given
    own(report(null, NOW_MS));
    // When
    HttpResponse<String> answer = get("/v1/pools/chat/connections?limit=" + limit);
    // Then
    assertThat(answer.statusCode()).isEqualTo(400);
    assertThat(answer.headers().firstValue("content-type")).hasValue("application/problem+json");
    assertThat(answer.body())
        .contains(
            "\"detail\":\"limit is '"
                + limit
                + "': allowed is 1 to 10000\",\"field\":\"limit\",\"value\":\""
                + limit
                + "\",\"allowed\":\"1 to 10000\"");
  }

  @Test
  void shouldSayThatAPageBeginsAfterNothing() throws Exception {
    // Given
    own(report(null, NOW_MS));
    // When
    HttpResponse<String> answer = get("/v1/pools/chat/detailed?after=10.0.0.3:80");
    // Then
    assertThat(answer.statusCode()).isEqualTo(400);
    assertThat(answer.body()).contains("\"field\":\"after\",\"value\":\"10.0.0.3:80\"");
  }

  private static String tag(HttpResponse<String> answer) {
    return answer.headers().firstValue("etag").orElseThrow();
  }

  private HttpResponse<String> get(String path) throws Exception {
    return client.send(request(path).build(), HttpResponse.BodyHandlers.ofString());
  }

  private HttpResponse<String> get(String path, String known) throws Exception {
    return client.send(
        request(path).header("if-none-match", known).build(), HttpResponse.BodyHandlers.ofString());
  }

  private HttpRequest.Builder request(String path) {
    return HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + server.port() + path));
  }
}
