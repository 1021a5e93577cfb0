package io.connectionledger.admission.authz;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.connectionledger.admission.ScriptedLedger;
import io.connectionledger.admission.check.Admission;
import io.connectionledger.admission.check.Durability;
import io.connectionledger.admission.decisionlog.DecisionPublisher;
import io.connectionledger.admission.decisionlog.KafkaDecisionLog;
import io.connectionledger.admission.http.QueryServer;
import io.connectionledger.admission.http.TestServer;
import io.connectionledger.admission.metrics.AdmissionMetrics;
import io.connectionledger.admission.peer.Peers;
import io.connectionledger.model.PodAddress;
import io.connectionledger.model.Ticker;
import io.connectionledger.model.event.Decision;
import io.connectionledger.model.event.RejectionReason;
import io.connectionledger.model.policy.Affinity;
import io.connectionledger.model.policy.PoolPolicy.Mode;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.time.Duration;
import java.util.Base64;
import java.util.Map;
import java.util.TreeMap;
import org.apache.kafka.clients.producer.MockProducer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Checks as Envoy's http_service writes them, byte by byte. */
final class CheckHandlerIT {

  private static final Decision.Allowed ALLOWED =
      new Decision.Allowed("chat", "r-1", new PodAddress("10.0.0.7", 8080), 0, 1_700_000_000_000L);
  private static final String HANDSHAKE =
      "host: a\r\nupgrade: websocket\r\nconnection: Upgrade\r\nx-ledger-pool: chat\r\n";

  private final ScriptedLedger ledger = new ScriptedLedger();
  private final MockProducer<byte[], byte[]> kafka =
      new MockProducer<>(false, null, new ByteArraySerializer(), new ByteArraySerializer());
  private final QueryServer server = start(Durability.FAST);

  CheckHandlerIT() {
    ledger.pools.add("chat");
  }

  private QueryServer start(Durability durability) {
    Ticker ticker = Ticker.system();
    AdmissionMetrics metrics = new AdmissionMetrics(new SimpleMeterRegistry());
    DecisionPublisher publisher =
        new DecisionPublisher(new KafkaDecisionLog(kafka), metrics, ticker);
    TestServer test = new TestServer();
    test.checks =
        new CheckHandler(
            new Admission(ledger.ledger(), Peers.NONE, publisher, durability, metrics, ticker));
    test.ledger = ledger;
    return test.start();
  }

