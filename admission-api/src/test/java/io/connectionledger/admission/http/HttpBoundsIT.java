package io.connectionledger.admission.http;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.connectionledger.admission.http.port.HttpAddress;
import io.connectionledger.admission.http.port.HttpBounds;
import io.connectionledger.admission.http.port.HttpSettings;
import io.connectionledger.model.PodAddress;
import io.connectionledger.model.PodNetworks;
import io.connectionledger.model.policy.Pod;
import io.connectionledger.model.policy.PolicyRecord;
import io.connectionledger.model.policy.PoolPolicy;
import io.connectionledger.model.view.SimulationRefusedException;
import io.connectionledger.model.view.SimulationRefusedException.Why;
import io.connectionledger.testkit.ManualTicker;
import io.connectionledger.testkit.PolicyFixtures;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpTimeoutException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;

/**
 * Whoever is slow, large or many is refused and counted, and the others are answered meanwhile.
 * Most of it is waiting until a bound is reached, so the tests wait side by side.
 */
@Timeout(120)
@Execution(ExecutionMode.CONCURRENT)
final class HttpBoundsIT {

  private static final String PUT =
      "PUT /v1/pools/chat/policy HTTP/1.1\r\nhost: localhost\r\ncontent-length: 100000\r\n\r\n{";

  private static final String LAST = "connection: close\r\n";

  /** Well below what those 600 would take if they held threads, which is some nine seconds. */
  private static final Duration PATIENCE = Duration.ofSeconds(5);

  private final TestServer test = new TestServer();
  private final HttpClient client = HttpClient.newHttpClient();
  private final List<Socket> sockets = new ArrayList<>();
  private final CountDownLatch release = new CountDownLatch(1);

  HttpBoundsIT() {
    test.settings =
        new HttpSettings(
            new HttpAddress("127.0.0.1", 0),
            new HttpAddress("127.0.0.1", 0),
            new HttpAddress("127.0.0.1", 0),
            null,
            Set.of(),
            false,
            PodNetworks.USUAL);
    PoolPolicy policy =
        PolicyFixtures.unlimited(
            "chat",
            3,
            PoolPolicy.OnOwnerLoss.SHARE,
            List.of(new Pod("one", PodAddress.parse("10.0.0.1:80"))));
    test.policies.records.put("chat", PolicyRecord.ofBase(policy, Set.of(), 1));
    test.ledger.pools.add("chat");
  }

  @AfterEach
  void stop() throws IOException {
    release.countDown();
    for (Socket socket : sockets) {
      socket.close();
    }
    client.shutdownNow();
  }

  /** The weakness itself: 260 of them held all 250 threads, and the liveness probe with them. */
  @Test
  void shouldHoldNoThreadForASlowBody() throws Exception {
    try (QueryServer server = test.start()) {
      int admin = server.adminPort().orElseThrow();
      List<Socket> slow = new ArrayList<>();
      for (int i = 0; i < 600; i++) {
        slow.add(sent(admin, PUT));
      }
      for (int port : List.of(admin, server.port(), server.probesPort().orElseThrow())) {
        for (String path : List.of("/health/live", "/health/ready", "/metrics")) {
          assertThat(get(port, path, PATIENCE).statusCode()).isEqualTo(200);
        }
      }
      assertThat(get(admin, "/v1/pools", PATIENCE).statusCode()).isEqualTo(200);
      for (Socket socket : slow) {
        assertThat(answer(socket)).startsWith("HTTP/1.1 408").contains("the body came too slowly");
      }
      assertThat(test.refused("body_too_slow")).isEqualTo(600);
      assertThat(test.audit.entries).isEmpty();
    }
  }

  @Test
  void shouldEndABodyThatTricklesBelowTheRate() throws Exception {
    try (QueryServer server = test.start()) {
      Socket trickling = sent(server.adminPort().orElseThrow(), PUT);
      long began = test.ticker.nowNanos();
      await()
          .pollInterval(Duration.ofMillis(200))
          .untilAsserted(
              () -> {
                write(trickling, " ");
                assertThat(test.refused("body_too_slow")).isEqualTo(1);
              });
      assertThat(Duration.ofNanos(test.ticker.nowNanos() - began))
          .isBetween(HttpBounds.BODY_GRACE, HttpBounds.BODY_TIMEOUT);
    }
  }

