package io.connectionledger.app.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.connectionledger.app.demo.LedgerPorts;
import io.connectionledger.app.serve.LedgerNode;
import io.connectionledger.app.websocket.WebSocketClients.Attempt;
import io.connectionledger.app.websocket.WebSocketClients.Refused;
import io.connectionledger.app.websocket.WebSocketPod;
import io.connectionledger.testkit.FreePorts;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What the real Envoy turns away by limits of its own. */
class RejectionsE2E {

  private static final int ATTEMPTS = 30;
  private static final int MAX_REQUESTS = 2;

  @Test
  void shouldCountWhatEnvoyTurnsAwayByItself(@TempDir Path folder) throws Exception {
    List<WebSocketPod> pods = Fleet.pods(1);
    List<WebSocketPod> otherPods = Fleet.pods(1);
    Path narrowed =
        Files.writeString(
            folder.resolve("narrowed.yaml"),
            Files.readString(Fleet.ROOT.resolve("envoy/envoy.yaml"))
                .replaceFirst("max_requests: \\d+", "max_requests: " + MAX_REQUESTS));
    int nobody = FreePorts.one();
    try (LedgerNode ledger =
        Fleet.ledger(
            folder,
            """
            unasked: { per-pod-max-connections: 100, pods: [%s] }
            narrowed: { per-pod-max-connections: 100, pods: [%s] }
            """
                .formatted(Fleet.yaml(pods), Fleet.yaml(otherPods)))) {
      LedgerPorts ports = Fleet.ports(ledger);
      LedgerPorts withoutChecks = new LedgerPorts(ports.als(), nobody, ports.xds(), ports.http());
      try (Fleet unasked = Fleet.start("unasked", pods, 1, withoutChecks, folder);
          Fleet narrow = Fleet.start("narrowed", otherPods, 1, ports, folder, narrowed)) {
        Awaitility.await("ready")
            .atMost(Duration.ofSeconds(60))
            .until(() -> unasked.ready() && narrow.ready());

        long limited = refused(unasked.attempt(ATTEMPTS, Map.of()), 429);
        long overflown = refused(narrow.attempt(ATTEMPTS, Map.of()), 503);

        assertThat(limited).isPositive();
        assertThat(overflown).isEqualTo(ATTEMPTS - MAX_REQUESTS);
        awaitRejections(unasked, "local_rate_limited", limited);
        JsonNode narrowView = awaitRejections(narrow, "overflow", overflown);
        assertThat(narrowView.path("pods").path(0).path("windows"))
            .isEqualTo(narrowView.path("windows"));
        assertThat(narrow.connections().path("pods").path(0).path("state").asText())
            .as("it is not the pod's fault")
            .isEqualTo("available");
      }
    }
  }

  private static long refused(List<Attempt> attempts, int status) {
    return attempts.stream()
        .filter(attempt -> attempt instanceof Refused refused && refused.status() == status)
        .count();
  }

  private static JsonNode awaitRejections(Fleet fleet, String reason, long count) {
    return Awaitility.await(count + " are counted as " + reason)
        .atMost(Duration.ofSeconds(20))
        .until(
            () -> fleet.get("/v1/pools/" + fleet.pool + "/rejections"),
            view -> view.path("windows").path("5m").path(reason).asLong() == count);
  }
}
