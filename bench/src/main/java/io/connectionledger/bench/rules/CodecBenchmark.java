package io.connectionledger.bench.rules;

import io.connectionledger.model.PodAddress;
import io.connectionledger.model.UnreadableRecordException;
import io.connectionledger.model.event.ConnectionIds;
import io.connectionledger.model.event.Decision;
import io.connectionledger.model.event.DecisionInputs;
import io.connectionledger.model.event.RecordCodec;
import io.connectionledger.model.policy.PoolPolicy.Mode;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/** What it takes to write and to read a decision as JSON, which each check does once. */
@State(Scope.Thread)
@BenchmarkMode(org.openjdk.jmh.annotations.Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 3, time = 2)
@Measurement(iterations = 5, time = 2)
@Fork(1)
public class CodecBenchmark {

  private static final long NOW_MS = 1_800_000_000_000L;

  private final Decision decision =
      new Decision.Allowed(
          "chat",
          ConnectionIds.next(NOW_MS),
          PodAddress.parse("10.0.0.7:8080"),
          123_456_789,
          NOW_MS,
          Mode.ENFORCE,
          new DecisionInputs(null, 9.5, 500, 0, 1_000, 3, 10_000, 4, null),
          "10.1.0.1:443");
  private final byte[] json = RecordCodec.encode(decision);

  @Benchmark
  public byte[] encode() {
    return RecordCodec.encode(decision);
  }

  @Benchmark
  public Decision decode() throws UnreadableRecordException {
    return RecordCodec.decodeDecision(json);
  }
}
