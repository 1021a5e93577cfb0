package io.connectionledger.app.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What is asked while a pool has no owner, of two instances at one broker. */
class StandbyIT {

  private static final int LIMIT = 3;

  /** The owner commits each second, and with it goes what it has counted. */
  private static final Duration COMMITTED = Duration.ofSeconds(3);

  @Test
  void shouldAnswerFromAStandbyUntilThePoolIsOwnedAgain(@TempDir Path folder) throws Exception {
    try (Cluster cluster = Cluster.start(folder, 2, LIMIT, List.of("chat"));
        CheckCrowd crowd = CheckCrowd.of("chat", cluster.authzPorts())) {
      // Given
      int asked = 1 - cluster.ownerOf("chat");
      for (int i = 0; i < LIMIT; i++) {
        assertThat(crowd.askOnly(asked)).isEqualTo("allowed");
      }
      assertThat(crowd.askOnly(asked)).isEqualTo("pod_limit");
      JsonNode owned =
          Awaitility.await("the owner counts the rejection")
              .until(
                  () -> get(cluster, asked, "rejections"),
                  view -> rejected(view) == 1 && !view.has("staleMillis"));
      Awaitility.await("and has committed that")
          .until(
              () -> asOf(get(cluster, asked, "rejections")),
              now -> now.isAfter(asOf(owned).plus(COMMITTED)));
      // Again: at the start it may have been an owner that was about to give it up.
      int owner = cluster.ownerOf("chat");
      int other = 1 - owner;

      // When
      cluster.process(owner).kill();
      JsonNode held =
          Awaitility.await("a standby speaks")
              .pollInterval(Duration.ofMillis(20))
              .until(() -> get(cluster, other, "connections"), view -> view.has("staleMillis"));
      JsonNode detailed = get(cluster, other, "detailed");
      JsonNode readyAgain =
          Awaitility.await("owned again")
              .atMost(Duration.ofSeconds(20))
              .until(
                  () -> get(cluster, other, "connections"),
                  view -> view.has("active") && !view.has("staleMillis"));

      // Then
      assertThat(held.path("reserved").asInt()).isEqualTo(LIMIT);
      assertThat(held.path("staleMillis").asLong()).isBetween(1_000L, 20_000L);
      assertThat(detailed.path("staleMillis").asLong()).isPositive();
      assertThat(rejected(detailed)).isEqualTo(1);
      assertThat(detailed.path("scaling").path("ready").asBoolean()).isFalse();
      assertThat(readyAgain.path("reserved").asInt()).isEqualTo(LIMIT);
      assertThat(get(cluster, other, "scaling").path("ready").asBoolean()).isFalse();
    }
  }

  private static JsonNode get(Cluster cluster, int instance, String what) {
    return cluster.get(instance, "/v1/pools/chat/" + what);
  }

  private static int rejected(JsonNode view) {
    return view.path("windows").path("1h").path("pod_limit").asInt();
  }

  private static Instant asOf(JsonNode view) {
    return Instant.parse(view.path("asOf").asText());
  }
}
