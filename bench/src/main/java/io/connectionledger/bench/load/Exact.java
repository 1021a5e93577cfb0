package io.connectionledger.bench.load;

import io.connectionledger.bench.client.CheckClient;
import io.connectionledger.bench.client.CheckClient.Round;
import io.connectionledger.bench.figures.Options;
import io.connectionledger.bench.process.Directories;
import io.connectionledger.bench.process.LedgerProcess.Shape;
import io.connectionledger.bench.process.Machine;
import io.connectionledger.bench.process.Subprocess;
import io.connectionledger.bench.side.Side;
import io.connectionledger.bench.side.Sides;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * Whether each side that limits admits exactly what it may: far more checks at once than there are
 * slots, and how many of them were allowed.
 */
final class Exact {

  private static final Map<String, Integer> DEFAULTS =
      Map.of("seconds", 3, "pods", 20, "per-pod-max", 50, "in-flight", 64);

  private Exact() {}

  public static void main(String[] args) throws Exception {
    Options options = Options.parse(args, DEFAULTS);
    System.out.println(Machine.describe());
    System.out.println("exact " + options);
    Path dir = Files.createTempDirectory("ledger-bench");
    // Nothing expires while it is asked.
    Sides sides =
        new Sides(
            dir,
            Shape.of(
                1,
                options.get("pods"),
                options.get("per-pod-max"),
                Duration.ofMinutes(1),
                Duration.ofMinutes(1)));
    for (String name : List.of(Sides.LEDGER, Sides.REDIS)) {
      if (!Sides.available().contains(name)) {
        continue;
      }
      try (Side side = sides.start(name);
          Subprocess client =
              Subprocess.java(
                  dir.resolve("client.log"),
                  "512m",
                  CheckClient.class.getName(),
                  "4",
                  Integer.toString(options.get("in-flight")),
                  "1")) {
        Round round = Round.parse(client.ask(side.port() + " " + options.get("seconds")));
        System.out.printf(
            Locale.ROOT,
            "%-10s allowed %,d of %,d checks; slots %,d; failed %,d%n",
            side.name(),
            round.allowed(),
            round.checks(),
            options.get("pods") * options.get("per-pod-max"),
            round.failed());
      }
    }
    // After a failure it stays, with the logs.
    Directories.delete(dir);
  }
}
