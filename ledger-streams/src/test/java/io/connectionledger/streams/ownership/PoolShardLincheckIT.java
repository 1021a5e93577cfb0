package io.connectionledger.streams.ownership;

import io.connectionledger.model.PodAddress;
import io.connectionledger.model.event.ConnectionEvent;
import io.connectionledger.model.event.Decision;
import io.connectionledger.model.policy.Pod;
import io.connectionledger.streams.rules.lease.LeaseTerms;
import io.connectionledger.streams.rules.state.Changes;
import io.connectionledger.testkit.PolicyFixtures;
import java.time.Duration;
import java.util.List;
import org.jetbrains.lincheck.datastructures.IntGen;
import org.jetbrains.lincheck.datastructures.Operation;
import org.jetbrains.lincheck.datastructures.Param;
import org.jetbrains.lincheck.datastructures.StressOptions;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/**
 * Whatever admission threads, the stream thread and readers do at once on a shard is as if they had
 * done it one after the other. On its own among the later tests, because Lincheck rewrites every
 * class that the virtual machine has loaded.
 */
@Param(name = "id", gen = IntGen.class, conf = "1:2")
public class PoolShardLincheckIT {

  private static final String POOL = "chat";
  private static final PodAddress POD = PodAddress.parse("10.0.0.1:80");
  private static final long NOW_MS = 1_800_000_000_000L;
  private static final LeaseTerms TERMS =
      new LeaseTerms(Duration.ofSeconds(1), 3, Duration.ofSeconds(2));

  private final PoolShard shard =
      new PoolShard(
          List.of(PolicyFixtures.unlimited(POOL, 2, List.of(new Pod("pod-1", POD)))),
          TERMS,
          NOW_MS);

  private final Decision.Allowed reservation;

  /** A fresh shard with one reservation; made for every run. */
  public PoolShardLincheckIT() {
    shard.caughtUp();
    if (!(decide() instanceof Decision.Allowed allowed)) {
      throw new IllegalStateException("an empty pool has room");
    }
    reservation = allowed;
  }

  private @Nullable Decision decide() {
    return shard.decide(POOL, NOW_MS * 1_000_000);
  }

  @Operation
  public String check() {
    Decision decision = decide();
    if (decision == null) {
      return "no owner";
    }
    return decision instanceof Decision.Rejected rejected ? rejected.reason().label() : "allowed";
  }

  @Operation
  public void release() {
    shard.release(reservation);
  }

  @Operation
  public boolean itsDecisionComesBack() {
    return shard.apply(reservation, new Changes());
  }

  @Operation
  public boolean opened(@Param(name = "id") int id) {
    return shard.apply(
        new ConnectionEvent.Opened(POOL, "c" + id, POD, "envoy", NOW_MS, NOW_MS), new Changes());
  }

  @Operation
  public boolean closed(@Param(name = "id") int id) {
    return shard.apply(
        new ConnectionEvent.Closed(POOL, "c" + id, POD, "envoy", "done", null, NOW_MS),
        new Changes());
  }

  @Operation
  public String counts() {
    return shard
        .view(POOL, NOW_MS)
        .map(view -> view.active() + " open, " + view.reserved() + " reserved")
        .orElse("gone");
  }

  @Operation(runOnce = true)
  public void retire() {
    shard.retire();
  }

  @Test
  void shouldDoAllAtOnceAsIfOneAfterTheOther() {
    new StressOptions()
        .threads(3)
        .actorsPerThread(3)
        .iterations(30)
        .invocationsPerIteration(1_000)
        .check(PoolShardLincheckIT.class);
  }
}
