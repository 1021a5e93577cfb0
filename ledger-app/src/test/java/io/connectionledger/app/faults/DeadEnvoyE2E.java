package io.connectionledger.app.faults;

import static org.assertj.core.api.Assertions.assertThat;

import io.connectionledger.app.envoy.EnvoyProcess;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The shortest of the faults, for every build; {@link FaultsE2E} has the others. */
class DeadEnvoyE2E {

  private static final int CONNECTIONS = 200;

  /** A lease is three heartbeats of two seconds: whoever waits for leases is later. */
  private static final double BEFORE_ANY_LEASE_SECONDS = 5;

  @Test
  void shouldReleaseTheConnectionsOfAKilledEnvoyBeforeTheirLeasesEnd(@TempDir Path folder)
      throws Exception {
    try (Rig rig = Rig.start(folder, CONNECTIONS)) {
      rig.crowd.settle(CONNECTIONS);
      rig.awaitExact();
      EnvoyProcess victim = rig.envoys.getFirst();

      long killedMs = rig.watch.nowMs();
      victim.kill();

      assertThat(rig.watch.secondsUntilExact(killedMs).orElse(Double.MAX_VALUE))
          .isLessThan(BEFORE_ANY_LEASE_SECONDS);
      assertThat(rig.open()).isBetween(1, CONNECTIONS - 1);
      assertThat(rig.watch.most(killedMs, CountWatch.CountSample::freed)).isZero();
    }
  }
}
