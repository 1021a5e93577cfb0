package io.connectionledger.app.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;

/**
 * Three instances and a broker, each a process. What is admitted is never opened and no reservation
 * ends within the test, so that every admission counts for ever: one too many, by whomever and
 * whenever, shows. Each test has a pool of its own.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class OwnershipIT {

  private static final int LIMIT = 4_000;
  private static final int ROUNDS = 10;
  private static final List<String> POOLS =
      List.of("asked", "stopped", "killed", "frozen", Race.POOL);
  private static final Duration OWNED_AGAIN = Duration.ofSeconds(10);

  private Cluster cluster;

  @BeforeAll
  void start(@TempDir Path folder) throws Exception {
    cluster = Cluster.start(folder, 3, LIMIT, POOLS);
  }

  @AfterAll
  void stop() throws Exception {
    cluster.close();
  }

  @Test
  void shouldAnswerForAnyPoolOnAnyInstance() throws Exception {
    try (CheckCrowd crowd = CheckCrowd.of("asked", cluster.authzPorts())) {
      for (int instance = 0; instance < 3; instance++) {
        assertThat(crowd.askOnly(instance)).isEqualTo("allowed");
      }
      List<JsonNode> views = new ArrayList<>();
      for (int instance = 0; instance < 3; instance++) {
        views.add(cluster.get(instance, "/v1/pools/asked/connections"));
        assertThat(cluster.get(instance, "/v1/pools/asked/readiness").has("completeness")).isTrue();
        assertThat(cluster.get(instance, "/v1/pools/asked/rejections").has("windows")).isTrue();
      }

      assertThat(views).allSatisfy(view -> assertThat(view.path("reserved").asInt()).isEqualTo(3));
      assertThat(cluster.ownersOf("asked")).hasSize(1);
    }
  }

  @Test
  void shouldGiveTheLastTenSlotsToTenOfTwoHundred() throws Exception {
    try (Race race = new Race(cluster)) {
      assertThat(race.run(ROUNDS)).hasSize(ROUNDS).containsOnly(Race.SLOTS);
      assertThat(cluster.held(Race.POOL)).isEqualTo(ROUNDS * Race.SLOTS);
    }
  }

  @Test
  void shouldHandOverWithHardlyAGapWhenTheOwnerIsStopped() throws Exception {
    try (CheckCrowd crowd = CheckCrowd.of("stopped", cluster.authzPorts())) {
      crowd.start();
      crowd.awaitAllowed(50);
      int owner = cluster.ownerOf("stopped");

      cluster.process(owner).terminate();
      crowd.awaitAllowed(crowd.allowed() + 50);
      int next = cluster.ownerOf("stopped");
      cluster.process(owner).restart();
      cluster.awaitReady(owner);
      crowd.awaitAllowed(crowd.allowed() + 50);
      crowd.fill();

      assertThat(next).isNotEqualTo(owner);
      // A partition changes hands in some 200 ms, which checks wait for; the second that they have
      // may still pass on a machine that starts a process meanwhile.
      assertThat(crowd.failed()).as("failed of %s", crowd.answers()).isLessThanOrEqualTo(20);
      assertThat(crowd.allowed()).isBetween(LIMIT - crowd.failed(), LIMIT);
      assertThat(cluster.held("stopped")).isEqualTo(LIMIT);
    }
  }

  @Test
  void shouldNeverAdmitTooManyWhenTheOwnerIsKilled() throws Exception {
    try (CheckCrowd crowd = CheckCrowd.of("killed", cluster.authzPorts())) {
      crowd.start();
      crowd.awaitAllowed(50);
      int owner = cluster.ownerOf("killed");

      cluster.process(owner).kill();
      Awaitility.await("owned again")
          .atMost(OWNED_AGAIN)
          .pollInterval(Duration.ofMillis(100))
          .until(() -> cluster.ownersOf("killed").stream().anyMatch(next -> next != owner));
      int atTakeover = crowd.allowed();
      crowd.awaitAllowed(atTakeover + 50);
      cluster.process(owner).restart();
      cluster.awaitReady(owner);
      crowd.fill();

      assertThat(crowd.allowed()).isBetween(atTakeover + 50, LIMIT);
      assertThat(cluster.held("killed")).isEqualTo(LIMIT);
    }
  }

  @Test
  void shouldAdmitNothingAsAFalseOwnerAfterAFreeze() throws Exception {
    try (CheckCrowd crowd = CheckCrowd.of("frozen", cluster.authzPorts())) {
      crowd.start();
      crowd.awaitAllowed(50);
      int owner = cluster.ownerOf("frozen");

      cluster.signal(owner, "STOP");
      crowd.avoid(owner);
      Awaitility.await("owned by another")
          .atMost(Duration.ofSeconds(20))
          .until(() -> cluster.ownersOf("frozen").stream().anyMatch(next -> next != owner));
      crowd.awaitAllowed(crowd.allowed() + 50);
      crowd.fill();
      cluster.signal(owner, "CONT");
      // It believed to have room when it froze; now its word is the real owner's.
      List<String> woken = new ArrayList<>();
      for (int i = 0; i < 50; i++) {
        woken.add(crowd.askOnly(owner));
      }
      Awaitility.await("it asks the owner")
          .atMost(Duration.ofSeconds(10))
          .until(() -> crowd.askOnly(owner).equals("pod_limit"));
      cluster.awaitReady(owner);

      assertThat(woken).doesNotContain("allowed");
      assertThat(crowd.allowed()).isLessThanOrEqualTo(LIMIT);
    }
  }
}
