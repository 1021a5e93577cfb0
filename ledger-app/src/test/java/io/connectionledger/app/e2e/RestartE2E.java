package io.connectionledger.app.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import io.connectionledger.app.websocket.WebSocketClients.Attempt;
import io.connectionledger.app.websocket.WebSocketClients.Connection;
import io.connectionledger.app.websocket.WebSocketClients.Opened;
import io.connectionledger.app.websocket.WebSocketPod;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The whole ledger killed under open connections: it knows them again, nobody reconnects. */
class RestartE2E {

  @Test
  void shouldKnowEveryConnectionAgainAfterKill9(@TempDir Path folder) throws Exception {
    List<WebSocketPod> pods = Fleet.pods(3);
    try (ServeProcess serve = ServeProcess.start(folder, ServeProcess.pool("chat", 50, pods));
        Fleet fleet = ready(serve, Fleet.start("chat", pods, 2, serve.ports(), folder))) {
      List<Attempt> attempts = fleet.attempt(100, Map.of());
      assertThat(attempts).hasOnlyElementsOfType(Opened.class);
      List<Connection> in = Fleet.opened(attempts);
      fleet.awaitActive(100);

      serve.kill();
      serve.restart();
      ready(serve, fleet);

      // Known from the store as soon as it is ready, not only when heartbeats have come.
      assertThat(fleet.active()).isEqualTo(100);
      fleet.awaitActive(100);
      assertThat(fleet.ledgerCounts()).isEqualTo(fleet.podCounts());
      assertThat(pods.stream().mapToLong(pod -> pod.count().opened()).sum()).isEqualTo(100);
      assertThat(in).noneMatch(connection -> connection.ended().isDone());

      Fleet.close(in);
      fleet.awaitActive(0);
    }
  }

  private static Fleet ready(ServeProcess serve, Fleet fleet) {
    Awaitility.await("serve on " + serve.ports() + " is ready")
        .atMost(Duration.ofSeconds(60))
        .until(fleet::ready);
    return fleet;
  }
}