  @Test
  void shouldEndABodyThatComesFastEnoughAndNeverEnds() throws Exception {
    ManualTicker ticker = new ManualTicker();
    test.ticker = ticker;
    try (QueryServer server = test.start()) {
      Socket endless = sent(server.adminPort().orElseThrow(), PUT + " ".repeat(90_000));
      assertThat(endless.getInputStream().available()).isZero();
      // Its time begins when the server reads of it, which may be later than this.
      await()
          .untilAsserted(
              () -> {
                ticker.advance(HttpBounds.BODY_TIMEOUT.plusSeconds(1));
                assertThat(test.refused("body_too_slow")).isEqualTo(1);
              });
      assertThat(answer(endless)).startsWith("HTTP/1.1 408");
    }
  }

  @Test
  void shouldEndAHeadThatTricklesBetweenRequestsToo() throws Exception {
    try (QueryServer server = test.start()) {
      Socket first = sent(server.port(), "GET /health/live HTTP/1.1\r\n");
      Socket later = sent(server.port(), "GET /health/live HTTP/1.1\r\nhost: localhost\r\n\r\n");
      later.setSoTimeout(5_000);
      assertThat(new String(later.getInputStream().readNBytes(15), UTF_8))
          .isEqualTo("HTTP/1.1 200 OK");
      // Of the second, the head begins after an answer.
      write(later, "GET /health/live HTTP/1.1\r\n");
      await()
          .pollInterval(Duration.ofMillis(500))
          .atMost(HttpBounds.HEAD_TIMEOUT.multipliedBy(2))
          .untilAsserted(
              () -> {
                trickle(first);
                trickle(later);
                assertThat(test.refused("head_too_slow")).isEqualTo(2);
              });
    }
  }

  @Test
  void shouldRefuseABodyHeadOrQueryThatIsTooLarge() throws Exception {
    try (QueryServer server = test.start()) {
      int admin = server.adminPort().orElseThrow();
      assertThat(
              send(admin, "PUT", "/v1/pools/chat/policy", " ".repeat(HttpBounds.MAX_BODY_BYTES + 1))
                  .statusCode())
          .isEqualTo(413);
      assertThat(
              get(
                      server.port(),
                      "/v1/pools?after=" + "x".repeat(HttpBounds.MAX_QUERY_CHARS),
                      Duration.ofSeconds(5))
                  .statusCode())
          .isEqualTo(414);
      Socket head =
          sent(
              server.port(),
              "GET / HTTP/1.1\r\nhost: a\r\nx: "
                  + "x".repeat(HttpBounds.MAX_HEAD_BYTES)
                  + "\r\n\r\n");
      assertThat(answer(head)).startsWith("HTTP/1.1 431");
      assertThat(test.refused("body_too_large")).isEqualTo(1);
      assertThat(test.refused("query_too_long")).isEqualTo(1);
      assertThat(test.refused("head_too_large")).isEqualTo(1);
    }
  }

  @Test
  void shouldRefuseJsonThatIsTooDeep() throws Exception {
    try (QueryServer server = test.start()) {
      for (String json :
          List.of(
              "{\"hosts\":" + "[".repeat(100_000),
              "{\"a\":".repeat(50_000),
              "{\"perPodMaxConnections\":" + "9".repeat(100_000) + "}")) {
        HttpResponse<String> put =
            send(server.adminPort().orElseThrow(), "PUT", "/v1/pools/chat/policy", json);
        HttpResponse<String> simulated =
            send(server.port(), "POST", "/v1/pools/chat/simulate", json);
        assertThat(put.statusCode()).isEqualTo(400);
        assertThat(simulated.statusCode()).isEqualTo(400);
        assertThat(put.body()).hasSizeLessThan(500);
      }
    }
  }

