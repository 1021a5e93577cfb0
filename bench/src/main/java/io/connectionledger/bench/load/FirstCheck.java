package io.connectionledger.bench.load;

import io.connectionledger.bench.client.DoNothingServer;
import io.connectionledger.bench.client.OneByOne;
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
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;

/**
 * How the first check of a fresh ledger compares with its thousandth, at the same moment of its
 * life: of two ledgers that have just become ready, another client asks one a thousand times (or as
 * often as the option says), and instead of the other a server that does nothing. After a quiet
 * second the client that is measured connects and asks, which of the one is the check after these
 * and of the other the first. Whatever else a first check has to bear, a new connection and a
 * machine that has just been busy with a start, both do. How much that is the server that does
 * nothing shows, asked in the same way a moment later.
 */
final class FirstCheck {

  private static final Map<String, Integer> DEFAULTS = Map.of("rounds", 5, "checks", 1_000);
  private static final int CHECKS_PER_CONNECTION = 1_000;

  /** Room for every check of the longest runs. */
  private static final int PER_POD_MAX = 100_000;

  private static final int WARM_UP = 20_000;
  private static final int WARM_UP_CONNECTIONS = 500;

  /** A first check comes after a time without any. */
  private static final Duration QUIET = Duration.ofSeconds(1);

  private static final String INSIDE = "ledger_decision_seconds_sum{outcome=\"allowed\"}";

  private final Map<String, List<Double>> figures = new LinkedHashMap<>();
  private final Subprocess crowd;
  private final int nothingPort;
  private final int checks;

  private FirstCheck(Subprocess crowd, int nothingPort, int checks) {
    this.crowd = crowd;
    this.nothingPort = nothingPort;
    this.checks = checks;
  }

  /** All in microseconds. */
  private record Times(double ledger, double inside, double nothing) {}

  public static void main(String[] args) throws Exception {
    Options options = Options.parse(args, DEFAULTS);
    System.out.println(Machine.describe());
    System.out.println("first " + options);
    Path dir = Files.createTempDirectory("ledger-bench");
    try (Subprocess nothing =
            Subprocess.java(dir.resolve("nothing.log"), "1g", DoNothingServer.class.getName());
        Subprocess crowd =
            Subprocess.java(dir.resolve("crowd.log"), "1g", OneByOne.class.getName())) {
      FirstCheck bench =
          new FirstCheck(crowd, Integer.parseInt(nothing.answer()), options.get("checks"));
      bench.warmUp();
      System.out.println("µs            1st    later");
      for (int round = 1; round <= options.get("rounds"); round++) {
        bench.round(Files.createDirectory(dir.resolve("round-" + round)));
      }
      bench.figures.forEach(
          (name, values) -> System.out.println(name + " " + Spread.of(values).show(2)));
    }
    // After a failure it stays, with the logs.
    Directories.delete(dir);
  }

  private void warmUp() throws Exception {
    crowd.ask(nothingPort + " " + WARM_UP);
    try (OneByOne client = OneByOne.connect(nothingPort)) {
      client.checks(WARM_UP);
    }
    for (int i = 0; i < WARM_UP_CONNECTIONS; i++) {
      try (OneByOne client = OneByOne.connect(nothingPort)) {
        client.checks(10);
      }
    }
  }

  private void round(Path dir) throws Exception {
    Times first = start(Files.createDirectory(dir.resolve("fresh")), false);
    Times again = start(Files.createDirectory(dir.resolve("asked")), true);
    note("ledger ", first.ledger, again.ledger);
    note("inside ", first.inside, again.inside);
    note("nothing", first.nothing, again.nothing);
  }

  private Times start(Path dir, boolean asked) throws Exception {
    Ports ports = Ports.free();
    Shape shape = Shape.of(1, 10, PER_POD_MAX, Duration.ofSeconds(10), Duration.ofSeconds(15));
    try (LedgerProcess ledger = LedgerProcess.start(dir, ports, shape)) {
      ledger.awaitReady(Duration.ofMinutes(2));
      crowd.ask((asked ? ports.authz() : nothingPort) + " " + checks);
      double before = ledger.metric(INSIDE);
      LockSupport.parkNanos(QUIET.toNanos());
      try (OneByOne client = OneByOne.connect(ports.authz())) {
        double time = client.check();
        double inside = (ledger.metric(INSIDE) - before) * 1e6;
        double nothing;
        try (OneByOne other = OneByOne.connect(nothingPort)) {
          nothing = other.check();
        }
        client.checks(CHECKS_PER_CONNECTION - 11);
        figure(
            "ledger  1,000th of its connection",
            Spread.of(Stream.generate(client::check).limit(10).toList()).median());
        return new Times(time, inside, nothing);
      }
    }
  }

  private void note(String name, double first, double again) {
    figure(name + " 1st    ", first);
    figure(name + " later  ", again);
    figure(name + " ratio  ", first / again);
    System.out.printf(Locale.ROOT, "%s %,8.0f %,8.0f%n", name, first, again);
  }

  private void figure(String name, double value) {
    figures.computeIfAbsent(name, unused -> new ArrayList<>()).add(value);
  }
}
