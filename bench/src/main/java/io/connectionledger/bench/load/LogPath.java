package io.connectionledger.bench.load;

import io.connectionledger.bench.client.AccessLogLoad;
import io.connectionledger.bench.figures.Options;
import io.connectionledger.bench.figures.Spread;
import io.connectionledger.bench.process.Directories;
import io.connectionledger.bench.process.LedgerProcess;
import io.connectionledger.bench.process.LedgerProcess.Ports;
import io.connectionledger.bench.process.LedgerProcess.Shape;
import io.connectionledger.bench.process.Machine;
import io.connectionledger.bench.process.Subprocess;
import io.connectionledger.bench.process.ThreadCpu;
import io.connectionledger.bench.process.Wait;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * Opens, heartbeats and closes a second from access-log streams through Kafka into the counts that
 * the ledger answers with: each turn ends when every record has been applied.
 */
final class LogPath {

  private static final Map<String, Integer> DEFAULTS =
      Map.of(
          "rounds", 5,
          "connections", 100_000,
          "heartbeats", 20,
          "streams", 4,
          "pools", 4,
          "pods", 500,
          "entries", 1_000);
  private static final Duration LIMIT = Duration.ofMinutes(5);

  private final Options options;
  private final LedgerProcess ledger;
  private final Subprocess envoys;

  /** Operations a second, the server's microseconds for one, and where they went. */
  private record Turn(double perSecond, double cpuMicros, ThreadCpu threads, long operations) {}

  private LogPath(Options options, LedgerProcess ledger, Subprocess envoys) {
    this.options = options;
    this.ledger = ledger;
    this.envoys = envoys;
  }

  public static void main(String[] args) throws Exception {
    Options options = Options.parse(args, DEFAULTS);
    System.out.println(Machine.describe());
    System.out.println("log " + options);
    Path dir = Files.createTempDirectory("ledger-bench");
    Ports ports = Ports.free();
    // A lease that outlasts the run, whatever else the machine does meanwhile.
    Shape shape =
        Shape.of(
            options.get("pools"),
            options.get("pods"),
            10_000_000,
            Duration.ofMinutes(10),
            Duration.ofSeconds(15));
    try (LedgerProcess ledger = LedgerProcess.start(dir, ports, shape)) {
      ledger.awaitReady(Duration.ofMinutes(2));
      try (Subprocess envoys =
          envoys(
              dir,
              ports,
              options.get("streams"),
              options.get("pools"),
              options.get("pods"),
              options.get("entries"))) {
        new LogPath(options, ledger, envoys).run();
      }
    }
    // After a failure it stays, with the logs.
    Directories.delete(dir);
  }

  /** The load, as a process of its own. */
  static Subprocess envoys(Path dir, Ports ports, int streams, int pools, int pods, int entries)
      throws IOException {
    return Subprocess.java(
        dir.resolve("envoys.log"),
        "3g",
        AccessLogLoad.class.getName(),
        Integer.toString(ports.als()),
        Integer.toString(streams),
        Integer.toString(pools),
        Integer.toString(pods),
        Integer.toString(entries));
  }

  /** Opens so many connections, a tenth after the other, and waits until all is committed. */
  static void fill(LedgerProcess ledger, Subprocess envoys, int connections, int pools)
      throws Exception {
    int step = connections / 10;
    for (int i = 1; i <= 10; i++) {
      int expected = i * step;
      envoys.ask("prepare " + step);
      envoys.ask("open 1");
      Wait.until(expected + " are open", LIMIT, () -> ledger.count("active", pools) == expected);
    }
    Wait.until("everything is committed", LIMIT, ledger::isIdle);
  }

  private void run() throws Exception {
    int connections = options.get("connections");
    int heartbeats = options.get("heartbeats");
    int marks = options.get("streams") * options.get("pools");
    List<Turn> opens = new ArrayList<>();
    List<Turn> beats = new ArrayList<>();
    List<Turn> closes = new ArrayList<>();
    for (int round = 0; round <= options.get("rounds"); round++) {
      envoys.ask("prepare " + connections);
      Turn open = turn("open 1", connections, connections);
      Turn beat = turn("beat " + heartbeats, (long) heartbeats * connections, connections + marks);
      Turn close = turn("close 1", connections, 0);
      System.out.printf(
          Locale.ROOT,
          "%-8s opens %,8.0f/s %6.1f µs, heartbeats %,9.0f/s %5.2f µs, closes %,8.0f/s %6.1f µs,"
              + " load %.1f%n",
          round == 0 ? "warm-up" : "round " + round,
          open.perSecond,
          open.cpuMicros,
          beat.perSecond,
          beat.cpuMicros,
          close.perSecond,
          close.cpuMicros,
          Machine.load());
      if (round > 0) {
        opens.add(open);
        beats.add(beat);
        closes.add(close);
      }
    }
    summary("opens", opens);
    summary("heartbeats", beats);
    summary("closes", closes);
  }

  /** Has the Envoys say it and waits until the topology has applied all of it. */
  private Turn turn(String command, long operations, long activeAfter) throws Exception {
    long pid = ledger.process().pid();
    ThreadCpu threadsBefore = ThreadCpu.of(pid);
    long cpuBefore = ledger.process().cpuNanos();
    long start = Wait.nowNanos();
    envoys.ask(command);
    Wait.until(
        "the count is right",
        LIMIT,
        () -> ledger.count("active", options.get("pools")) == activeAfter);
    double seconds = (Wait.nowNanos() - start) / 1e9;
    Wait.until("everything is committed", LIMIT, ledger::isIdle);
    return new Turn(
        operations / seconds,
        (ledger.process().cpuNanos() - cpuBefore) / 1e3 / operations,
        ThreadCpu.of(pid).minus(threadsBefore),
        operations);
  }

  private static void summary(String name, List<Turn> turns) {
    System.out.println(
        name + " a second " + Spread.of(turns.stream().map(Turn::perSecond).toList()).show(0));
    System.out.println(
        name + " µs each  " + Spread.of(turns.stream().map(Turn::cpuMicros).toList()).show(2));
    ThreadCpu all = turns.stream().map(Turn::threads).reduce(ThreadCpu::plus).orElseThrow();
    System.out.println(all.show(turns.stream().mapToLong(Turn::operations).sum()));
  }
}
