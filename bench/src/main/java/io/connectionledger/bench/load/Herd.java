package io.connectionledger.bench.load;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.connectionledger.app.envoy.EnvoyBinary;
import io.connectionledger.app.envoy.EnvoyOptions;
import io.connectionledger.app.envoy.EnvoyProcess;
import io.connectionledger.bench.client.HandshakeCrowd;
import io.connectionledger.bench.client.HandshakeCrowd.Wave;
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
import io.connectionledger.bench.side.Endpoints;
import io.connectionledger.bench.side.Side;
import io.connectionledger.bench.side.Sides;
import java.io.IOException;
import java.net.URLEncoder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * The crowd that comes back after a roll-out: hundreds of handshakes at once through real Envoys,
 * wave after wave, beginning right after the server is ready. How many of the checks does Envoy
 * give up, and what does a connection cost from its check to its close?
 */
final class Herd {

  private static final Map<String, Integer> DEFAULTS =
      Map.of(
          "rounds", 1,
          "waves", 4,
          "connections", 400,
          "envoys", 3,
          "pods", 4,
          "hold-ms", 2_000,
          "timeout-ms", 250,
          "only-ledger", 0,
          "threads", 0);

  private static final String GIVEN_UP = "^http.*ext_authz.admission.error";

  /** Closes are reported, and what follows from them is done. */
  private static final Duration SETTLE = Duration.ofSeconds(3);

  private final Options options;
  private final Path dir;
  private final Sides sides;
  private final Subprocess crowd;
  private final Map<String, List<Double>> givenUp = new LinkedHashMap<>();
  private final Map<String, List<Double>> cpuMillis = new LinkedHashMap<>();

  private Herd(Options options, Path dir, Sides sides, Subprocess crowd) {
    this.options = options;
    this.dir = dir;
    this.sides = sides;
    this.crowd = crowd;
  }

  public static void main(String[] args) throws Exception {
    Options options = Options.parse(args, DEFAULTS);
    System.out.println(Machine.describe());
    System.out.println("herd " + options);
    Path dir = Files.createTempDirectory("ledger-bench");
    try (Subprocess crowd =
        Subprocess.java(
            dir.resolve("crowd.log"),
            "256m",
            HandshakeCrowd.class.getName(),
            Integer.toString(options.get("pods")))) {
      List<String> pods =
          Arrays.stream(crowd.answer().split(" ", -1)).map(port -> "127.0.0.1:" + port).toList();
      Sides sides =
          new Sides(
              dir, new Shape(1, pods, 100_000, Duration.ofSeconds(10), Duration.ofSeconds(15)));
      warmUp(crowd, pods);
      new Herd(options, dir, sides, crowd).run();
    }
    // After a failure it stays, with the logs.
    Directories.delete(dir);
  }

  /** The crowd's own first waves, without anybody between it and its pods. */
  private static void warmUp(Subprocess crowd, List<String> pods) throws IOException {
    String ports =
        pods.stream()
            .map(pod -> pod.substring(pod.indexOf(':') + 1))
            .collect(Collectors.joining(" "));
    for (int i = 0; i < 20; i++) {
      crowd.ask("400 10 " + ports);
    }
  }

  private void run() throws Exception {
    for (int round = 0; round < options.get("rounds"); round++) {
      List<String> names =
          options.get("only-ledger") > 0 ? List.of(Sides.LEDGER) : Sides.available();
      for (String name : names) {
        if (name.equals(Sides.LEDGER)) {
          Ports ports = Ports.free();
          try (Side side = sides.ledger(ports)) {
            waves(side, ports.als(), ports.xds());
          }
        } else {
          try (Side side = sides.start(name);
              Endpoints endpoints = Endpoints.serve(sides.shape())) {
            waves(side, endpoints.port(), endpoints.port());
          }
        }
      }
    }
    givenUp.forEach(
        (what, all) ->
            System.out.printf(
                Locale.ROOT,
                "%-28s given up %s of %d, ms of CPU a connection %s%n",
                what,
                Spread.of(all).show(0),
                options.get("connections"),
                Spread.of(cpuMillis.getOrDefault(what, List.of())).show(2)));
  }

  private void waves(Side side, int als, int xds) throws Exception {
    List<EnvoyProcess> envoys = new ArrayList<>();
    try {
      for (int i = 0; i < options.get("envoys"); i++) {
        EnvoyOptions envoy =
            EnvoyOptions.of("envoy-" + i, als, side.port(), xds)
                .withPool(LedgerProcess.pool(0))
                .withWorkers(1)
                .withCheckTimeout(Duration.ofMillis(options.get("timeout-ms")));
        envoys.add(
            EnvoyProcess.start(
                EnvoyBinary.system().locate(),
                Path.of(System.getProperty("bench.envoy-yaml")),
                envoy,
                Files.createTempDirectory(dir, "envoy")));
      }
      for (int wave = 1; wave <= options.get("waves"); wave++) {
        wave(side, wave, envoys);
      }
    } finally {
      envoys.forEach(EnvoyProcess::close);
    }
  }

  private void wave(Side side, int number, List<EnvoyProcess> envoys) throws Exception {
    long before = givenUp(envoys);
    long pid = side.processes().getFirst().pid();
    ThreadCpu threadsBefore = ThreadCpu.of(pid);
    long cpuNanos = side.cpuNanos();
    String ports =
        envoys.stream()
            .map(envoy -> Integer.toString(envoy.listenerPort()))
            .collect(Collectors.joining(" "));
    Wave wave =
        Wave.parse(
            crowd.ask(options.get("connections") + " " + options.get("hold-ms") + " " + ports));
    long settledNanos = Wait.nowNanos() + SETTLE.toNanos();
    Wait.until("it has settled", SETTLE.multipliedBy(2), () -> Wait.nowNanos() >= settledNanos);
    double cpu = (side.cpuNanos() - cpuNanos) / 1e6 / options.get("connections");
    long failed = givenUp(envoys) - before;
    System.out.printf(
        Locale.ROOT,
        "wave %d %-15s given up %d of %d, opened %d, p50 %.0f ms, longest %.0f ms, %.2f ms of CPU"
            + " a connection, load %.1f%n",
        number,
        side.name(),
        failed,
        options.get("connections"),
        wave.opened(),
        wave.p50(),
        wave.max(),
        cpu,
        Machine.load());
    if (options.get("threads") > 0) {
      System.out.println(
          "of it, µs a connection:\n"
              + ThreadCpu.of(pid).minus(threadsBefore).show(options.get("connections")));
    }
    String what = (number == 1 ? "first wave, " : "later waves, ") + side.name();
    givenUp.computeIfAbsent(what, w -> new ArrayList<>()).add((double) failed);
    cpuMillis.computeIfAbsent(what, w -> new ArrayList<>()).add(cpu);
  }

  private static long givenUp(List<EnvoyProcess> envoys) throws Exception {
    long sum = 0;
    for (EnvoyProcess envoy : envoys) {
      sum +=
          envoy
              .admin("/stats?filter=" + URLEncoder.encode(GIVEN_UP + "$", UTF_8))
              .body()
              .lines()
              .mapToLong(line -> Long.parseLong(line.substring(line.lastIndexOf(' ') + 1)))
              .sum();
    }
    return sum;
  }
}
