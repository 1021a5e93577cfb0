package io.connectionledger.admission.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;

import io.connectionledger.admission.ScriptedLedger;
import io.connectionledger.admission.ScriptedPolicies;
import io.connectionledger.admission.http.port.HttpAddress;
import io.connectionledger.admission.http.port.HttpSettings;
import io.connectionledger.model.PodAddress;
import io.connectionledger.model.PodNetworks;
import io.connectionledger.model.audit.AuditEntry;
import io.connectionledger.model.audit.AuditEntry.Action;
import io.connectionledger.model.audit.AuditEntry.Result;
import io.connectionledger.model.event.ConnectionIds;
import io.connectionledger.model.policy.DrainPace;
import io.connectionledger.model.policy.HostMatch;
import io.connectionledger.model.policy.Pod;
import io.connectionledger.model.policy.PolicyRecord;
import io.connectionledger.model.policy.PoolPolicy;
import io.connectionledger.model.view.PoolView;
import io.connectionledger.model.view.PoolView.PodView;
import io.connectionledger.model.view.PoolView.State;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class PolicyRoutesTest {

  private static final long NOW_MS = 1_700_000_000_123L;
  private static final PodAddress POD = PodAddress.parse("10.0.0.1:80");
  private static final PodAddress POD_6 = PodAddress.parse("[fd00::7]:80");
  private static final PoolPolicy BASE =
      new PoolPolicy(
          "chat",
          PoolPolicy.UNLIMITED_RATE,
          1,
          3,
          PoolPolicy.Mode.ENFORCE,
          PoolPolicy.OnOwnerLoss.SHARE,
          List.of(new Pod("one", POD), new Pod("six", POD_6)));

  private final ScriptedLedger ledger = new ScriptedLedger();
  private final ScriptedPolicies policies = new ScriptedPolicies();
  private final TestServer test = new TestServer();
  private final QueryServer server;
  private final HttpClient client = HttpClient.newHttpClient();

  PolicyRoutesTest() {
    ledger.pools.add("chat");
    policies.records.put("chat", PolicyRecord.ofBase(BASE, Set.of(), 1));
    test.ledger = ledger;
    test.policies = policies;
    test.ticker = () -> NOW_MS * 1_000_000;
    server = test.start();
  }

  @AfterEach
  void stop() {
    client.close();
    server.close();
  }

  @Test
  void shouldShowThePolicy() throws Exception {
    // When
    HttpResponse<String> answer = send("GET", "/v1/pools/chat/policy", "");
    // Then
    assertThat(answer.statusCode()).isEqualTo(200);
    assertThat(answer.body())
        .isEqualTo(
            """
            {"pool":"chat","asOf":"2023-11-14T22:13:20.123Z","source":"configuration",\
            "connectionsPerSecond":null,"burstCapacity":1,"perPodMaxConnections":3,\
            "mode":"enforce","onOwnerLoss":"share",\
            "pods":[{"name":"one","address":"10.0.0.1:80"},\
            {"name":"six","address":"[fd00::7]:80"}],\
            "placement":"least-connections","affinity":{},"slowStart":"30s",\
            "targetUtilisation":0.8,"clusters":[],"hosts":[],"draining":[]}""");
  }

  @Test
  void shouldChangeWhatTheBodyNamesAndAnswerWithTheWhole() throws Exception {
    // When
    HttpResponse<String> answer =
        send(
            "PUT",
            "/v1/pools/chat/policy",
            "{\"perPodMaxConnections\":9,\"connectionsPerSecond\":2}");
    // Then
    assertThat(answer.statusCode()).isEqualTo(200);
    assertThat(answer.body())
        .contains("\"source\":\"api\"")
        .contains("\"perPodMaxConnections\":9")
        .contains("\"connectionsPerSecond\":2.0")
        .contains("\"pods\":[{\"name\":\"one\"");
    assertThat(record().policy().perPodMaxConnections()).isEqualTo(9);
    assertThat(record().base()).isEqualTo(BASE);
    assertThat(record().atMs()).isEqualTo(NOW_MS);
  }

  @Test
  void shouldTakeItsOwnAnswerBackUnchanged() throws Exception {
    // Given
    String shown = send("GET", "/v1/pools/chat/policy", "").body();
    // When
    HttpResponse<String> answer = send("PUT", "/v1/pools/chat/policy", shown);
    // Then
    assertThat(answer.body()).isEqualTo(shown);
  }

  @Test
  void shouldWriteDownWhatIsAskedAndWhatBecameOfIt() throws Exception {
    // When
    HttpResponse<String> answer =
        send("PUT", "/v1/pools/chat/policy", "{\"perPodMaxConnections\":9}");
    // Then
    String id = answer.headers().firstValue("x-ledger-audit").orElse("none");
    assertThat(ConnectionIds.madeAtMs(id)).hasValue(NOW_MS);
    assertThat(test.audit.entries)
        .extracting(AuditEntry::id, AuditEntry::result, AuditEntry::action, AuditEntry::who)
        .containsExactly(
            tuple(id, Result.ASKED, Action.PUT_POLICY, "anybody"),
            tuple(id, Result.DONE, Action.PUT_POLICY, "anybody"));
    assertThat(test.audit.entries)
        .allSatisfy(
            entry -> {
              assertThat(entry.before())
                  .hasToString("{\"source\":\"configuration\",\"perPodMaxConnections\":3}");
              assertThat(entry.after())
                  .hasToString("{\"source\":\"api\",\"perPodMaxConnections\":9}");
              assertThat(entry.address()).isEqualTo("127.0.0.1");
            });
  }

  @Test
  void shouldWriteDownDrainsOfTheirPodAndNothingThatChangesNothing() throws Exception {
    // When
    for (String method : List.of("PUT", "PUT", "DELETE", "DELETE")) {
      send(method, "/v1/pools/chat/pods/10.0.0.1:80/drain", "");
    }
    send("PUT", "/v1/pools/chat/policy", "{\"perPodMaxConnections\":0}");
    // Then
    assertThat(test.audit.entries)
        .extracting(AuditEntry::action, AuditEntry::pod, entry -> entry.after().toString())
        .containsExactly(
            tuple(Action.DRAIN, "10.0.0.1:80", "{\"draining\":[\"10.0.0.1:80\"]}"),
            tuple(Action.DRAIN, "10.0.0.1:80", "{\"draining\":[\"10.0.0.1:80\"]}"),
            tuple(Action.UNDRAIN, "10.0.0.1:80", "{\"draining\":[]}"),
            tuple(Action.UNDRAIN, "10.0.0.1:80", "{\"draining\":[]}"));
  }

  @Test
  void shouldNotDoWhatCannotBeWrittenDown() throws Exception {
    // Given
    test.audit.failure = new IllegalStateException("away");
    // When
    HttpResponse<String> answer =
        send("PUT", "/v1/pools/chat/policy", "{\"perPodMaxConnections\":9}");
    // Then
    assertThat(answer.statusCode()).isEqualTo(503);
    assertThat(answer.body())
        .contains("the change of pool 'chat' was not made: Kafka did not take its audit record");
    assertThat(policies.changes).isZero();
  }

  @Test
  void shouldWriteDownThatAChangeFailed() throws Exception {
    // Given
    policies.failure = new IllegalStateException("away");
    // When
    HttpResponse<String> answer =
        send("PUT", "/v1/pools/chat/policy", "{\"perPodMaxConnections\":9}");
    // Then
    assertThat(answer.statusCode()).isEqualTo(503);
    assertThat(test.audit.entries)
        .extracting(AuditEntry::result, AuditEntry::reason)
        .containsExactly(tuple(Result.ASKED, null), tuple(Result.FAILED, "away"));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{\"pods\":[{\"name\":\"admin\",\"address\":\"127.0.0.1:9901\"}]}",
        "{\"pods\":[{\"name\":\"other\",\"address\":\"10.0.0.3:80\"}]}",
        "{\"pods\":[],\"kubernetes\":{\"namespace\":\"x\",\"service\":\"y\",\"port\":\"z\"}}",
        "{\"pods\":[]}"
      })
  void shouldLeavePodsToTheConfiguration(String body) throws Exception {
    // When
    HttpResponse<String> answer = send("PUT", "/v1/pools/chat/policy", body);
    // Then
    assertThat(answer.statusCode()).isEqualTo(400);
    assertThat(answer.body()).contains("http.writable-pods is not set");
    assertThat(record().policy()).isEqualTo(BASE);
  }

  @Test
  void shouldTakePodsWhereTheyMayBeWhenItIsToldTo() throws Exception {
    // Given
    test.settings =
        new HttpSettings(
            new HttpAddress("127.0.0.1", 0), null, null, null, Set.of(), true, PodNetworks.USUAL);
    test.checks = new NoChecks();
    try (QueryServer writable = test.start()) {
      // When
      HttpResponse<String> taken = put(writable, "pod-1.shop", "10.0.0.3:80");
      HttpResponse<String> metadata = put(writable, "pod-1", "169.254.169.254:80");
      HttpResponse<String> envoy = put(writable, "pod-1", "127.0.0.1:9901");
      HttpResponse<String> forged = put(writable, "a; reboot", "10.0.0.3:80");
      // Then
      assertThat(taken.statusCode()).isEqualTo(200);
      assertThat(metadata.statusCode()).isEqualTo(400);
      assertThat(metadata.body()).contains("\"field\":\"pods[0].address\"");
      assertThat(envoy.statusCode()).isEqualTo(400);
      assertThat(forged.statusCode()).isEqualTo(400);
      assertThat(forged.body()).contains("a name as Kubernetes has it");
      assertThat(record().policy().pods())
          .containsExactly(new Pod("pod-1.shop", PodAddress.parse("10.0.0.3:80")));
    }
  }

  private HttpResponse<String> put(QueryServer to, String name, String address) throws Exception {
    return client.send(
        HttpRequest.newBuilder(
                URI.create("http://127.0.0.1:" + to.port() + "/v1/pools/chat/policy"))
            .PUT(
                HttpRequest.BodyPublishers.ofString(
                    "{\"pods\":[{\"name\":\"%s\",\"address\":\"%s\"}]}".formatted(name, address)))
            .build(),
        HttpResponse.BodyHandlers.ofString());
  }

  @Test
  void shouldRefuseWhatAnotherPoolClaims() throws Exception {
    // Given
    ledger.pools.add("game");
    PoolPolicy game =
        new PoolPolicy(
                "game",
                PoolPolicy.UNLIMITED_RATE,
                1,
                3,
                PoolPolicy.Mode.ENFORCE,
                PoolPolicy.OnOwnerLoss.SHARE,
                List.of())
            .claiming(List.of("httproute/game/*"), List.of(new HostMatch("game.example", "/")));
    policies.records.put("game", PolicyRecord.ofBase(game, Set.of(), 1));
    // When
    HttpResponse<String> cluster =
        send("PUT", "/v1/pools/chat/policy", "{\"clusters\":[\"httproute/game/0\"]}");
    HttpResponse<String> host =
        send("PUT", "/v1/pools/chat/policy", "{\"hosts\":[{\"host\":\"Game.example\"}]}");
    HttpResponse<String> own =
        send("PUT", "/v1/pools/chat/policy", "{\"clusters\":[\"httproute/chat/*\"]}");
    // Then
    assertThat(cluster.statusCode()).isEqualTo(400);
    assertThat(cluster.body()).contains("what no other pool claims; pool 'game' does");
    assertThat(host.statusCode()).isEqualTo(400);
    assertThat(own.statusCode()).isEqualTo(200);
    assertThat(record().policy().clusters()).containsExactly("httproute/chat/*");
  }

  @Test
  void shouldRefuseWhatIsWrongAndChangeNothing() throws Exception {
    // When
    HttpResponse<String> answer =
        send("PUT", "/v1/pools/chat/policy", "{\"perPodMaxConnections\":0,\"burstCapacity\":5}");
    // Then
    assertThat(answer.statusCode()).isEqualTo(400);
    assertThat(answer.headers().firstValue("content-type")).hasValue("application/problem+json");
    assertThat(answer.body())
        .isEqualTo(
            """
            {"type":"about:blank","title":"Bad Request","status":400,\
            "detail":"perPodMaxConnections is 0: allowed is 1 to 10000000",\
            "field":"perPodMaxConnections","value":"0","allowed":"1 to 10000000"}""");
    assertThat(policies.changes).isZero();
  }

  @Test
  void shouldGoBackToTheConfiguration() throws Exception {
    // Given
    send("PUT", "/v1/pools/chat/policy", "{\"perPodMaxConnections\":9}");
    // When
    HttpResponse<String> answer = send("DELETE", "/v1/pools/chat/policy", "");
    // Then
    assertThat(answer.body()).contains("\"source\":\"configuration\"");
    assertThat(record().policy()).isEqualTo(BASE);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "10.0.0.1:80",
        "10.0.0.1%3A80",
        "%5Bfd00::7%5D:80",
        "%5Bfd00%3A%3A7%5D%3A80",
        "%5BFD00:0:0:0:0:0:0:0007%5D:80"
      })
  void shouldDrainAndUndrainAPod(String address) throws Exception {
    // Given
    PodAddress pod = address.startsWith("10") ? POD : POD_6;
    String path = "/v1/pools/chat/pods/" + address + "/drain";
    // When
    HttpResponse<String> drained = send("PUT", path, "");
    HttpResponse<String> again = send("PUT", path, "");
    // Then
    assertThat(drained.statusCode()).isEqualTo(200);
    assertThat(again.body()).isEqualTo(drained.body());
    assertThat(drained.body()).contains("\"address\":\"" + pod + "\",\"draining\":true");
    assertThat(record().draining()).containsExactly(pod);
    assertThat(policies.changes).isEqualTo(1);
    assertThat(send("GET", "/v1/pools/chat/policy", "").body())
        .contains("\"draining\":[\"" + pod + "\"]");
    assertThat(send("DELETE", path, "").body()).contains("\"draining\":false");
    assertThat(send("DELETE", path, "").statusCode()).isEqualTo(200);
    assertThat(record().draining()).isEmpty();
  }

  @Test
  void shouldPaceADrainAndShowWhatMayBeLeft() throws Exception {
    // Given
    PoolView view =
        new PoolView(
            "chat",
            NOW_MS + 150_000,
            PoolPolicy.Mode.ENFORCE,
            10,
            0,
            List.of(
                new PodView("one", POD, 10, 0, 3, State.DRAINING),
                new PodView("six", POD_6, 0, 0, 3, State.AVAILABLE)));
    ledger.connections.put("chat", view);
    // When
    HttpResponse<String> drained =
        send("PUT", "/v1/pools/chat/pods/10.0.0.1:80/drain?within=10m", "");
    // Then
    assertThat(drained.body())
        .isEqualTo(
            """
            {"pool":"chat","asOf":"2023-11-14T22:13:20.123Z","pod":"one",\
            "address":"10.0.0.1:80","draining":true,"drainUntil":"2023-11-14T22:23:20.123Z"}""");
    assertThat(record().paces())
        .isEqualTo(Map.of(POD, new DrainPace(NOW_MS, NOW_MS + 600_000, 10)));
    assertThat(send("GET", "/v1/pools/chat/connections", "").body())
        .contains("\"drainUntil\":\"2023-11-14T22:23:20.123Z\",\"drainFrom\":10,\"drainTo\":8}")
        .contains("\"state\":\"available\",\"overLimit\":false}");
    // And without a pace it takes its time
    assertThat(send("PUT", "/v1/pools/chat/pods/10.0.0.1:80/drain", "").body())
        .doesNotContain("drainUntil");
    assertThat(record().paces()).isEmpty();
    assertThat(record().draining()).containsExactly(POD);
  }

  @ParameterizedTest
  @ValueSource(strings = {"10", "0s", "25h", "soon", ""})
  void shouldRefuseATimeThatIsNone(String within) throws Exception {
    // When
    HttpResponse<String> answer =
        send("PUT", "/v1/pools/chat/pods/10.0.0.1:80/drain?within=" + within, "");
    // Then
    assertThat(answer.statusCode()).isEqualTo(400);
    assertThat(answer.body())
        .contains(
            "\"detail\":\"within is '"
                + within
                + "': allowed is 1s to 24h, written as 500ms, 10s, 5m or 1h\","
                + "\"field\":\"within\"");
    assertThat(policies.changes).isZero();
  }

  @Test
  void shouldAnswerOnlyAChangedPolicyTwice() throws Exception {
    // Given
    HttpResponse<String> shown = send("GET", "/v1/pools/chat/policy", "");
    HttpRequest again =
        HttpRequest.newBuilder(
                URI.create("http://127.0.0.1:" + server.port() + "/v1/pools/chat/policy"))
            .header("if-none-match", shown.headers().firstValue("etag").orElseThrow())
            .build();
    // When / Then
    assertThat(status(again)).isEqualTo(304);
    send("PUT", "/v1/pools/chat/policy", "{\"perPodMaxConnections\":9}");
    assertThat(status(again)).isEqualTo(200);
  }

  private int status(HttpRequest request) throws Exception {
    return client.send(request, HttpResponse.BodyHandlers.ofString()).statusCode();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "nope/pods/10.0.0.1:80/drain",
        "chat/pods/10.0.0.2:80/drain",
        "chat/pods/one/drain",
        "nope/policy"
      })
  void shouldKnowNoOtherPoolOrPod(String path) throws Exception {
    // When
    HttpResponse<String> answer = send("PUT", "/v1/pools/" + path, "{}");
    // Then
    assertThat(answer.statusCode()).isEqualTo(404);
    assertThat(answer.headers().firstValue("content-type")).hasValue("application/problem+json");
    assertThat(policies.changes).isZero();
  }

  @Test
  void shouldSayThatKafkaDidNotTakeTheChange() throws Exception {
    // Given
    policies.failure = new IllegalStateException("away");
    // When
    HttpResponse<String> answer =
        send("PUT", "/v1/pools/chat/policy", "{\"perPodMaxConnections\":9}");
    // Then
    assertThat(answer.statusCode()).isEqualTo(503);
    assertThat(answer.body())
        .contains("Kafka did not take the change of pool 'chat'; it may still take effect");
  }

  private PolicyRecord record() {
    return Objects.requireNonNull(policies.records.get("chat"));
  }

  private HttpResponse<String> send(String method, String path, String body) throws Exception {
    return client.send(
        HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + server.port() + path))
            .method(method, HttpRequest.BodyPublishers.ofString(body))
            .build(),
        HttpResponse.BodyHandlers.ofString());
  }
}
