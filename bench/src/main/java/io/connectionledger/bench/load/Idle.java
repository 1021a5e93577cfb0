package io.connectionledger.bench.load;

import io.connectionledger.bench.figures.Options;
import io.connectionledger.bench.process.Directories;
import io.connectionledger.bench.process.LedgerProcess.Shape;
import io.connectionledger.bench.process.Machine;
import io.connectionledger.bench.process.ThreadCpu;
import io.connectionledger.bench.process.Wait;
import io.connectionledger.bench.side.Side;
import io.connectionledger.bench.side.Sides;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** What each side costs when nobody asks: processor time for each second, minute by minute. */
final class Idle {

  private static final Map<String, Integer> DEFAULTS =
      Map.of("minutes", 3, "pods", 500, "threads", 0);

  private Idle() {}

  public static void main(String[] args) throws Exception {
    Options options = Options.parse(args, DEFAULTS);
    System.out.println(Machine.describe());
    System.out.println("idle " + options);
    Path dir = Files.createTempDirectory("ledger-bench");
    Sides sides =
        new Sides(
            dir,
            Shape.of(
                1, options.get("pods"), 1_000_000, Duration.ofSeconds(10), Duration.ofSeconds(15)));
    List<String> names = new ArrayList<>(Sides.available());
    names.add(1, Sides.LEDGER_ALONE);
    for (String name : names) {
      try (Side side = sides.start(name)) {
        for (int minute = 1; minute <= options.get("minutes"); minute++) {
          measure(side, minute, options.get("threads") > 0);
        }
      }
    }
    // After a failure it stays, with the logs.
    Directories.delete(dir);
  }

  private static void measure(Side side, int minute, boolean threads) throws Exception {
    long pid = side.processes().getFirst().pid();
    ThreadCpu before = ThreadCpu.of(pid);
    long cpuNanos = side.cpuNanos();
    long endNanos = Wait.nowNanos() + Duration.ofMinutes(1).toNanos();
    Wait.until("a minute is over", Duration.ofMinutes(2), () -> Wait.nowNanos() >= endNanos);
    System.out.printf(
        Locale.ROOT,
        "minute %d %-25s %6.1f ms of CPU a second, load %.1f%n",
        minute,
        side.name(),
        (side.cpuNanos() - cpuNanos) / 60e6,
        Machine.load());
    if (threads) {
      System.out.println("of it, µs a second:\n" + ThreadCpu.of(pid).minus(before).show(60));
    }
  }
}
