package io.connectionledger.bench.load;

import io.connectionledger.bench.client.CheckClient.Round;
import io.connectionledger.bench.client.Followers;
import io.connectionledger.bench.client.PacedCheckClient;
import io.connectionledger.bench.figures.Options;
import io.connectionledger.bench.figures.Spread;
import io.connectionledger.bench.process.Directories;
import io.connectionledger.bench.process.LedgerProcess;
import io.connectionledger.bench.process.LedgerProcess.Ports;
import io.connectionledger.bench.process.LedgerProcess.Shape;
import io.connectionledger.bench.process.Machine;
import io.connectionledger.bench.process.Subprocess;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.ToDoubleFunction;

/**
 * What it costs a decision that many follow its pool and others ask about it: the same checks a
 * second with and without them, in turns. Inside is the mean of what the ledger itself measured
 * between question and answer; the rest includes the clients, on the same cores.
 */
final class StreamLoad {

  private static final Map<String, Integer> DEFAULTS =
      Map.of(
          "rounds", 9,
          "seconds", 8,
          "warm-ups", 6,
          "pods", 50,
          "checks", 1_000,
          "connections", 4,
          "readers", 500,
          "queries", 50,
          "pages", 0);

  private static final Duration RESERVATION = Duration.ofSeconds(5);
  private static final String TIMED = "ledger_decision_seconds_%s{outcome=\"allowed\"}";

  private final Options options;
  private final Subprocess checks;
  private final Subprocess followers;
  private final LedgerProcess ledger;

  private record Turn(Round round, double insideMicros) {}

  private StreamLoad(
      Options options, Subprocess checks, Subprocess followers, LedgerProcess ledger) {
    this.options = options;
    this.checks = checks;
    this.followers = followers;
    this.ledger = ledger;
  }

  public static void main(String[] args) throws Exception {
    Options options = Options.parse(args, DEFAULTS);
    System.out.println(Machine.describe());
    System.out.println("stream " + options);
    Path dir = Files.createTempDirectory("ledger-bench");
    Ports ports = Ports.free();
    Shape shape = Shape.of(1, options.get("pods"), 10_000_000, Duration.ofSeconds(10), RESERVATION);
    try (LedgerProcess ledger = LedgerProcess.start(dir, ports, shape);
        Subprocess checks =
            Subprocess.java(
                dir.resolve("checks.log"),
                "256m",
                PacedCheckClient.class.getName(),
                Integer.toString(ports.authz()),
                Integer.toString(options.get("connections")));
        Subprocess followers =
            Subprocess.java(
                dir.resolve("followers.log"),
                "256m",
                Followers.class.getName(),
                Integer.toString(ports.http()))) {
      ledger.awaitReady(Duration.ofMinutes(2));
      new StreamLoad(options, checks, followers, ledger).run();
    }
    // After a failure it stays, with the logs.
    Directories.delete(dir);
  }

  private void run() throws Exception {
    for (int i = 0; i < options.get("warm-ups"); i++) {
      alone();
      followed();
    }
    List<Turn> alone = new ArrayList<>();
    List<Turn> followed = new ArrayList<>();
    for (int i = 0; i < options.get("rounds"); i++) {
      // In turns of their own: what grows or cools down weighs on both alike.
      if (i % 2 == 0) {
        alone.add(alone());
        followed.add(followed());
      } else {
        followed.add(followed());
        alone.add(alone());
      }
    }
    summary("p50   ", alone, followed, turn -> turn.round().p50());
    summary("p99   ", alone, followed, turn -> turn.round().p99());
    summary("inside", alone, followed, Turn::insideMicros);
  }

  private Turn alone() throws Exception {
    long before = ledger.process().cpuNanos();
    return show("alone", check(), before, "");
  }

  private Turn followed() throws Exception {
    followers.ask(
        options.get("readers")
            + " "
            + options.get("queries")
            + " "
            + options.get("pages")
            + " "
            + (options.get("seconds") + 1));
    long before = ledger.process().cpuNanos();
    Turn turn = check();
    String[] heard = followers.answer().split(" ", -1);
    String note =
        String.format(
            Locale.ROOT,
            ", %,d events in %,d MB, %s queries, %s failed",
            Long.parseLong(heard[1]),
            Long.parseLong(heard[0]) >> 20,
            heard[2],
            heard[3]);
    return show("followed", turn, before, note);
  }

  private Turn check() throws Exception {
    double seconds = ledger.metric(TIMED.formatted("sum"));
    double count = ledger.metric(TIMED.formatted("count"));
    Round round = Round.parse(checks.ask(options.get("seconds") + " " + options.get("checks")));
    seconds = ledger.metric(TIMED.formatted("sum")) - seconds;
    count = ledger.metric(TIMED.formatted("count")) - count;
    return new Turn(round, 1e6 * seconds / count);
  }

  private Turn show(String name, Turn turn, long cpuBeforeNanos, String note) {
    Round round = turn.round();
    System.out.printf(
        Locale.ROOT,
        "%-9s p50 %,.0f µs, p99 %,.0f µs, p99.9 %,.0f µs, inside %,.0f µs, failed %d, ledger's"
            + " cores %.2f, load %.1f%s%n",
        name,
        round.p50(),
        round.p99(),
        round.p999(),
        turn.insideMicros(),
        round.failed(),
        (ledger.process().cpuNanos() - cpuBeforeNanos) / 1e9 / round.seconds(),
        Machine.load(),
        note);
    return turn;
  }

  /** The ratio is of neighbours: what else runs on the machine weighs on both alike. */
  private static void summary(
      String name, List<Turn> alone, List<Turn> followed, ToDoubleFunction<Turn> value) {
    List<Double> ratios = new ArrayList<>();
    for (int i = 0; i < alone.size(); i++) {
      ratios.add(value.applyAsDouble(followed.get(i)) / value.applyAsDouble(alone.get(i)));
    }
    System.out.println(name + " µs alone     " + spread(alone, value).show(0));
    System.out.println(name + " µs followed  " + spread(followed, value).show(0));
    System.out.println(
        name + " ratio        " + Spread.of(ratios).show(2) + ", " + Spread.middle(ratios, 2));
  }

  private static Spread spread(List<Turn> turns, ToDoubleFunction<Turn> value) {
    return Spread.of(turns.stream().map(value::applyAsDouble).toList());
  }
}
