package io.connectionledger.app.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import io.connectionledger.app.cluster.ClusterRig.ClientDemand;
import io.connectionledger.app.cluster.ClusterRig.Takeover;
import java.time.Duration;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;

/**
 * Three instances, three Envoys and more clients than slots: an owner that stops and one that is
 * killed. The shortest of what {@code bench/cluster} runs; {@link ClusterFaultsE2E} has the rest.
 * Not in the default build: it wants a machine that does nothing else.
 */
@Tag("cluster")
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class ClusterE2E {

  private static final Duration CHURN = Duration.ofSeconds(2);

  private ClusterRig rig;

  @BeforeAll
  void start() throws Exception {
    rig = ClusterRig.start(ClusterRig.folder("short"), ClientDemand.OVERFULL, "share", false);
    rig.crowd.churn(ClusterRig.ATTEMPTS_PER_SECOND);
  }

  @AfterEach
  void noPodEverHadMoreThanItsLimit() {
    assertThat(rig.peak()).isLessThanOrEqualTo(ClusterRig.LIMIT);
  }

  @AfterAll
  void stop() throws Exception {
    rig.close();
  }

  @Test
  void shouldFailNoCheckWhenTheOwnerIsStopped() throws Exception {
    int owner = rig.cluster.ownerOf(ClusterRig.POOL);
    long pid = rig.cluster.process(owner).pid();

    long stoppedMs = rig.watch.nowMs();
    rig.roll(owner);
    rig.watch.pass(CHURN);

    AnswerCounts.Some answers = rig.answers.between(stoppedMs, rig.watch.nowMs());
    assertThat(ProcessHandle.of(pid)).isEmpty();
    assertThat(answers.failed()).as(answers.kinds()).isZero();
    assertThat(rig.settled()).isPresent();
  }

  @Test
  void shouldBeOwnedAgainAndExactWhenTheOwnerIsKilled() throws Exception {
    Takeover takeover = rig.killOwner();

    assertThat(ProcessHandle.of(takeover.pid())).isEmpty();
    assertThat(takeover.ownedSeconds()).isLessThanOrEqualTo(10);
    assertThat(takeover.exactSeconds()).isPresent();
  }
}
