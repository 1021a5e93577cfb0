package io.connectionledger.bench.abuse;

import io.connectionledger.bench.client.CheckClient.Round;
import io.connectionledger.bench.client.PacedCheckClient;
import io.connectionledger.bench.process.Directories;
import io.connectionledger.bench.process.LedgerProcess;
import io.connectionledger.bench.process.LedgerProcess.Ports;
import io.connectionledger.bench.process.LedgerProcess.Shape;
import io.connectionledger.bench.process.Machine;
import io.connectionledger.bench.process.ProcessUse;
import io.connectionledger.bench.process.Subprocess;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/**
 * What each {@link Attack} does to the checks that come meanwhile, and to the ledger's memory: a
 * ledger of its own for each, which is checked at a steady rate before and during the attack.
 */
final class Abuse {

  private static final int CHECKS_PER_SECOND = 200;
  private static final int WARM_UP_SECONDS = 10;

  private Abuse() {}

  public static void main(String[] args) throws Exception {
    int seconds = args.length > 0 ? Integer.parseInt(args[0]) : 60;
    List<Attack> attacks =
        args.length > 1
            ? Arrays.stream(args).skip(1).map(Attack::valueOf).toList()
            : List.of(Attack.values());
    System.out.println(Machine.describe());
    System.out.println(
        "| attack | rate | heap before, after | RSS before, after | p99 quiet | p99 meanwhile | failed | lost |");
    System.out.println("|---|---:|---:|---:|---:|---:|---:|---:|");
    for (Attack attack : attacks) {
      Path dir = Files.createTempDirectory("ledger-bench");
      System.out.println(row(attack, seconds, dir));
      // After a failure it stays, with the logs.
      Directories.delete(dir);
    }
  }

  private static String row(Attack attack, int seconds, Path dir) throws Exception {
    Ports ports = Ports.free();
    Shape shape = Shape.of(1, 10, 1_000_000, Duration.ofSeconds(10), Duration.ofSeconds(15));
    try (LedgerProcess ledger = LedgerProcess.start(dir, ports, shape);
        Subprocess checks =
            Subprocess.java(
                dir.resolve("checks.log"),
                "256m",
                PacedCheckClient.class.getName(),
                Integer.toString(ports.authz()),
                "2")) {
      ledger.awaitReady(Duration.ofMinutes(2));
      ask(checks, WARM_UP_SECONDS);
      Round quiet = Round.parse(ask(checks, seconds));
      ProcessUse before = ProcessUse.of(ledger.process().pid(), dir.resolve("data"));
      long[] done = new long[1];
      Exception[] failed = new Exception[1];
      Deadline end = new Deadline(Duration.ofSeconds(seconds));
      Thread attacker =
          Thread.ofPlatform()
              .start(
                  () -> {
                    try {
                      done[0] = attack.run(ports, end);
                    } catch (Exception broken) {
                      failed[0] = broken;
                    }
                  });
      Round meanwhile = Round.parse(ask(checks, seconds));
      attacker.join();
      if (failed[0] != null) {
        throw failed[0];
      }
      ProcessUse after = ProcessUse.of(ledger.process().pid(), dir.resolve("data"));
      double lost =
          ledger.metric("ledger_events_lost_total") + ledger.metric("ledger_decisions_lost_total");
      return String.format(
          Locale.ROOT,
          "| %s | %,d/s | %.0f, %.0f MB | %.0f, %.0f MB | %.1f ms | %.1f ms | %d | %.0f |",
          attack.label(),
          done[0] / seconds,
          before.heapMb(),
          after.heapMb(),
          before.rssMb(),
          after.rssMb(),
          quiet.p99() / 1e3,
          meanwhile.p99() / 1e3,
          meanwhile.failed(),
          lost);
    }
  }

  private static String ask(Subprocess checks, int seconds) throws Exception {
    return checks.ask(seconds + " " + CHECKS_PER_SECOND);
  }
}