  @AfterEach
  void stop() {
    server.close();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "GET /check",
        "GET /check/",
        "GET /check/chat?token=a%20b&x=%ZZ",
        "POST /check/a%2Fb/..;/c",
        "PROPFIND /check//x",
        "DELETE /check/../v1/pools"
      })
  void shouldAnswerAnAllowedCheckWhateverMethodAndPath(String line) throws Exception {
    // Given
    ledger.decisions.add(ALLOWED);
    // When
    Answer answer = send(line, HANDSHAKE);
    // Then
    assertThat(answer.status).isEqualTo(200);
    assertThat(answer.headers)
        .containsEntry("x-ledger-reservation", "r-1")
        .containsEntry("x-ledger-pool", "chat")
        .containsEntry("x-ledger-endpoint", "10.0.0.7:8080")
        .containsEntry(
            "x-ledger-pod", Base64.getEncoder().encodeToString("10.0.0.7:8080".getBytes(UTF_8)))
        .doesNotContainKey("x-ledger-reason");
    assertThat(ledger.asked).containsExactly("chat");
    assertThat(kafka.history()).hasSize(1);
  }

  @ParameterizedTest
  @EnumSource(value = RejectionReason.class, mode = EnumSource.Mode.EXCLUDE, names = "UNKNOWN_POOL")
  void shouldAnswerARejectedCheck(RejectionReason reason) throws Exception {
    // Given
    ledger.decisions.add(new Decision.Rejected("chat", "d-1", reason, null, 7, 1));
    // When
    Answer answer = send("GET /check/", HANDSHAKE);
    // Then
    assertThat(answer.status).isEqualTo(reason.httpStatus());
    assertThat(answer.headers)
        .containsEntry("retry-after", "7")
        .containsEntry("content-type", "application/json")
        .containsEntry("x-ledger-reason", reason.label())
        .containsEntry("x-ledger-pool", "chat");
    assertThat(answer.body)
        .isEqualTo(
            "{\"reason\":\"%s\",\"pool\":\"chat\",\"retryAfterSeconds\":7}"
                .formatted(reason.label()));
  }

  @Test
  void shouldTellClientsApartByTheAddressThatEnvoyAdded() throws Exception {
    // Given
    ledger.affinity = Affinity.bySourceAddress();
    ledger.decisions.add(ALLOWED);
    // When
    send("GET /check/", HANDSHAKE + "x-forwarded-for: 198.51.100.1, 192.0.2.7\r\n");
    // Then
    assertThat(ledger.keys).containsExactly("192.0.2.7");
  }

  @Test
  void shouldRejectAnUnknownPool() throws Exception {
    // When
    Answer answer = send("GET /check/", HANDSHAKE.replace("chat", "nope"));
    // Then
    assertThat(answer.status).isEqualTo(503);
    assertThat(answer.headers).containsEntry("x-ledger-reason", "unknown_pool");
    assertThat(kafka.history()).isEmpty();
  }

  @Test
  void shouldTakeTheOnlyPoolWhenNoneIsNamed() throws Exception {
    // Given
    ledger.decisions.add(ALLOWED);
    // When
    Answer answer = send("GET /check/", HANDSHAKE.replace("x-ledger-pool: chat\r\n", ""));
    // Then
    assertThat(answer.status).isEqualTo(200);
    assertThat(ledger.asked).containsExactly("chat");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "x-ledger-pool: chat\r\n",
        "connection: upgrade\r\n",
        "upgrade: h2c\r\nconnection: upgrade\r\n"
      })
  void shouldPassWhatIsNoWebSocketUntouched(String headers) throws Exception {
    // When
    Answer answer = send("GET /check/", "host: a\r\n" + headers);
    // Then
    assertThat(answer.status).isEqualTo(200);
    assertThat(answer.headers.keySet()).noneMatch(name -> name.startsWith("x-ledger-"));
    assertThat(ledger.asked).isEmpty();
  }

  @Test
  void shouldLetAShadowedRejectionPass() throws Exception {
    // Given
    ledger.decisions.add(
        new Decision.Rejected("chat", "d", RejectionReason.POD_LIMIT, null, 7, 1, Mode.SHADOW));
    // When
    Answer answer = send("GET /check/", HANDSHAKE);
    // Then
    assertThat(answer.status).isEqualTo(200);
    assertThat(answer.headers)
        .containsEntry("x-ledger-reason", "pod_limit")
        .doesNotContainKey("x-ledger-pod");
  }

  @Test
  void shouldTakeTheLongestHeadThatEnvoyPassesOn() throws Exception {
    // Given
    ledger.decisions.add(ALLOWED);
    // When
    Answer answer = send("GET /check/" + "x".repeat(60 << 10), HANDSHAKE);
    // Then
    assertThat(answer.status).isEqualTo(200);
  }

  @Test
  void shouldRefuseWhatIsMalformedOrOversized() throws Exception {
    // When
    Answer twice = send("GET /check/", HANDSHAKE + "x-ledger-pool: game\r\n");
    Answer half = send("GET /check/", "host: a\r\nupgrade: websocket\r\n");
    Answer body = send("POST /check/", HANDSHAKE + "content-length: 70000\r\n");
    Answer path = send("GET /check/" + "x".repeat(100 << 10), HANDSHAKE);
    Answer head = send("GET /check/", HANDSHAKE + "a: " + "x".repeat(100 << 10) + "\r\n");
    // Then
    assertThat(twice.status).isEqualTo(400);
    assertThat(twice.body).contains("x-ledger-pool is there more than once: allowed is once");
    assertThat(half.status).as("Envoy does not list connection").isEqualTo(400);
    assertThat(body.status).isEqualTo(413);
    assertThat(body.body).contains("the body has 70000 bytes: allowed is up to 65536");
    assertThat(path.status).isEqualTo(414);
    assertThat(head.status).isEqualTo(431);
    assertThat(ledger.asked).isEmpty();
  }

  @Test
  void shouldLeaveOtherPathsToTheQueryApi() throws Exception {
    // When
    Answer pools = send("GET /v1/pools", "host: localhost\r\n");
    Answer similar = send("GET /checks", HANDSHAKE);
    // Then
    assertThat(pools.body).contains("\"pools\":[{\"pool\":\"chat\"}]");
    assertThat(similar.status).isEqualTo(404);
    assertThat(ledger.asked).isEmpty();
  }

  @Test
  void shouldAnswerAfterKafkaWithoutHoldingAThreadWhenAcknowledged() throws Exception {
    // Given: more pending checks than the server has threads
    int checks = 300;
    try (QueryServer acknowledged = start(Durability.ACKNOWLEDGED)) {
      Socket[] sockets = new Socket[checks];
      for (int i = 0; i < checks; i++) {
        ledger.decisions.add(ALLOWED);
      }
      // When
      for (int i = 0; i < checks; i++) {
        sockets[i] = connect(acknowledged.port(), "GET /check/", HANDSHAKE);
      }
      Awaitility.await()
          .atMost(Duration.ofSeconds(20))
          .until(() -> kafka.history().size() == checks);
      // Then
      for (int i = 0; i < checks; i++) {
        assertThat(kafka.completeNext()).isTrue();
      }
      for (Socket socket : sockets) {
        assertThat(Answer.read(socket).status).isEqualTo(200);
      }
    }
  }

  private Answer send(String line, String headers) throws IOException {
    return Answer.read(connect(server.port(), line, headers));
  }

  private static Socket connect(int port, String line, String headers) throws IOException {
    Socket socket = new Socket(InetAddress.getLoopbackAddress(), port);
    socket.setSoTimeout((int) Duration.ofSeconds(20).toMillis());
    socket.getOutputStream().write((line + " HTTP/1.1\r\n" + headers + "\r\n").getBytes(UTF_8));
    return socket;
  }

  private record Answer(int status, Map<String, String> headers, String body) {

    static Answer read(Socket connected) throws IOException {
      try (Socket socket = connected) {
        var in = socket.getInputStream();
        StringBuilder head = new StringBuilder();
        while (head.indexOf("\r\n\r\n") < 0) {
          int next = in.read();
          if (next < 0) {
            throw new IOException("no answer but '" + head + "'");
          }
          head.append((char) next);
        }
        String[] lines = head.toString().split("\r\n", -1);
        Map<String, String> headers = new TreeMap<>(String.CASE_INSENSITIVE_ORDER);
        for (int i = 1; i < lines.length; i++) {
          int colon = lines[i].indexOf(':');
          if (colon > 0) {
            headers.put(lines[i].substring(0, colon), lines[i].substring(colon + 1).strip());
          }
        }
        int length = Integer.parseInt(headers.getOrDefault("content-length", "0"));
        return new Answer(
            Integer.parseInt(lines[0].split(" ", -1)[1]),
            headers,
            new String(in.readNBytes(length), UTF_8));
      }
    }
  }
}
