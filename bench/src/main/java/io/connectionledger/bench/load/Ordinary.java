package io.connectionledger.bench.load;

import io.connectionledger.bench.figures.Options;
import io.connectionledger.bench.figures.Spread;
import io.connectionledger.bench.process.Directories;
import io.connectionledger.bench.process.LedgerProcess.Shape;
import io.connectionledger.bench.process.Machine;
import io.connectionledger.bench.process.ThreadCpu;
import io.connectionledger.bench.process.Wait;
import io.connectionledger.bench.side.H2Load;
import io.connectionledger.bench.side.Side;
import io.connectionledger.bench.side.Sides;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.ToDoubleFunction;

/**
 * What a check costs at the rates that users have, from the moment that a server is ready and again
 * when it has run for a while: the ledger, Redis with a script and servers that do nothing, in
 * turns, each started afresh.
 */
final class Ordinary {

  private static final Map<String, Integer> DEFAULTS =
      Map.of(
          "rounds", 1, "seconds", 60, "minutes", 10, "pods", 500, "threads", 0, "only-ledger", 0);

  private static final List<Integer> RATES = List.of(100, 500, 2_000);

  /** Between the two measurements. */
  private static final int BETWEEN = 500;

  private static final String FIRST = "first minutes";
  private static final String LATER = "later";

  private final Options options;
  private final Sides sides;
  private final H2Load client;
  private final Map<Case, List<Cost>> costs = new LinkedHashMap<>();

  private record Case(String phase, int perSecond, String side) {}

  /** Of a check: processor time in microseconds, its own time in milliseconds. */
  private record Cost(double cpuMicros, double p50, double p99) {}

  private Ordinary(Options options, Path dir) throws Exception {
    this.options = options;
    this.sides =
        new Sides(
            dir,
            Shape.of(
                1, options.get("pods"), 1_000_000, Duration.ofSeconds(10), Duration.ofSeconds(15)));
    this.client = new H2Load(dir);
  }

  public static void main(String[] args) throws Exception {
    Options options = Options.parse(args, DEFAULTS);
    System.out.println(Machine.describe());
    System.out.println("ordinary " + options);
    Path dir = Files.createTempDirectory("ledger-bench");
    new Ordinary(options, dir).run();
    // After a failure it stays, with the logs.
    Directories.delete(dir);
  }

  private void run() throws Exception {
    for (int round = 0; round < options.get("rounds"); round++) {
      List<String> names =
          options.get("only-ledger") > 0 ? List.of(Sides.LEDGER) : Sides.available();
      for (String name : names) {
        try (Side side = sides.start(name)) {
          long readyNanos = Wait.nowNanos();
          System.out.printf(
              Locale.ROOT, "%s is ready, %.1f s of CPU%n", side.name(), side.cpuNanos() / 1e9);
          measure(FIRST, side);
          if (options.get("minutes") > 0) {
            long restNanos =
                Duration.ofMinutes(options.get("minutes")).toNanos()
                    - (Wait.nowNanos() - readyNanos);
            client.run(side.port(), BETWEEN, (int) Math.max(1, restNanos / 1_000_000_000));
            measure(LATER, side);
          }
        }
      }
    }
    summary();
  }

  private void measure(String phase, Side side) throws Exception {
    for (int perSecond : RATES) {
      List<ThreadCpu> before = threads(side);
      long cpuNanos = side.cpuNanos();
      H2Load.Result result = client.run(side.port(), perSecond, options.get("seconds"));
      Cost cost =
          new Cost(
              (side.cpuNanos() - cpuNanos) / 1e3 / result.checks(), result.p50(), result.p99());
      System.out.printf(
          Locale.ROOT,
          "%-13s %,5d/s %-15s %,7.0f µs of CPU a check, p50 %.1f ms, p99 %.1f ms, failed %d, load"
              + " %.1f%n",
          phase,
          perSecond,
          side.name(),
          cost.cpuMicros,
          cost.p50,
          cost.p99,
          result.failed(),
          Machine.load());
      if (options.get("threads") > 0) {
        List<ThreadCpu> after = threads(side);
        for (int i = 0; i < before.size(); i++) {
          System.out.println(after.get(i).minus(before.get(i)).show(result.checks()));
        }
      }
      costs
          .computeIfAbsent(new Case(phase, perSecond, side.name()), c -> new ArrayList<>())
          .add(cost);
    }
  }

  private static List<ThreadCpu> threads(Side side) throws Exception {
    List<ThreadCpu> threads = new ArrayList<>();
    for (var process : side.processes()) {
      threads.add(ThreadCpu.of(process.pid()));
    }
    return threads;
  }

  private void summary() {
    System.out.println("phase, checks/s, side: µs of CPU a check, p50 ms, p99 ms");
    costs.forEach(
        (key, all) ->
            System.out.printf(
                Locale.ROOT,
                "%-13s %,5d/s %-15s %s, %s, %s%n",
                key.phase,
                key.perSecond,
                key.side,
                spread(all, Cost::cpuMicros).show(0),
                spread(all, Cost::p50).show(1),
                spread(all, Cost::p99).show(1)));
  }

  private static Spread spread(List<Cost> all, ToDoubleFunction<Cost> value) {
    return Spread.of(all.stream().map(value::applyAsDouble).toList());
  }
}
