package io.connectionledger.bench.rules;

import io.connectionledger.model.event.ConnectionEvent.Closed;
import io.connectionledger.model.event.ConnectionEvent.Opened;
import io.connectionledger.model.event.Decision;
import io.connectionledger.streams.rules.PoolLedger;
import io.connectionledger.streams.rules.lease.LeaseTerms;
import io.connectionledger.streams.rules.state.Changes;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/** What a check costs the pool's rules, by the number of pods. It must not grow with them. */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 3, time = 2)
@Measurement(iterations = 5, time = 2)
@Fork(
    value = 1,
    jvmArgsAppend = {"-Xms2g", "-Xmx2g", "-XX:+UseG1GC"})
public class DecideBenchmark {

  private static final long START_NANOS = 1_780_000_000_000_000_000L;

  // Ten microseconds a decision: what is kept for a while (released reservations, tombstones) is
  // then as much as a pool with 100,000 checks a second keeps.
  private static final long NANOS_PER_DECISION = 10_000;
  private static final LeaseTerms TERMS =
      new LeaseTerms(Duration.ofMillis(100), 3, Duration.ofMillis(300));

  @Param({"10", "500", "10000"})
  public int pods;

  private final Changes changes = new Changes();
  private PoolLedger ledger = Pools.empty(1, TERMS);
  private long decisions;

  @Setup
  public void fill() {
    ledger = Pools.empty(pods, TERMS);
  }

  /** A check whose client gives up: reserve, release. */
  @Benchmark
  public Decision decideAndRelease() {
    Decision.Allowed allowed = decide();
    ledger.release(allowed.id());
    return allowed;
  }

  /** A whole life: the check, its decision from the log, open, close. */
  @Benchmark
  public Decision decideOpenClose() {
    Decision.Allowed allowed = decide();
    ledger.apply(allowed, changes);
    ledger.apply(
        new Opened(Pools.POOL, allowed.id(), allowed.pod(), Pools.ENVOY, 0, allowed.atMs()),
        changes);
    ledger.apply(
        new Closed(
            Pools.POOL, allowed.id(), allowed.pod(), Pools.ENVOY, "end", null, allowed.atMs()),
        changes);
    changes.clear();
    return allowed;
  }

  private Decision.Allowed decide() {
    decisions++;
    long sinceStartNanos = decisions * NANOS_PER_DECISION;
    if (decisions % 100 == 0) {
      ledger.tick(sinceStartNanos / 1_000_000, 0, START_NANOS / 1_000_000, changes);
      // The processor writes the changed pods down ten times a second.
      if (decisions % 10_000 == 0) {
        var unused = ledger.changedPods();
      }
      changes.clear();
    }
    return switch (ledger.decide(START_NANOS + sinceStartNanos)) {
      case Decision.Allowed allowed -> allowed;
      case Decision.Rejected rejected -> throw new IllegalStateException("rejected: " + rejected);
    };
  }
}
