package io.connectionledger.bench.load;

import static java.nio.charset.StandardCharsets.US_ASCII;

import io.connectionledger.bench.client.CheckClient;
import io.connectionledger.bench.client.CheckClient.Round;
import io.connectionledger.bench.figures.Options;
import io.connectionledger.bench.figures.Spread;
import io.connectionledger.bench.process.Directories;
import io.connectionledger.bench.process.LedgerProcess;
import io.connectionledger.bench.process.LedgerProcess.Ports;
import io.connectionledger.bench.process.LedgerProcess.Shape;
import io.connectionledger.bench.process.Machine;
import io.connectionledger.bench.process.Subprocess;
import io.connectionledger.bench.process.Wait;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** What TLS costs a check: two ledgers, one with and one without, asked in turns. */
final class TlsLoad {

  private static final Map<String, Integer> DEFAULTS =
      Map.of(
          "rounds", 18,
          "seconds", 4,
          "warm-ups", 6,
          "pods", 500,
          "connections", 4,
          "in-flight", 16);

  private static final String PASSWORD = "changeit";
  private static final Duration LIMIT = Duration.ofMinutes(3);

  private TlsLoad() {}

  public static void main(String[] args) throws Exception {
    Options options = Options.parse(args, DEFAULTS);
    System.out.println(Machine.describe());
    System.out.println("tls " + options);
    Path dir = Files.createTempDirectory("ledger-bench");
    Path plainDir = Files.createDirectory(dir.resolve("plain"));
    Path tlsDir = Files.createDirectory(dir.resolve("tls"));
    certify(tlsDir);
    String certificate = tlsDir.resolve("tls.crt").toString();
    Shape shape =
        Shape.of(1, options.get("pods"), 10_000_000, Duration.ofSeconds(10), Duration.ofSeconds(2));
    Ports plainPorts = Ports.free();
    Ports tlsPorts = Ports.free();
    try (LedgerProcess plain = LedgerProcess.start(plainDir, plainPorts, shape);
        LedgerProcess tls =
            LedgerProcess.start(
                tlsDir,
                tlsPorts,
                shape,
                Map.of(
                    "LEDGER_AUTHZ_TLS_CERTIFICATE",
                    certificate,
                    "LEDGER_AUTHZ_TLS_KEY",
                    tlsDir.resolve("tls.key").toString()));
        Subprocess plainClient = client(plainDir, options);
        Subprocess tlsClient = client(tlsDir, options, certificate)) {
      plain.awaitReady(LIMIT);
      tls.awaitReady(LIMIT);
      List<Double> without = new ArrayList<>();
      List<Double> with = new ArrayList<>();
      List<Double> ratios = new ArrayList<>();
      for (int i = -options.get("warm-ups"); i < options.get("rounds"); i++) {
        // Each goes first as often: what the machine does besides falls on both.
        boolean tlsFirst = i % 2 != 0;
        double first =
            tlsFirst
                ? turn("with", tls, tlsPorts, tlsClient, options)
                : turn("without", plain, plainPorts, plainClient, options);
        double second =
            tlsFirst
                ? turn("without", plain, plainPorts, plainClient, options)
                : turn("with", tls, tlsPorts, tlsClient, options);
        if (i >= 0) {
          without.add(tlsFirst ? second : first);
          with.add(tlsFirst ? first : second);
          ratios.add(tlsFirst ? first / second : second / first);
        }
      }
      System.out.println("without TLS, µs a check " + Spread.of(without).show(1));
      System.out.println("with TLS, µs a check    " + Spread.of(with).show(1));
      System.out.println("ratio of neighbours     " + Spread.of(ratios).show(2));
    }
    // After a failure it stays, with the logs.
    Directories.delete(dir);
  }

  private static Subprocess client(Path dir, Options options, String... authority)
      throws IOException {
    List<String> args =
        new ArrayList<>(
            List.of(
                Integer.toString(options.get("connections")),
                Integer.toString(options.get("in-flight")),
                "1"));
    args.addAll(List.of(authority));
    return Subprocess.java(
        dir.resolve("client.log"),
        "512m",
        CheckClient.class.getName(),
        args.toArray(String[]::new));
  }

  /** Processor time until all that the checks led to is done. */
  private static double turn(
      String name, LedgerProcess ledger, Ports ports, Subprocess client, Options options)
      throws Exception {
    long before = ledger.process().cpuNanos();
    Round round = Round.parse(client.ask(ports.authz() + " " + options.get("seconds")));
    Wait.until("every decision came back", LIMIT, ledger::isIdle);
    Wait.until("every reservation expired", LIMIT, () -> ledger.count("reserved", 1) == 0);
    double micros = (ledger.process().cpuNanos() - before) / 1e3 / round.checks();
    System.out.printf(
        Locale.ROOT,
        "%-8s %,.0f checks/s, %.1f µs of CPU each, p50 %,.0f µs, p99 %,.0f µs, failed %d, load %.1f%n",
        name,
        round.perSecond(),
        micros,
        round.p50(),
        round.p99(),
        round.failed(),
        Machine.load());
    return micros;
  }

  /** A certificate that signs itself, as PEM. */
  private static void certify(Path dir) throws Exception {
    Path store = dir.resolve("store.p12");
    Process keytool =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "keytool").toString(),
                "-genkeypair",
                "-alias",
                "ledger",
                "-keyalg",
                "EC",
                "-dname",
                "CN=ledger",
                "-ext",
                "san=dns:ledger",
                "-keystore",
                store.toString(),
                "-storepass",
                PASSWORD)
            .inheritIO()
            .start();
    if (keytool.waitFor() != 0) {
      throw new IOException("keytool has failed");
    }
    KeyStore keys = KeyStore.getInstance("PKCS12");
    try (InputStream in = Files.newInputStream(store)) {
      keys.load(in, PASSWORD.toCharArray());
    }
    write(dir.resolve("tls.crt"), "CERTIFICATE", keys.getCertificate("ledger").getEncoded());
    write(
        dir.resolve("tls.key"),
        "PRIVATE KEY",
        keys.getKey("ledger", PASSWORD.toCharArray()).getEncoded());
  }

  private static void write(Path file, String what, byte[] der) throws IOException {
    Files.writeString(
        file,
        "-----BEGIN %s-----\n%s\n-----END %s-----\n"
            .formatted(
                what,
                Base64.getMimeEncoder(64, "\n".getBytes(US_ASCII)).encodeToString(der),
                what));
  }
}
