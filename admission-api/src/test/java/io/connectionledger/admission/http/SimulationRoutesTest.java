package io.connectionledger.admission.http;

import static org.assertj.core.api.Assertions.assertThat;

import io.connectionledger.admission.ScriptedLedger;
import io.connectionledger.admission.ScriptedPolicies;
import io.connectionledger.admission.http.view.Views;
import io.connectionledger.model.PodAddress;
import io.connectionledger.model.event.RejectionReason;
import io.connectionledger.model.policy.Pod;
import io.connectionledger.model.policy.PolicyRecord;
import io.connectionledger.model.policy.PoolPolicy;
import io.connectionledger.model.view.Simulation;
import io.connectionledger.model.view.Simulation.Outcome;
import io.connectionledger.model.view.Simulation.Peak;
import io.connectionledger.model.view.SimulationRefusedException;
import io.connectionledger.model.view.SimulationRefusedException.Why;
import io.connectionledger.model.view.Simulations;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class SimulationRoutesTest {

  /** 2023-11-14T22:13:20.123Z. */
  private static final long NOW_MS = 1_700_000_000_123L;

  private static final PodAddress POD = PodAddress.parse("10.0.0.1:80");
  private static final PoolPolicy POLICY =
      new PoolPolicy(
          "chat",
          2,
          5,
          3,
          PoolPolicy.Mode.ENFORCE,
          PoolPolicy.OnOwnerLoss.SHARE,
          List.of(new Pod("one", POD)));

  private final ScriptedLedger ledger = new ScriptedLedger();
  private final ScriptedPolicies policies = new ScriptedPolicies();
  private final List<Simulations.Request> asked = new ArrayList<>();
  private @Nullable Why refusal;
  private final QueryServer server = TestServer.start(ledger, policies, this::simulate, NOW_MS);
  private final HttpClient client = HttpClient.newHttpClient();

  SimulationRoutesTest() {
    ledger.pools.add("chat");
    policies.records.put("chat", PolicyRecord.ofBase(POLICY, Set.of(), 1));
  }

  @AfterEach
  void stop() {
    client.close();
    server.close();
  }

  private Simulation simulate(Simulations.Request request) throws SimulationRefusedException {
    asked.add(request);
    if (refusal != null) {
      throw new SimulationRefusedException(refusal, "not now");
    }
    Outcome recorded =
        new Outcome(4, Map.of(RejectionReason.POD_LIMIT, 2L), List.of(new Peak("one", POD, 3)));
    Outcome simulated =
        new Outcome(
            3,
            Map.of(RejectionReason.POD_LIMIT, 2L, RejectionReason.RATE_LIMITED, 1L),
            List.of(new Peak("one", POD, 2)));
    return new Simulation(
        request.pool(),
        request.fromMs(),
        request.toMs(),
        recorded,
        recorded,
        simulated,
        request.change().apply(POLICY),
        List.of("It is so."));
  }

  private HttpResponse<String> post(String pool, String body) throws Exception {
    URI uri = URI.create("http://127.0.0.1:" + server.port() + "/v1/pools/" + pool + "/simulate");
    return client.send(
        HttpRequest.newBuilder(uri).POST(HttpRequest.BodyPublishers.ofString(body)).build(),
        HttpResponse.BodyHandlers.ofString());
  }

  @Test
  void shouldAnswerWhatWasAndWhatWouldHaveBeen() throws Exception {
    // When
    HttpResponse<String> answer =
        post("chat", "{\"connectionsPerSecond\":null,\"perPodMaxConnections\":2}");
    // Then
    assertThat(answer.statusCode()).isEqualTo(200);
    assertThat(answer.headers().firstValue("content-type")).hasValue("application/json");
    assertThat(answer.body())
        .isEqualTo(
            """
            {"pool":"chat","asOf":"2023-11-14T22:13:20.123Z","from":"2023-11-14T21:58:20.123Z",\
            "to":"2023-11-14T22:13:20.123Z",\
            "limits":{"connectionsPerSecond":null,"burstCapacity":5,"perPodMaxConnections":2,\
            "pods":[{"name":"one","address":"10.0.0.1:80"}],"placement":"least-connections",\
            "slowStart":"30s"},\
            "recorded":{"attempts":6,"admitted":4,"rejected":{"pod_limit":2},\
            "pods":[{"pod":"one","address":"10.0.0.1:80","peak":3}]},\
            "repeated":{"attempts":6,"admitted":4,"rejected":{"pod_limit":2},\
            "pods":[{"pod":"one","address":"10.0.0.1:80","peak":3}]},\
            "simulated":{"attempts":6,"admitted":3,"rejected":{"rate_limited":1,"pod_limit":2},\
            "pods":[{"pod":"one","address":"10.0.0.1:80","peak":2}]},\
            "assumptions":["It is so."]}""");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "'' | 2023-11-14T21:58:20.123Z | 2023-11-14T22:13:20.123Z",
        "{'window':'30s'} | 2023-11-14T22:12:50.123Z | 2023-11-14T22:13:20.123Z",
        "{'window':'1h','to':'2023-11-14T20:00:00Z'} | 2023-11-14T19:00:00Z | 2023-11-14T20:00:00Z",
        "{'from':'2023-11-14T22:00:00Z'} | 2023-11-14T22:00:00Z | 2023-11-14T22:13:20.123Z",
        "{'from':'2023-11-14T19:30:00Z','to':'2023-11-14T20:00:00Z'}"
            + " | 2023-11-14T19:30:00Z | 2023-11-14T20:00:00Z",
      })
  void shouldTakeTheWindowThatIsAskedFor(String body, String from, String to) throws Exception {
    // When
    HttpResponse<String> answer = post("chat", body.replace('\'', '"'));
    // Then
    assertThat(answer.statusCode()).as(answer.body()).isEqualTo(200);
    assertThat(Views.instant(asked.get(0).fromMs())).isEqualTo(Views.instant(ms(from)));
    assertThat(Views.instant(asked.get(0).toMs())).isEqualTo(Views.instant(ms(to)));
  }

  private static long ms(String instant) {
    return Instant.parse(instant).toEpochMilli();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "[] | the body | a JSON object",
        "{ | the body | a JSON object",
        "{'perPodMaxConnections':0} | perPodMaxConnections | 1 to 10000000",
        "{'burstCapacity':'many'} | burstCapacity | a whole number",
        "{'mode':'shadow'} | mode | one of connectionsPerSecond, burstCapacity",
        "{'pods':[{'name':'x','address':'nowhere'}]} | pods[0].address | ip:port",
        "{'window':'2h'} | window | 1s to 1h",
        "{'window':15} | window | 1s to 1h",
        "{'window':'0s'} | window | 1s to 1h",
        "{'window':'1h','from':'2023-11-14T22:00:00Z'} | window | left out beside from",
        "{'from':'yesterday'} | from | a moment that has passed",
        "{'from':'2023-11-14T20:00:00Z'} | from | before to, by 1h at most",
        "{'to':'2023-11-15T20:00:00Z'} | to | a moment that has passed",
        "{'from':'2023-11-14T22:10:00Z','to':'2023-11-14T22:09:00Z'} | from | before to, by 1h at most",
      })
  void shouldRefuseWithFieldValueAndWhatIsAllowed(String body, String field, String allowed)
      throws Exception {
    // When
    HttpResponse<String> answer = post("chat", body.replace('\'', '"'));
    // Then
    assertThat(answer.statusCode()).as(answer.body()).isEqualTo(400);
    assertThat(answer.headers().firstValue("content-type")).hasValue("application/problem+json");
    assertThat(answer.body()).contains(field + " is ").contains(allowed);
    assertThat(asked).isEmpty();
  }

  @ParameterizedTest
  @CsvSource({"BUSY, 429", "TOO_MUCH, 413", "UNAVAILABLE, 503", "UNKNOWN_POOL, 404"})
  void shouldSayWhyItIsNotMade(Why why, int status) throws Exception {
    // Given
    refusal = why;
    // When
    HttpResponse<String> answer = post("chat", "{}");
    // Then
    assertThat(answer.statusCode()).isEqualTo(status);
    assertThat(answer.headers().firstValue("retry-after").isPresent()).isEqualTo(why == Why.BUSY);
    assertThat(answer.body()).contains("\"detail\":\"not now\"");
  }

  @Test
  void shouldKnowNoOtherPool() throws Exception {
    // When
    HttpResponse<String> answer = post("video", "{}");
    // Then
    assertThat(answer.statusCode()).isEqualTo(404);
    assertThat(answer.body()).contains("no pool is named 'video'");
    assertThat(asked).isEmpty();
  }
}
