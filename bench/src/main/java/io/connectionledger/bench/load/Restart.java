package io.connectionledger.bench.load;

import io.connectionledger.bench.figures.Options;
import io.connectionledger.bench.figures.Spread;
import io.connectionledger.bench.process.Directories;
import io.connectionledger.bench.process.LedgerProcess;
import io.connectionledger.bench.process.LedgerProcess.Ports;
import io.connectionledger.bench.process.LedgerProcess.Shape;
import io.connectionledger.bench.process.Machine;
import io.connectionledger.bench.process.Subprocess;
import io.connectionledger.bench.process.Wait;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * The time from the start of the process until it is ready, embedded Kafka and all, with many
 * connections open: from the local state, and from Kafka alone when that state is gone.
 */
final class Restart {

  private static final Map<String, Integer> DEFAULTS =
      Map.of(
          "rounds", 3,
          "connections", 1_000_000,
          "streams", 4,
          "pools", 10,
          "pods", 500,
          "entries", 1_000);
  private static final Duration LIMIT = Duration.ofMinutes(5);

  private final Options options;
  private final Path dir;
  private final Ports ports;
  private final Shape shape;

  private Restart(Options options, Path dir, Ports ports, Shape shape) {
    this.options = options;
    this.dir = dir;
    this.ports = ports;
    this.shape = shape;
  }

  public static void main(String[] args) throws Exception {
    Options options = Options.parse(args, DEFAULTS);
    System.out.println(Machine.describe());
    System.out.println("restart " + options);
    Path dir = Files.createTempDirectory("ledger-bench");
    Shape shape =
        Shape.of(
            options.get("pools"),
            options.get("pods"),
            10_000_000,
            Duration.ofMinutes(10),
            Duration.ofSeconds(15));
    new Restart(options, dir, Ports.free(), shape).run();
    // After a failure it stays, with the logs.
    Directories.delete(dir);
  }

  private void run() throws Exception {
    double empty = fill();
    List<Double> local = new ArrayList<>();
    List<Double> remote = new ArrayList<>();
    for (int i = 0; i < options.get("rounds"); i++) {
      local.add(restart("from local state"));
      Directories.delete(dir.resolve("data").resolve("streams"));
      remote.add(restart("from Kafka alone"));
    }
    System.out.printf(Locale.ROOT, "empty              %.1f s%n", empty);
    System.out.println("from local state   " + Spread.of(local).show(1) + " s");
    System.out.println("from Kafka alone   " + Spread.of(remote).show(1) + " s");
  }

  /** Opens the connections; returns how long the first start took. */
  private double fill() throws Exception {
    long start = Wait.nowNanos();
    try (LedgerProcess ledger = LedgerProcess.start(dir, ports, shape)) {
      ledger.awaitReady(LIMIT);
      double seconds = (Wait.nowNanos() - start) / 1e9;
      System.out.printf(
          Locale.ROOT,
          "empty: ready after %.1f s, %.1f s of CPU, load %.1f%n",
          seconds,
          ledger.process().cpuNanos() / 1e9,
          Machine.load());
      int pools = options.get("pools");
      try (Subprocess envoys =
          LogPath.envoys(
              dir,
              ports,
              options.get("streams"),
              pools,
              options.get("pods"),
              options.get("entries"))) {
        LogPath.fill(ledger, envoys, options.get("connections"), pools);
      }
      return seconds;
    }
  }

  private double restart(String how) throws Exception {
    long start = Wait.nowNanos();
    try (LedgerProcess ledger = LedgerProcess.start(dir, ports, shape)) {
      ledger.awaitReady(LIMIT);
      double seconds = (Wait.nowNanos() - start) / 1e9;
      System.out.printf(
          Locale.ROOT,
          "%s: ready after %.1f s with %,d open, %.1f s of CPU, load %.1f%n",
          how,
          seconds,
          active(ledger),
          ledger.process().cpuNanos() / 1e9,
          Machine.load());
      return seconds;
    }
  }

  private long active(LedgerProcess ledger) throws Exception {
    return ledger.count("active", options.get("pools"));
  }
}
