package io.connectionledger.app.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.connectionledger.app.demo.LedgerPorts;
import io.connectionledger.app.envoy.EnvoyBinary;
import io.connectionledger.app.envoy.EnvoyOptions;
import io.connectionledger.app.envoy.EnvoyProcess;
import io.connectionledger.app.serve.LedgerNode;
import io.connectionledger.app.websocket.WebSocketClients.Connection;
import io.connectionledger.app.websocket.WebSocketPod;
import java.io.ByteArrayOutputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Access logs of real Envoys with what should not be in them. */
class OddLogsE2E {

  @TempDir private Path folder;

  private static List<String> reasons(Fleet fleet) {
    JsonNode readiness = fleet.get("/v1/pools/chat/readiness");
    return readiness.path("reasons").valueStream().map(JsonNode::asText).toList();
  }

  @Test
  void shouldCountEverybodyBesideAClientWhoseRequestIdIsNotUtf8() throws Exception {
    List<WebSocketPod> pods = Fleet.pods(1);
    Path bootstrap =
        Files.writeString(
            folder.resolve("envoy.yaml"),
            Files.readString(Fleet.ROOT.resolve("envoy/envoy.yaml"))
                .replace(
                    "use_remote_address: true",
                    "use_remote_address: true\n          preserve_external_request_id: true"));
    try (LedgerNode ledger = Fleet.ledger(folder, ServeProcess.pool("chat", 10, pods));
        Fleet fleet = Fleet.start("chat", pods, 1, Fleet.ports(ledger), folder, bootstrap)) {
      Awaitility.await("ready").atMost(Duration.ofSeconds(60)).until(fleet::ready);
      List<Connection> others = fleet.open(3);

      try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), fleet.uri(0).getPort())) {
        ByteArrayOutputStream request = new ByteArrayOutputStream();
        request.writeBytes(
            """
            GET / HTTP/1.1
            Host: pod
            Connection: Upgrade
            Upgrade: websocket
            Sec-WebSocket-Version: 13
            Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==
            x-request-id: \
            """
                .replace("\n", "\r\n")
                .getBytes(StandardCharsets.US_ASCII));
        request.write(0xFF);
        request.write(0xFE);
        request.writeBytes("\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
        socket.getOutputStream().write(request.toByteArray());

        fleet.awaitActive(4);
        Awaitility.await("its heartbeats were read")
            .atMost(Duration.ofSeconds(20))
            .until(() -> mended(fleet) >= 2);
        assertThat(fleet.active()).isEqualTo(4);
        assertThat(reasons(fleet)).isEmpty();
      }
      Fleet.close(others);
      fleet.awaitActive(0);
    }
  }

  private static double mended(Fleet fleet) {
    return fleet
        .text("/metrics")
        .lines()
        .filter(line -> line.startsWith("ledger_dead_letters_total{cause=\"not_utf8\"}"))
        .mapToDouble(line -> Double.parseDouble(line.substring(line.lastIndexOf(' ') + 1)))
        .sum();
  }

  @Test
  void shouldSayThatTwoEnvoysHaveTheSameNodeId() throws Exception {
    List<WebSocketPod> pods = Fleet.pods(1);
    try (LedgerNode ledger = Fleet.ledger(folder, ServeProcess.pool("chat", 100, pods));
        Fleet fleet = Fleet.start("chat", pods, 1, Fleet.ports(ledger), folder)) {
      LedgerPorts ports = Fleet.ports(ledger);
      fleet.envoys.add(
          EnvoyProcess.start(
              EnvoyBinary.system().locate(),
              Fleet.ROOT.resolve("envoy/envoy.yaml"),
              EnvoyOptions.of("envoy-chat-1", ports.als(), ports.authz(), ports.xds())
                  .withPool("chat"),
              Files.createDirectories(folder.resolve("twin"))));
      Awaitility.await("ready").atMost(Duration.ofSeconds(60)).until(fleet::ready);
      List<Connection> in = fleet.open(40);
      fleet.awaitActive(40);

      Awaitility.await("it is noticed")
          .atMost(Duration.ofSeconds(20))
          .untilAsserted(
              () ->
                  assertThat(reasons(fleet))
                      .anyMatch(
                          reason ->
                              reason.startsWith("node-id: ") && reason.contains("envoy-chat-1")));
      Fleet.close(in);
      fleet.awaitActive(0);
    }
  }
}
