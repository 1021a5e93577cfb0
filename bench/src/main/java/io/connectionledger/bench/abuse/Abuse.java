package io.connectionledger.bench.abuse;

import io.connectionledger.bench.client.Churn;
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
import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/**
 * What each {@link Attack} does to the clients that come and go meanwhile, to the count of their
 * connections, and to the ledger's memory: a ledger of its own for each.
 */
final class Abuse {

  private static final int CHECKS_PER_SECOND = 200;
  private static final int LIFE_SECONDS = 10;
  private static final int HEARTBEAT_SECONDS = 5;
  private static final int WARM_UP_SECONDS = 15;

  /** In which what was invented expires: three heartbeats, and some. */
  private static final int AFTERMATH_SECONDS = 20;

  private static final Duration UNTIL_COUNTED = Duration.ofSeconds(40);

  private Abuse() {}

  /** What the clients have seen since they were last asked. */
  private record Seen(long allowed, long other, long open, double p99Millis) {

    static Seen of(String line) {
      String[] f = line.split(" ", -1);
      return new Seen(
          Long.parseLong(f[0]),
          Long.parseLong(f[1]),
          Long.parseLong(f[2]),
          Double.parseDouble(f[4]) / 1e3);
    }
  }

  public static void main(String[] args) throws Exception {
    int seconds = args.length > 0 ? Integer.parseInt(args[0]) : 60;
    List<Attack> attacks =
        args.length > 1
            ? Arrays.stream(args).skip(1).map(Attack::valueOf).toList()
            : List.of(Attack.values());
    System.out.println(Machine.describe());
    System.out.println(
        "| attack | rate | heap before, after | RSS before, after | p99 quiet, meanwhile, then |"
            + " ratio | not admitted | records lost | connections open, counted |");
    System.out.println("|---|---:|---:|---:|---:|---:|---:|---:|---:|");
    for (Attack attack : attacks) {
      Path dir = Files.createTempDirectory("ledger-bench");
      System.out.println(row(attack, seconds, dir));
      // After a failure it stays, with the logs.
      Directories.delete(dir);
    }
  }

  private static String row(Attack attack, int seconds, Path dir) throws Exception {
    Ports ports = Ports.free();
    Shape shape =
        Shape.of(
            2,
            10,
            1_000_000,
            Duration.ofSeconds(HEARTBEAT_SECONDS),
            Duration.ofSeconds(LIFE_SECONDS));
    try (LedgerProcess ledger = LedgerProcess.start(dir, ports, shape);
        Subprocess attacker =
            Subprocess.background(dir.resolve("attacker.log"), "1g", Attacker.class.getName())) {
      ledger.awaitReady(Duration.ofMinutes(2));
      try (Subprocess clients = clients(dir, ports)) {
        pause(WARM_UP_SECONDS);
        Seen warm = Seen.of(clients.ask(""));
        pause(seconds);
        Seen quiet = Seen.of(clients.ask(""));
        ProcessUse before = ProcessUse.of(ledger.process().pid(), dir.resolve("data"));
        // To collect garbage takes time, too.
        Seen start = Seen.of(clients.ask(""));
        long done = Long.parseLong(attacker.ask(Attacker.order(attack, seconds, ports)));
        Seen meanwhile = Seen.of(clients.ask(""));
        pause(AFTERMATH_SECONDS);
        Seen then = Seen.of(clients.ask(""));
        ProcessUse after = ProcessUse.of(ledger.process().pid(), dir.resolve("data"));
        Seen held = Seen.of(clients.ask(Churn.HOLD));
        double lost =
            ledger.metric("ledger_events_lost_total")
                + ledger.metric("ledger_decisions_lost_total");
        return String.format(
            Locale.ROOT,
            "| %s | %,d/s | %.0f, %.0f MB | %.0f, %.0f MB | %.1f, %.1f, %.1f ms | %.1f | %d, quiet %d"
                + " | %.0f | %,d, %,d |",
            attack.label(),
            done / seconds,
            before.heapMb(),
            after.heapMb(),
            before.rssMb(),
            after.rssMb(),
            quiet.p99Millis(),
            meanwhile.p99Millis(),
            then.p99Millis(),
            meanwhile.p99Millis() / quiet.p99Millis(),
            meanwhile.other() - start.other(),
            quiet.other() - warm.other(),
            lost,
            held.open(),
            counted(ledger, held.open()));
      }
    }
  }

  /** Clients that come and go through Envoys that tell of them. */
  private static Subprocess clients(Path dir, Ports ports) throws Exception {
    return Subprocess.java(
        dir.resolve("clients.log"),
        "512m",
        Churn.class.getName(),
        Integer.toString(ports.authz()),
        Integer.toString(ports.als()),
        Integer.toString(CHECKS_PER_SECOND),
        Integer.toString(LIFE_SECONDS),
        Integer.toString(HEARTBEAT_SECONDS));
  }

  /** What the ledger counts in the pool of the clients, once it is right or does not become so. */
  private static long counted(LedgerProcess ledger, long open) throws Exception {
    try {
      Wait.until("the count is right", UNTIL_COUNTED, () -> ledger.count("active", 1) == open);
    } catch (IllegalStateException wrong) {
      System.err.println(wrong.getMessage());
    }
    return ledger.count("active", 1);
  }

  private static void pause(int seconds) {
    Deadline end = new Deadline(Duration.ofSeconds(seconds));
    end.pause(Duration.ofSeconds(seconds));
  }
}
