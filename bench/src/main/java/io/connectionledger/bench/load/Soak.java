package io.connectionledger.bench.load;

import io.connectionledger.bench.client.Churn;
import io.connectionledger.bench.figures.Options;
import io.connectionledger.bench.process.Directories;
import io.connectionledger.bench.process.LedgerProcess;
import io.connectionledger.bench.process.LedgerProcess.Ports;
import io.connectionledger.bench.process.LedgerProcess.Shape;
import io.connectionledger.bench.process.Machine;
import io.connectionledger.bench.process.ProcessUse;
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
 * Whether anything grows that should not: clients come and go for an hour, or are turned away as
 * their pods are full, and once a minute the ledger is asked for what it holds. Draws it, too.
 */
final class Soak {

  private static final Map<String, Integer> DEFAULTS =
      Map.of(
          "minutes", 60,
          "per-second", 500,
          "life-seconds", 60,
          "pods", 50,
          "per-pod-max", 10_000_000,
          "heartbeat", 10);

  /** A minute: what was held at its end, and the checks' times in it, in microseconds. */
  record Minute(ProcessUse use, double p50, double p99) {}

  private Soak() {}

  public static void main(String[] args) throws Exception {
    Options options = Options.parse(args, DEFAULTS);
    String machine = Machine.describe();
    System.out.println(machine);
    System.out.println("soak " + options);
    Path dir = Files.createTempDirectory("ledger-bench");
    Ports ports = Ports.free();
    Duration heartbeat = Duration.ofSeconds(options.get("heartbeat"));
    Shape shape =
        Shape.of(
            1, options.get("pods"), options.get("per-pod-max"), heartbeat, Duration.ofSeconds(15));
    List<Minute> minutes = new ArrayList<>();
    try (LedgerProcess ledger = LedgerProcess.start(dir, ports, shape)) {
      ledger.awaitReady(Duration.ofMinutes(2));
      try (Subprocess churn =
          Subprocess.java(
              dir.resolve("churn.log"),
              "512m",
              Churn.class.getName(),
              Integer.toString(ports.authz()),
              Integer.toString(ports.als()),
              Integer.toString(options.get("per-second")),
              Integer.toString(options.get("life-seconds")),
              Long.toString(heartbeat.toSeconds()))) {
        long startNanos = Wait.nowNanos();
        for (int minute = 1; minute <= options.get("minutes"); minute++) {
          long untilNanos = startNanos + Duration.ofMinutes(minute).toNanos();
          Wait.until(
              "a minute is over", Duration.ofMinutes(2), () -> Wait.nowNanos() >= untilNanos);
          minutes.add(show(minute, ledger, churn, dir));
        }
      }
    }
    Path picture = Path.of("soak.svg");
    Files.writeString(picture, SoakPicture.of(minutes, machine));
    System.out.println("drawn in " + picture.toAbsolutePath());
    // After a failure it stays, with the logs.
    Directories.delete(dir);
  }

  private static Minute show(int minute, LedgerProcess ledger, Subprocess churn, Path dir)
      throws Exception {
    String[] clients = churn.ask("?").split(" ", -1);
    ProcessUse use = ProcessUse.of(ledger.process().pid(), dir.resolve("data"));
    System.out.printf(
        Locale.ROOT,
        "minute %2d: heap after collection %.1f MB, RSS %.0f MB, %.0f threads, %.0f file handles,"
            + " state stores %.1f MB, topics %.0f MB; open %,d of %s, allowed %s, other answers %s,"
            + " p50 %s µs, p99 %s µs, load %.1f%n",
        minute,
        use.heapMb(),
        use.rssMb(),
        use.threads(),
        use.handles(),
        use.storesMb(),
        use.topicsMb(),
        ledger.count("active", 1),
        clients[2],
        clients[0],
        clients[1],
        clients[3],
        clients[4],
        Machine.load());
    return new Minute(use, Double.parseDouble(clients[3]), Double.parseDouble(clients[4]));
  }
}
