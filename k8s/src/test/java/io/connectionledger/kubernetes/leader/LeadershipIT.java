package io.connectionledger.kubernetes.leader;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.connectionledger.kubernetes.WriterCluster;
import io.connectionledger.model.Ticker;
import io.fabric8.kubernetes.client.KubernetesClient;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Two who stand for one Lease, of which the API server goes away. */
@Tag("kube-api")
final class LeadershipIT {

  private static final Leadership.Terms SHORT =
      new Leadership.Terms(Duration.ofSeconds(3), Duration.ofSeconds(2), Duration.ofMillis(300));

  private static WriterCluster cluster;

  @BeforeAll
  static void start() throws IOException, InterruptedException {
    cluster = WriterCluster.start(Path.of("target", "kube-api-leader"), "--only-api");
  }

  @AfterAll
  static void stop() {
    cluster.close();
  }

  @Test
  void oneLeadsUntilItStopsOrIsCutOff() throws IOException, InterruptedException {
    try (KubernetesClient client = cluster.writer();
        Leadership first = stand(client, "first")) {
      await().until(first::isLeader);
      try (KubernetesClient otherClient = cluster.writer();
          Leadership second = stand(otherClient, "second")) {
        // A whole Lease, in which the second has asked for it several times.
        await()
            .during(SHORT.lease())
            .atMost(SHORT.lease().multipliedBy(2))
            .until(() -> first.isLeader() && !second.isLeader());

        first.close();

        assertThat(first.isLeader()).isFalse();
        await().atMost(SHORT.lease().multipliedBy(2)).until(second::isLeader);

        cluster.api().killApiServer();

        await()
            .atMost(SHORT.lease().plus(SHORT.retry()))
            .untilAsserted(() -> assertThat(second.isLeader()).isFalse());

        cluster.api().startApiServer();

        await().atMost(SHORT.lease().multipliedBy(5)).until(second::isLeader);
      }
    }
  }

  private static Leadership stand(KubernetesClient client, String identity) {
    return Leadership.start(client, WriterCluster.LEASES, identity, SHORT, Ticker.system());
  }
}
