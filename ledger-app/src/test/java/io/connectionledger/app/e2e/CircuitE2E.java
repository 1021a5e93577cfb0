package io.connectionledger.app.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import io.connectionledger.app.serve.LedgerNode;
import io.connectionledger.app.websocket.WebSocketClients.Attempt;
import io.connectionledger.app.websocket.WebSocketClients.Opened;
import io.connectionledger.app.websocket.WebSocketClients.Refused;
import io.connectionledger.app.websocket.WebSocketPod;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Pods that refuse, and pods that are not there: as the real Envoy reports them. */
class CircuitE2E {

  @Test
  void shouldPlaceOnPodsThatWorkAndTryTheOthersAgain(@TempDir Path folder) throws Exception {
    WebSocketPod refusing = WebSocketPod.start();
    refusing.refuse(503);
    WebSocketPod gone = WebSocketPod.start();
    int gonePort = gone.address().port();
    gone.close();
    List<WebSocketPod> pods = List.of(refusing, gone, WebSocketPod.start());
    try (LedgerNode ledger =
            Fleet.ledger(
                folder,
                """
            chat: { per-pod-max-connections: 30, pods: [%s] }
            """
                    .formatted(Fleet.yaml(pods)));
        Fleet fleet = Fleet.start("chat", pods, 1, Fleet.ports(ledger), folder)) {
      Awaitility.await("ready").atMost(Duration.ofSeconds(60)).until(fleet::ready);
      List<Attempt> attempts = new ArrayList<>();

      Awaitility.await("both circuits are open")
          .atMost(Duration.ofSeconds(60))
          .pollInterval(Duration.ofMillis(10))
          .until(
              () -> {
                attempts.addAll(fleet.attempt(1, Map.of()));
                awaitSettled(fleet);
                return states(fleet).equals(List.of("circuitOpen", "circuitOpen", "available"));
              });
      // Ten to learn it, and a probe of either after 1 s, 2 s, 4 s, 8 s and 16 s at most.
      assertThat(attempts)
          .filteredOn(attempt -> !(attempt instanceof Opened))
          .hasSizeBetween(10, 20);

      attempts.addAll(fleet.attempt(40, Map.of()));
      List<Refused> rejected =
          attempts.stream()
              .filter(Refused.class::isInstance)
              .map(Refused.class::cast)
              .filter(refused -> refused.reason().equals("circuit_open"))
              .toList();
      // A pod counts a connection a moment after its client has the answer.
      fleet.awaitActive(30);
      assertThat(fleet.podCounts()).containsExactly(0, 0, 30);
      assertThat(rejected).isNotEmpty();
      assertThat(rejected)
          .allSatisfy(
              refused -> {
                assertThat(refused.status()).isEqualTo(503);
                assertThat(refused.retryAfterSeconds().orElse(0)).isPositive();
              });

      refusing.accept();
      try (WebSocketPod back = WebSocketPod.start(gonePort)) {
        Awaitility.await("both are in use again")
            .atMost(Duration.ofSeconds(60))
            .until(
                () -> {
                  attempts.addAll(fleet.attempt(1, Map.of()));
                  return refusing.count().opened() > 0 && back.count().opened() > 0;
                });
      }
    }
  }

  /** Until then the ledger does not know how the last attempt ended. */
  private static void awaitSettled(Fleet fleet) {
    Awaitility.await("nothing is reserved")
        .atMost(Duration.ofSeconds(20))
        .pollInterval(Duration.ofMillis(20))
        .until(() -> fleet.connections().path("reserved").asInt(-1) == 0);
  }

  private static List<String> states(Fleet fleet) {
    List<String> states = new ArrayList<>();
    fleet.connections().path("pods").forEach(pod -> states.add(pod.path("state").asText()));
    return states;
  }
}
