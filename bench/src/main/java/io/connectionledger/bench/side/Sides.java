package io.connectionledger.bench.side;

import io.connectionledger.bench.client.DoNothingServer;
import io.connectionledger.bench.process.LedgerProcess;
import io.connectionledger.bench.process.LedgerProcess.Ports;
import io.connectionledger.bench.process.LedgerProcess.Shape;
import io.connectionledger.bench.process.Subprocess;
import io.connectionledger.bench.process.Wait;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/**
 * Starts each side afresh; it answers when it is returned.
 *
 * @param dir for logs and data
 * @param shape of the pools, for the sides that know of any
 */
public record Sides(Path dir, Shape shape) {

  public static final String LEDGER = "ledger";
  public static final String LEDGER_ALONE = "ledger without its Kafka";
  public static final String REDIS = "redis-lua";
  public static final String GRPC_JAVA = "no-op grpc-java";
  public static final String GRPC_GO = "no-op grpc-go";

  private static final Duration LIMIT = Duration.ofMinutes(2);

  /** The sides that can be built here; {@code bench/run} says where their programs are. */
  public static List<String> available() {
    List<String> names = new ArrayList<>(List.of(LEDGER));
    if (has("noop")) {
      if (isInstalled("redis-server")) {
        names.add(REDIS);
      }
      names.add(GRPC_GO);
    }
    names.add(GRPC_JAVA);
    return names;
  }

  private static boolean has(String program) {
    return Files.isExecutable(peer(program));
  }

  private static Path peer(String program) {
    return Path.of(System.getProperty("bench.peers"), program);
  }

  private static boolean isInstalled(String program) {
    return List.of(System.getenv("PATH").split(":", -1)).stream()
        .anyMatch(folder -> Files.isExecutable(Path.of(folder, program)));
  }

  public Side start(String name) throws Exception {
    return switch (name) {
      case LEDGER -> ledger();
      case LEDGER_ALONE -> ledgerAlone();
      case REDIS -> redis();
      case GRPC_GO -> answering(name, go(name, "noop"));
      case GRPC_JAVA ->
          answering(name, Subprocess.java(log("grpc-java"), "1g", DoNothingServer.class.getName()));
      default -> throw new IllegalArgumentException("no side " + name);
    };
  }

  private Side ledger() throws Exception {
    return ledger(Ports.free());
  }

  /** The ledger, on these ports. */
  public Side ledger(Ports ports) throws Exception {
    LedgerProcess ledger =
        LedgerProcess.start(Files.createTempDirectory(dir, "ledger"), ports, shape);
    ledger.awaitReady(LIMIT);
    return new Side(LEDGER, ports.authz(), List.of(ledger.process()), List.of(ledger));
  }

  /** Its Kafka is another process, which is not counted. */
  private Side ledgerAlone() throws Exception {
    Ports ofKafka = Ports.free();
    LedgerProcess kafka =
        LedgerProcess.start(Files.createTempDirectory(dir, "kafka"), ofKafka, "", shape, "kafka");
    Wait.until("Kafka listens", LIMIT, () -> listens(ofKafka.kafka()));
    Ports ports = Ports.free();
    LedgerProcess ledger =
        LedgerProcess.start(
            Files.createTempDirectory(dir, "ledger"),
            ports,
            "127.0.0.1:" + ofKafka.kafka(),
            shape,
            "ingest,admission,control-plane");
    ledger.awaitReady(LIMIT);
    return new Side(LEDGER_ALONE, ports.authz(), List.of(ledger.process()), List.of(ledger, kafka));
  }

  private Side redis() throws Exception {
    int port = Ports.free().kafka();
    Subprocess redis =
        Subprocess.silent(
            log("redis"), List.of("redis-server", "--port", Integer.toString(port), "--save", ""));
    Wait.until("Redis listens", LIMIT, () -> listens(port));
    List<String> options =
        new ArrayList<>(
            List.of(
                "--redis=127.0.0.1:" + port,
                "--per-pod-max=" + shape.perPodMax(),
                "--expiry=" + shape.reservation().toSeconds(),
                "--addresses=" + String.join(",", shape.addresses())));
    for (int pool = 0; pool < shape.pools(); pool++) {
      options.add(LedgerProcess.pool(pool));
    }
    Subprocess server = go(REDIS, "redis", options.toArray(String[]::new));
    return Side.of(REDIS, Integer.parseInt(server.answer()), List.of(redis, server));
  }

  private static boolean listens(int port) {
    try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
      return socket.isConnected();
    } catch (IOException notYet) {
      return false;
    }
  }

  private Subprocess go(String name, String program, String... options) throws IOException {
    List<String> command = new ArrayList<>(List.of(peer(program).toString()));
    command.addAll(List.of(options));
    return Subprocess.start(log(name.replace(' ', '-')), command);
  }

  private static Side answering(String name, Subprocess server) throws IOException {
    return Side.of(name, Integer.parseInt(server.answer()), List.of(server));
  }

  private Path log(String name) {
    return dir.resolve(name + ".log");
  }
}