  @Test
  void shouldWorkOnSoManyRequestsAndAnswerProbesMeanwhile() throws Exception {
    CountDownLatch working = new CountDownLatch(HttpBounds.WORKERS);
    test.simulations =
        request -> {
          working.countDown();
          try {
            release.await();
          } catch (InterruptedException stopping) {
            Thread.currentThread().interrupt();
          }
          throw new SimulationRefusedException(Why.UNAVAILABLE, "released");
        };
    try (QueryServer server = test.start()) {
      List<CompletableFuture<HttpResponse<String>>> asked = new ArrayList<>();
      for (int i = 0; i < HttpBounds.WORKERS + HttpBounds.WAITING; i++) {
        asked.add(
            client.sendAsync(
                request(server.port(), "/v1/pools/chat/simulate")
                    .POST(HttpRequest.BodyPublishers.noBody())
                    .build(),
                HttpResponse.BodyHandlers.ofString()));
      }
      working.await();
      // Until all of them have come, it is one more that waits.
      await()
          .ignoreException(HttpTimeoutException.class)
          .untilAsserted(
              () -> {
                HttpResponse<String> refused =
                    get(server.port(), "/v1/pools", Duration.ofSeconds(2));
                assertThat(refused.statusCode()).isEqualTo(503);
                assertThat(refused.headers().firstValue("retry-after")).hasValue("1");
              });
      assertThat(test.refused("busy")).isPositive();
      assertThat(get(server.port(), "/health/live", Duration.ofSeconds(2)).statusCode())
          .isEqualTo(200);
      assertThat(
              get(server.probesPort().orElseThrow(), "/metrics", Duration.ofSeconds(2))
                  .statusCode())
          .isEqualTo(200);
      release.countDown();
      CompletableFuture.allOf(asked.toArray(CompletableFuture[]::new)).join();
      assertThat(get(server.port(), "/v1/pools", Duration.ofSeconds(2)).statusCode())
          .isEqualTo(200);
    }
  }

  @Test
  void shouldCloseAConnectionTooManyInAllAndOfOneAddressAndKeepTheProbesApart() throws Exception {
    try (QueryServer server = test.start()) {
      int share = HttpBounds.MAX_CONNECTIONS / HttpBounds.ADDRESS_SHARE;
      for (int i = 0; i < share + 20; i++) {
        connect(server.port(), "127.0.0.1");
      }
      await()
          .untilAsserted(
              () -> assertThat(test.refused("connections_of_address")).isBetween(10.0, 20.0));
      assertThat(test.refused("connections")).isZero();

      for (int i = 0; i < share + 20; i++) {
        connect(server.port(), i % 2 == 0 ? "127.0.0.2" : "127.0.0.3");
      }
      await().untilAsserted(() -> assertThat(test.refused("connections")).isPositive());
      assertThat(
              get(server.probesPort().orElseThrow(), "/health/live", Duration.ofSeconds(2))
                  .statusCode())
          .isEqualTo(200);
    }
  }

  @Test
  void shouldTakeFewerConnectionsToThePortOfTheProbes() throws Exception {
    try (QueryServer server = test.start()) {
      int probes = server.probesPort().orElseThrow();
      for (int i = 0; i < HttpBounds.MAX_PROBE_CONNECTIONS; i++) {
        connect(probes);
      }
      await()
          .untilAsserted(
              () -> {
                assertThat(connect(probes).getInputStream().read()).isNegative();
                // All are of one address, which may have half of them.
                assertThat(test.refused("connections") + test.refused("connections_of_address"))
                    .isPositive();
              });
      for (Socket socket : sockets) {
        socket.close();
      }
      await()
          .ignoreExceptions()
          .untilAsserted(
              () ->
                  assertThat(get(probes, "/health/live", Duration.ofSeconds(2)).statusCode())
                      .isEqualTo(200));
    }
  }

  @Test
  void shouldEndTheConnectionOfWhoDoesNotTakeTheAnswerOrSaysNothing() throws Exception {
    test.metrics = () -> "x".repeat(64 << 20);
    try (QueryServer server = test.start()) {
      Socket silent = connect(server.port());
      Socket deaf = connect(server.port());
      deaf.setReceiveBufferSize(4_096);
      write(deaf, "GET /metrics HTTP/1.1\r\nhost: localhost\r\n\r\n");
      await()
          .pollInterval(Duration.ofMillis(500))
          .atMost(HttpBounds.ANSWER_TIMEOUT.multipliedBy(2))
          .untilAsserted(
              () -> {
                assertThat(deaf.getInputStream().read()).isNotNegative();
                assertThat(test.refused("answer_too_slow")).isEqualTo(1);
              });
      // For as long: the one waits for the other.
      assertThat(HttpBounds.IDLE_TIMEOUT).isEqualTo(HttpBounds.ANSWER_TIMEOUT);
      assertThat(answer(silent)).isEmpty();
    }
  }

