package io.connectionledger.app.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.connectionledger.app.serve.LedgerNode;
import io.connectionledger.app.websocket.WebSocketPod;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;

/**
 * Handshakes in every spelling, through real Envoys that pass them on in every form of a check:
 * whatever Envoy upgrades was decided by the ledger.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class HandshakeFormsE2E {

  private static final List<String> UPGRADES =
      List.of(
          "Upgrade: websocket",
          "upgrade: WebSocket",
          "UPGRADE:WEBSOCKET",
          "Upgrade: websocket\r\nUpgrade: websocket",
          "Upgrade: websocket, websocket",
          "Upgrade: h2c, websocket",
          "Upgrade: websocket\r\nUpgrade: h2c",
          "Upgrade: websocket/13");

  private static final List<String> CONNECTIONS =
      List.of(
          "Connection: Upgrade",
          "connection:upgrade",
          "Connection: keep-alive, Upgrade",
          "Connection: Upgrade, keep-alive",
          "Connection: keep-alive\r\nConnection: Upgrade",
          "Connection: upgrade,",
          "Connection: keep-alive",
          "X-Connection: none");

  /** The form of the checks, by the pool of the Envoy that sends them. */
  private static final Map<String, String> FORMS = new LinkedHashMap<>();

  static {
    FORMS.put("plain", "{}");
    FORMS.put("raw", "{ encode_raw_headers: true }");
    FORMS.put("no-connection", "{ allowed_headers: { patterns: [{ exact: upgrade }] } }");
    FORMS.put(
        "no-upgrade", "{ allowed_headers: { patterns: [{ exact: sec-websocket-version }] } }");
    FORMS.put(
        "raw-no-connection",
        "{ encode_raw_headers: true, allowed_headers: { patterns: [{ exact: upgrade }] } }");
  }

  private final Map<String, Fleet> fleets = new LinkedHashMap<>();
  private LedgerNode ledger;

  @BeforeAll
  void start(@TempDir Path folder) throws Exception {
    Map<String, List<WebSocketPod>> pods = new LinkedHashMap<>();
    FORMS.keySet().forEach(pool -> pods.put(pool, Fleet.pods(1)));
    StringBuilder pools = new StringBuilder();
    pods.forEach((pool, of) -> pools.append(ServeProcess.pool(pool, 1_000, of)).append('\n'));
    ledger = Fleet.ledger(folder, pools.toString());
    for (Map.Entry<String, String> form : FORMS.entrySet()) {
      Path bootstrap = folder.resolve(form.getKey() + ".yaml");
      Files.writeString(bootstrap, bootstrap(form.getValue()).toPrettyString());
      fleets.put(
          form.getKey(),
          Fleet.start(
              form.getKey(), pods.get(form.getKey()), 1, Fleet.ports(ledger), folder, bootstrap));
    }
    Awaitility.await("ready")
        .atMost(Duration.ofSeconds(60))
        .until(() -> fleets.values().stream().allMatch(Fleet::ready));
  }

  /** envoy.yaml whose ext_authz passes on what {@code form} says. */
  private static JsonNode bootstrap(String form) throws IOException {
    return BootstrapVariants.withExtAuthz("allowed_headers", form);
  }

  @AfterAll
  void stop() {
    fleets.values().forEach(Fleet::close);
    ledger.close();
  }

  @AfterEach
  void leave() {
    fleets.values().forEach(fleet -> fleet.awaitActive(0));
  }

  @Test
  void shouldDecideWhateverEnvoyUpgrades() throws Exception {
    for (Fleet fleet : fleets.values()) {
      List<Socket> open = new ArrayList<>();
      try {
        for (String upgrade : UPGRADES) {
          for (String connection : CONNECTIONS) {
            Socket socket = new Socket(InetAddress.getLoopbackAddress(), fleet.uri(0).getPort());
            open.add(socket);
            if (status(socket, upgrade + "\r\n" + connection) != 101) {
              open.removeLast();
              socket.close();
            }
          }
        }
        assertThat(open).as("upgraded, %s", fleet.pool).hasSizeGreaterThanOrEqualTo(18);
        fleet.awaitActive(open.size());
        assertThat(fleet.pods.getFirst().count().current()).isEqualTo(open.size());
        assertThat(fleet.connections().path("unleased").asInt(-1))
            .as("never admitted, %s", fleet.pool)
            .isZero();
      } finally {
        for (Socket socket : open) {
          socket.close();
        }
      }
    }
  }

  @Test
  void shouldDecideExtendedConnects() throws Exception {
    for (Fleet fleet : fleets.values()) {
      try (Http2WebSocket client = Http2WebSocket.connect(fleet.uri(0).getPort())) {
        Http2WebSocket.Http2Stream stream = client.open(Map.of("sec-websocket-version", "13"));
        assertThat(stream.status()).as(fleet.pool).isEqualTo(200);
        fleet.awaitActive(1);
        assertThat(fleet.connections().path("unleased").asInt(-1)).as(fleet.pool).isZero();
        stream.close();
      }
    }
  }

  /** What Envoy answers to a handshake with these lines. */
  private static int status(Socket socket, String lines) throws IOException {
    socket.setSoTimeout(10_000);
    socket
        .getOutputStream()
        .write(
            ("GET / HTTP/1.1\r\nHost: pod\r\n"
                    + lines
                    + "\r\nSec-WebSocket-Version: 13\r\n"
                    + "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")
                .getBytes(StandardCharsets.US_ASCII));
    BufferedReader in =
        new BufferedReader(
            new InputStreamReader(socket.getInputStream(), StandardCharsets.US_ASCII));
    String line = in.readLine();
    return line == null ? 0 : Integer.parseInt(line.split(" ", -1)[1]);
  }
}
