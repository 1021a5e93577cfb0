package io.connectionledger.kubernetes.chart;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What an Envoy's pod does before it stops, against an Envoy and a ledger that are made up. */
class DrainTest {

  private static final String SCRIPT = Chart.FOLDER.resolve("files/drain.sh").toString();
  private static final int UNAVAILABLE = 503;

  /** What both were asked, in order. */
  private final List<String> asked = Collections.synchronizedList(new ArrayList<>());

  private final Deque<String> answers = new ArrayDeque<>();
  private HttpServer server;

  @BeforeEach
  void start() throws IOException {
    server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    server.createContext(
        "/",
        exchange -> {
          asked.add(exchange.getRequestMethod() + " " + exchange.getRequestURI().getPath());
          byte[] body = answer(exchange.getRequestURI().getPath());
          int status = body.length == 0 ? UNAVAILABLE : 200;
          exchange.sendResponseHeaders(status, body.length == 0 ? -1 : body.length);
          exchange.getResponseBody().write(body);
          exchange.close();
        });
    server.start();
  }

  /** The ledger repeats its last answer. */
  private byte[] answer(String path) {
    if (!path.startsWith("/v1")) {
      return "OK\n".getBytes(StandardCharsets.UTF_8);
    }
    String next = answers.size() > 1 ? answers.remove() : answers.element();
    return next.getBytes(StandardCharsets.UTF_8);
  }

  @AfterEach
  void stop() {
    server.stop(0);
  }

  @Test
  void shouldWaitUntilTheLedgerCountsNoneOfItsConnections() throws Exception {
    answers.add(readiness(2, 7));
    answers.add(readiness(1, 7));
    answers.add(readiness(0, 7));

    String said = drain("chat", 30);

    assertThat(said).isEmpty();
    assertThat(asked)
        .containsExactly(
            "POST /healthcheck/fail",
            "GET /v1/pools/chat/readiness",
            "GET /v1/pools/chat/readiness",
            "GET /v1/pools/chat/readiness");
  }

  @Test
  void shouldLookAtEachPool() throws Exception {
    answers.add(readiness(0, 7));

    String said = drain("chat game", 30);

    assertThat(said).isEmpty();
    assertThat(asked)
        .containsExactly(
            "POST /healthcheck/fail",
            "GET /v1/pools/chat/readiness",
            "GET /v1/pools/game/readiness");
  }

  @Test
  void shouldNotWaitForAnEnvoyThatTheLedgerHasNeverHeardOf() throws Exception {
    answers.add("{\"pool\":\"chat\",\"envoys\":[]}");

    assertThat(drain("chat", 30)).isEmpty();
  }

  @Test
  void shouldSayHowManyAreOpenAfterItsDeadline() throws Exception {
    answers.add(readiness(3, 0));

    assertThat(drain("chat", 2)).isEqualTo("3 connections are still open after 2 s\n");
  }

  @Test
  void shouldWaitForItsDeadlineWhereTheLedgerDoesNotSay() throws Exception {
    answers.add("");

    assertThat(drain("chat", 2))
        .isEqualTo("an unknown number of connections are still open after 2 s\n");
  }

  private static String readiness(int own, int anothers) {
    return """
        {"pool":"chat","asOf":"2026-11-26T21:35:39Z","ready":true,"completeness":1.0,"envoys":[\
        {"node":"envoy-1","lastSeen":"2026-11-26T21:35:38Z","connections":%d,"heartbeatSeconds":10.0},\
        {"node":"envoy-10","lastSeen":"2026-11-26T21:35:38Z","connections":%d}],"reasons":[]}"""
        .formatted(own, anothers);
  }

  /** Runs the script of envoy-1 to its end, and returns what it printed. */
  private String drain(String pools, int seconds) throws IOException, InterruptedException {
    String address = "127.0.0.1:" + server.getAddress().getPort();
    ProcessBuilder script = new ProcessBuilder("bash", SCRIPT).redirectErrorStream(true);
    script
        .environment()
        .putAll(
            Map.of(
                "POD_NAME",
                "envoy-1",
                "ENVOY_ADMIN",
                address,
                "LEDGER",
                address,
                "POOLS",
                pools,
                "SETTLE_SECONDS",
                "0",
                "DRAIN_SECONDS",
                Integer.toString(seconds)));
    Process running = script.start();
    String said = new String(running.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(running.waitFor()).isZero();
    return said;
  }
}