  @Test
  void shouldAnswerWritesOnTheirOwnPortAlone() throws Exception {
    try (QueryServer server = test.start()) {
      String drain = "/v1/pools/chat/pods/10.0.0.1:80/drain";
      assertThat(send(server.port(), "PUT", drain, "").statusCode()).isEqualTo(403);
      assertThat(test.refused("not_admin_port")).isEqualTo(1);
      assertThat(test.policies.changes).isZero();
      assertThat(send(server.adminPort().orElseThrow(), "PUT", drain, "").statusCode())
          .isEqualTo(200);
      assertThat(send(server.probesPort().orElseThrow(), "PUT", drain, "").statusCode())
          .isEqualTo(404);
      assertThat(
              get(server.probesPort().orElseThrow(), "/v1/pools", Duration.ofSeconds(2))
                  .statusCode())
          .isEqualTo(404);
    }
  }

  @Test
  void shouldRefuseAnotherHostAndAnotherSite() throws Exception {
    try (QueryServer server = test.start()) {
      int admin = server.adminPort().orElseThrow();
      assertThat(
              answer(
                  sent(
                      admin,
                      "GET /v1/pools HTTP/1.1\r\nhost: evil.example\r\nconnection: close\r\n\r\n")))
          .startsWith("HTTP/1.1 421");
      assertThat(
              answer(
                  sent(
                      admin,
                      "GET /health/live HTTP/1.1\r\nhost: evil.example\r\n" + LAST + "\r\n")))
          .startsWith("HTTP/1.1 200");
      String drain =
          "DELETE /v1/pools/chat/pods/10.0.0.1:80/drain HTTP/1.1\r\nhost: localhost\r\n" + LAST;
      assertThat(answer(sent(admin, drain + "origin: https://evil.example\r\n\r\n")))
          .startsWith("HTTP/1.1 403")
          .doesNotContain("access-control");
      assertThat(answer(sent(admin, drain + "sec-fetch-site: cross-site\r\n\r\n")))
          .startsWith("HTTP/1.1 403");
      assertThat(
              answer(
                  sent(
                      admin,
                      drain + "origin: http://localhost\r\nsec-fetch-site: same-origin\r\n\r\n")))
          .startsWith("HTTP/1.1 200");
      assertThat(test.refused("host")).isEqualTo(1);
      assertThat(test.refused("cross_site")).isEqualTo(2);
    }
  }

  private Socket connect(int port) throws IOException {
    return connect(port, "127.0.0.1");
  }

  private Socket connect(int port, String from) throws IOException {
    Socket socket =
        new Socket(InetAddress.getLoopbackAddress(), port, InetAddress.getByName(from), 0);
    sockets.add(socket);
    return socket;
  }

  private Socket sent(int port, String text) throws IOException {
    Socket socket = connect(port);
    write(socket, text);
    return socket;
  }

  private static void write(Socket socket, String text) throws IOException {
    socket.getOutputStream().write(text.getBytes(UTF_8));
  }

  /** A little more of a head; nothing once the server has closed. */
  private static void trickle(Socket socket) throws IOException {
    socket.setSoTimeout(1);
    try {
      if (socket.getInputStream().available() > 0 || socket.getInputStream().read() >= 0) {
        socket.getInputStream().skipNBytes(socket.getInputStream().available());
      } else {
        return;
      }
    } catch (SocketTimeoutException open) {
      assertThat(open).hasMessageContaining("timed out");
    }
    write(socket, "x: y\r\n");
  }

  /** All that comes until the server closes. */
  private static String answer(Socket socket) throws IOException {
    socket.setSoTimeout(30_000);
    try {
      return new String(socket.getInputStream().readAllBytes(), UTF_8);
    } catch (SocketTimeoutException open) {
      throw new AssertionError("the connection is still open", open);
    }
  }

  private HttpRequest.Builder request(int port, String path) {
    return HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + path));
  }

  private HttpResponse<String> get(int port, String path, Duration timeout) throws Exception {
    return client.send(
        request(port, path).timeout(timeout).build(), HttpResponse.BodyHandlers.ofString());
  }

  private HttpResponse<String> send(int port, String method, String path, String body)
      throws Exception {
    return client.send(
        request(port, path).method(method, HttpRequest.BodyPublishers.ofString(body)).build(),
        HttpResponse.BodyHandlers.ofString());
  }
}
