package io.connectionledger.app.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import io.connectionledger.app.serve.LedgerNode;
import io.connectionledger.app.websocket.WebSocketPod;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Clients that return to their pod, with real Envoys that pass on what they are known by. */
class AffinityE2E {

  private static final String LAST_ALLOWED = "- { exact: x-request-id, ignore_case: true }";

  @Test
  void shouldBringEveryUserToTheirPodThroughEveryEnvoy(@TempDir Path folder) throws Exception {
    List<WebSocketPod> pods = Fleet.pods(3);
    try (LedgerNode ledger =
            Fleet.ledger(
                folder,
                """
            chat:
              per-pod-max-connections: 1000
              placement: affinity
              affinity: { header: x-user }
              pods: [%s]
            """
                    .formatted(Fleet.yaml(pods)));
        Fleet fleet =
            Fleet.start("chat", pods, 2, Fleet.ports(ledger), folder, passingOnTheUser(folder))) {
      Awaitility.await("ready").atMost(Duration.ofSeconds(60)).until(fleet::ready);

      for (int round = 0; round < 4; round++) {
        for (int user = 0; user < 20; user++) {
          assertThat(Fleet.opened(fleet.attempt(2, Map.of("x-user", "user-" + user)))).hasSize(2);
        }
      }
      fleet.awaitActive(160);

      Set<String> seen = new HashSet<>();
      for (WebSocketPod pod : pods) {
        List<String> users = pod.headersOfOpen("x-user");
        Set<String> here = Set.copyOf(users);
        assertThat(users).as("all eight of each").hasSize(8 * here.size());
        assertThat(seen).doesNotContainAnyElementsOf(here);
        seen.addAll(here);
      }
      assertThat(seen).hasSize(20);
      assertThat(fleet.podCounts()).doesNotContain(160);
    }
  }

  /** What an operator adds to the bootstrap file. */
  private static Path passingOnTheUser(Path folder) throws Exception {
    String bootstrap = Files.readString(Fleet.ROOT.resolve("envoy/envoy.yaml"));
    assertThat(bootstrap).containsOnlyOnce(LAST_ALLOWED);
    return Files.writeString(
        folder.resolve("envoy.yaml"),
        bootstrap.replace(LAST_ALLOWED, LAST_ALLOWED + "\n                - { exact: x-user }"));
  }
}
