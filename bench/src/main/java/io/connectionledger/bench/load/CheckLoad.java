package io.connectionledger.bench.load;

import io.connectionledger.bench.client.CheckClient;
import io.connectionledger.bench.client.CheckClient.Round;
import io.connectionledger.bench.client.DoNothingServer;
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
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.ToDoubleFunction;

/**
 * Checks a second of the ledger beside those of a server that does nothing, in turns, by the same
 * client. The ledger's figures include its embedded Kafka, the decisions written to it and the
 * topology that reads them back: a turn's processor time counts until all of that is done.
 */
final class CheckLoad {

  private static final Map<String, Integer> DEFAULTS =
      Map.of(
          "rounds", 5,
          "seconds", 8,
          "pools", 1,
          "pods", 500,
          "per-pod-max", 10_000_000,
          "open", 0,
          "connections", 4,
          "in-flight", 64);

  /** Of each server: the compilers are busy for a while. */
  private static final int WARM_UPS = 3;

  /** Those that are open beside the checks need not be told again while it takes its turns. */
  private static final Duration HEARTBEAT = Duration.ofMinutes(10);

  private static final Duration RESERVATION = Duration.ofSeconds(5);
  private static final Duration SETTLE = Duration.ofMinutes(5);

  private final Options options;
  private final LedgerProcess ledger;
  private final Ports ports;
  private final Subprocess nothing;
  private final int nothingPort;
  private final Subprocess client;

  /** A turn: the round and the server's processor time for it. */
  private record Turn(Round round, double cpuMicros, double settleSeconds, double load) {}

  private CheckLoad(
      Options options,
      LedgerProcess ledger,
      Ports ports,
      Subprocess nothing,
      int nothingPort,
      Subprocess client) {
    this.options = options;
    this.ledger = ledger;
    this.ports = ports;
    this.nothing = nothing;
    this.nothingPort = nothingPort;
    this.client = client;
  }

  public static void main(String[] args) throws Exception {
    Options options = Options.parse(args, DEFAULTS);
    System.out.println(Machine.describe());
    System.out.println("checks " + options);
    Path dir = Files.createTempDirectory("ledger-bench");
    Ports ports = Ports.free();
    Shape shape =
        Shape.of(
            options.get("pools"),
            options.get("pods"),
            options.get("per-pod-max"),
            HEARTBEAT,
            RESERVATION);
    try (LedgerProcess ledger = LedgerProcess.start(dir, ports, shape);
        Subprocess nothing =
            Subprocess.java(dir.resolve("nothing.log"), "1g", DoNothingServer.class.getName());
        Subprocess client =
            Subprocess.java(
                dir.resolve("client.log"),
                "1g",
                CheckClient.class.getName(),
                Integer.toString(options.get("connections")),
                Integer.toString(options.get("in-flight")),
                Integer.toString(options.get("pools")))) {
      int nothingPort = Integer.parseInt(nothing.answer());
      ledger.awaitReady(Duration.ofMinutes(2));
      int pools = options.get("pools");
      try (Subprocess envoys = LogPath.envoys(dir, ports, 4, pools, options.get("pods"), 1_000)) {
        if (options.get("open") > 0) {
          LogPath.fill(ledger, envoys, options.get("open"), pools);
        }
        new CheckLoad(options, ledger, ports, nothing, nothingPort, client).run();
      }
    }
    // After a failure it stays, with the logs.
    Directories.delete(dir);
  }

  private void run() throws Exception {
    for (int i = 0; i < WARM_UPS; i++) {
      nothing();
      ledger();
    }
    List<Turn> nothings = new ArrayList<>();
    List<Turn> ledgers = new ArrayList<>();
    ThreadCpu before = ThreadCpu.of(ledger.process().pid());
    for (int i = 0; i < options.get("rounds"); i++) {
      nothings.add(show("do nothing", nothing()));
      ledgers.add(show("ledger", ledger()));
    }
    ThreadCpu spent = ThreadCpu.of(ledger.process().pid()).minus(before);
    summary(nothings, ledgers);
    long checks = ledgers.stream().mapToLong(turn -> turn.round.checks()).sum();
    System.out.println("ledger's processor time by thread, µs a check:\n" + spent.show(checks));
  }

  private Turn nothing() throws Exception {
    long before = nothing.cpuNanos();
    Round round = ask(nothingPort);
    return new Turn(round, (nothing.cpuNanos() - before) / 1e3 / round.checks(), 0, Machine.load());
  }

  private Turn ledger() throws Exception {
    long before = ledger.process().cpuNanos();
    Round round = ask(ports.authz());
    double settleSeconds = settle();
    return new Turn(
        round,
        (ledger.process().cpuNanos() - before) / 1e3 / round.checks(),
        settleSeconds,
        Machine.load());
  }

  private Round ask(int port) throws Exception {
    return Round.parse(client.ask(port + " " + options.get("seconds")));
  }

  /** Waits until every decision has come back from Kafka and every reservation has expired. */
  private double settle() throws Exception {
    long start = Wait.nowNanos();
    Wait.until("every decision came back", SETTLE, ledger::isIdle);
    double seconds = (Wait.nowNanos() - start) / 1e9;
    Wait.until(
        "every reservation expired",
        SETTLE,
        () -> ledger.count("reserved", options.get("pools")) == 0);
    return seconds;
  }

  private static Turn show(String name, Turn turn) {
    Round round = turn.round;
    System.out.printf(
        Locale.ROOT,
        "%-10s %,8.0f checks/s, %5.1f µs of CPU each, p50 %,.0f µs, p99 %,.0f µs, p99.9 %,.0f µs, "
            + "allowed %.0f %%, failed %d, behind %.1f s, load %.1f%n",
        name,
        round.perSecond(),
        turn.cpuMicros,
        round.p50(),
        round.p99(),
        round.p999(),
        100.0 * round.allowed() / round.checks(),
        round.failed(),
        turn.settleSeconds,
        turn.load);
    return turn;
  }

  private static void summary(List<Turn> nothings, List<Turn> ledgers) {
    ToDoubleFunction<Turn> rate = turn -> turn.round.perSecond();
    ToDoubleFunction<Turn> cpu = turn -> turn.cpuMicros;
    System.out.println("do nothing checks/s   " + spread(nothings, rate).show(0));
    System.out.println("ledger checks/s       " + spread(ledgers, rate).show(0));
    System.out.println("ratio of checks/s     " + ratio(ledgers, nothings, rate).show(2));
    System.out.println("do nothing µs a check " + spread(nothings, cpu).show(1));
    System.out.println("ledger µs a check     " + spread(ledgers, cpu).show(1));
    System.out.println("ledger p99 µs         " + spread(ledgers, t -> t.round.p99()).show(0));
    System.out.println("do nothing p99 µs     " + spread(nothings, t -> t.round.p99()).show(0));
  }

  private static Spread spread(List<Turn> turns, ToDoubleFunction<Turn> value) {
    return Spread.of(turns.stream().map(value::applyAsDouble).toList());
  }

  /** Of neighbours: what else runs on the machine weighs on both alike. */
  private static Spread ratio(List<Turn> of, List<Turn> to, ToDoubleFunction<Turn> value) {
    List<Double> ratios = new ArrayList<>();
    for (int i = 0; i < of.size(); i++) {
      ratios.add(value.applyAsDouble(of.get(i)) / value.applyAsDouble(to.get(i)));
    }
    return Spread.of(ratios);
  }
}
