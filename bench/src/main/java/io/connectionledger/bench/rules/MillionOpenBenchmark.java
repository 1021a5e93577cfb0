package io.connectionledger.bench.rules;

import io.connectionledger.model.PodAddress;
import io.connectionledger.model.UnreadableRecordException;
import io.connectionledger.model.event.ConnectionEvent;
import io.connectionledger.model.event.ConnectionEvent.Alive;
import io.connectionledger.model.event.ConnectionEvent.Closed;
import io.connectionledger.model.event.ConnectionEvent.Opened;
import io.connectionledger.model.event.ConnectionIds;
import io.connectionledger.model.event.RecordCodec;
import io.connectionledger.streams.rules.PoolLedger;
import io.connectionledger.streams.rules.state.Changes;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/**
 * What the log costs the rules of a pool with 500 pods and 1,000,000 open connections: a heartbeat,
 * an open with its close, and a tick in which nothing is due.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.SingleShotTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 4)
@Measurement(iterations = 8)
@Fork(
    value = 1,
    jvmArgsAppend = {"-Xms3g", "-Xmx3g", "-XX:+UseG1GC"})
public class MillionOpenBenchmark {

  private static final int OPEN = 1_000_000;
  private static final int OPENS_AND_CLOSES = 200_000;
  private static final int TICKS = 1_000_000;
  private static final int PODS = 500;

  private final Changes changes = new Changes();
  private final List<Alive> first = Pools.heartbeats(OPEN, PODS);
  private final List<ConnectionEvent> heartbeats = new ArrayList<>();
  private final List<Opened> opened = new ArrayList<>();
  private final List<Closed> closed = new ArrayList<>();
  private PoolLedger ledger = Pools.empty(PODS, Pools.TERMS);
  private long nowMs;

  /** Anew each time, because an id that was closed cannot open again. */
  @Setup(Level.Iteration)
  public void fill() throws UnreadableRecordException {
    ledger = Pools.empty(PODS, Pools.TERMS);
    heartbeats.clear();
    for (Alive record : first) {
      // Ids are never the same objects in the next record, and nobody has hashed them yet.
      ledger.apply(read(record), changes);
      heartbeats.add(read(record));
      changes.clear();
    }
    opened.clear();
    closed.clear();
    for (int i = 0; i < OPENS_AND_CLOSES; i++) {
      String id = ConnectionIds.next(i);
      PodAddress pod = Pools.address(i % PODS);
      opened.add(new Opened(Pools.POOL, id, pod, Pools.ENVOY, 0, 0));
      closed.add(new Closed(Pools.POOL, id, pod, Pools.ENVOY, "end", null, 0));
    }
    nowMs = 0;
  }

  private static ConnectionEvent read(ConnectionEvent record) throws UnreadableRecordException {
    return RecordCodec.decodeEvent(RecordCodec.encode(record));
  }

  /** A heartbeat of each connection. */
  @Benchmark
  @OperationsPerInvocation(OPEN)
  public void heartbeat() {
    for (ConnectionEvent record : heartbeats) {
      ledger.apply(record, changes);
      changes.clear();
    }
  }

  @Benchmark
  @OperationsPerInvocation(OPENS_AND_CLOSES)
  public void openAndClose() {
    for (int i = 0; i < OPENS_AND_CLOSES; i++) {
      ledger.apply(opened.get(i), changes);
      ledger.apply(closed.get(i), changes);
      changes.clear();
    }
  }

  @Benchmark
  @OperationsPerInvocation(TICKS)
  public void tickWithNothingDue() {
    for (int i = 0; i < TICKS; i++) {
      nowMs += i % 1_000 == 0 ? 1 : 0;
      ledger.tick(nowMs, 0, nowMs, changes);
    }
  }
}
