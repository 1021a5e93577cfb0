package io.connectionledger.bench.load;

import io.connectionledger.bench.load.CheckClient.Round;
import io.connectionledger.bench.load.LedgerProcess.Ports;
import io.connectionledger.bench.load.LedgerProcess.Shape;
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
 * second with and without them, in turns.
 */
final class StreamLoad {

  private static final Map<String, Integer> DEFAULTS =
      Map.of(
          "rounds", 5,
          "seconds", 8,
          "warm-ups", 2,
          "pods", 50,
          "checks", 1_000,
          "connections", 4,
          "readers", 500,
          "queries", 50);

  private static final Duration RESERVATION = Duration.ofSeconds(5);

  private final Options options;
  private final JavaProcess checks;
  private final JavaProcess followers;
  private final LedgerProcess ledger;

  private StreamLoad(
      Options options, JavaProcess checks, JavaProcess followers, LedgerProcess ledger) {
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
    Shape shape =
        new Shape(1, options.get("pods"), 10_000_000, Duration.ofSeconds(10), RESERVATION);
    try (LedgerProcess ledger = LedgerProcess.start(dir, ports, shape);
        JavaProcess checks =
            JavaProcess.start(
                dir.resolve("checks.log"),
                "256m",
                PacedCheckClient.class.getName(),
                Integer.toString(ports.authz()),
                Integer.toString(options.get("connections")));
        JavaProcess followers =
            JavaProcess.start(
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
    List<Round> alone = new ArrayList<>();
    List<Round> followed = new ArrayList<>();
    for (int i = 0; i < options.get("rounds"); i++) {
      alone.add(alone());
      followed.add(followed());
    }
    summary("p50", alone, followed, Round::p50);
    summary("p99", alone, followed, Round::p99);
  }

  private Round alone() throws Exception {
    long before = ledger.process().cpuNanos();
    return show("alone", check(), before, "");
  }

  private Round followed() throws Exception {
    followers.ask(
        options.get("readers") + " " + options.get("queries") + " " + (options.get("seconds") + 1));
    long before = ledger.process().cpuNanos();
    Round round = check();
    String[] heard = followers.answer().split(" ", -1);
    String note =
        String.format(
            Locale.ROOT,
            ", %,d events in %,d MB, %s queries, %s failed",
            Long.parseLong(heard[1]),
            Long.parseLong(heard[0]) >> 20,
            heard[2],
            heard[3]);
    return show("followed", round, before, note);
  }

  private Round check() throws Exception {
    return Round.parse(checks.ask(options.get("seconds") + " " + options.get("checks")));
  }

  private Round show(String name, Round round, long cpuBeforeNanos, String note) {
    System.out.printf(
        Locale.ROOT,
        "%-9s p50 %,.0f µs, p99 %,.0f µs, p99.9 %,.0f µs, failed %d, ledger's cores %.2f, load %.1f%s%n",
        name,
        round.p50(),
        round.p99(),
        round.p999(),
        round.failed(),
        (ledger.process().cpuNanos() - cpuBeforeNanos) / 1e9 / round.seconds(),
        Machine.load(),
        note);
    return round;
  }

  /** The ratio is of neighbours: what else runs on the machine weighs on both alike. */
  private static void summary(
      String name, List<Round> alone, List<Round> followed, ToDoubleFunction<Round> value) {
    List<Double> ratios = new ArrayList<>();
    for (int i = 0; i < alone.size(); i++) {
      ratios.add(value.applyAsDouble(followed.get(i)) / value.applyAsDouble(alone.get(i)));
    }
    System.out.println(name + " µs alone     " + spread(alone, value).show(0));
    System.out.println(name + " µs followed  " + spread(followed, value).show(0));
    System.out.println(name + " ratio        " + Spread.of(ratios).show(2));
  }

  private static Spread spread(List<Round> rounds, ToDoubleFunction<Round> value) {
    return Spread.of(rounds.stream().map(value::applyAsDouble).toList());
  }
}
