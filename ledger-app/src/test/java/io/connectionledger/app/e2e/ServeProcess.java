package io.connectionledger.app.e2e;

import io.connectionledger.app.demo.LedgerPorts;
import io.connectionledger.app.websocket.WebSocketPod;
import io.connectionledger.testkit.FreePorts;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * A {@code serve} in a process of its own, which can be killed and started again on the same ports
 * and data.
 */
public final class ServeProcess implements AutoCloseable {

  private static final int LOG_END = 40;

  private static final Duration TIMEOUT = Duration.ofSeconds(3);

  private final Path folder;
  private final Path config;
  private final LedgerPorts ports;
  private final List<String> arguments;
  private final LedgerHttp http;
  private Process process;

  private ServeProcess(Path folder, Path config, LedgerPorts ports, List<String> arguments)
      throws IOException {
    this.folder = folder;
    this.config = config;
    this.ports = ports;
    this.arguments = arguments;
    this.http = new LedgerHttp(ports.http(), TIMEOUT);
    this.process = launch();
  }

  /**
   * Starts one.
   *
   * @param pools the YAML of the pools, in flow style
   */
  static ServeProcess start(Path folder, String pools, String... arguments) throws IOException {
    List<Integer> free = FreePorts.some(5);
    LedgerPorts ports = new LedgerPorts(free.get(0), free.get(1), free.get(2), free.get(3));
    Path config =
        Files.writeString(
            folder.resolve("ledger.yaml"),
            """
            data-dir: '%s'
            kafka: { port: %d }
            als: { port: %d }
            authz: { port: %d }
            xds: { port: %d }
            http: { port: %d }
            lease: { heartbeat: 2s }
            pools: { %s }
            """
                .formatted(
                    folder.resolve("data"),
                    free.get(4),
                    ports.als(),
                    ports.authz(),
                    ports.xds(),
                    ports.http(),
                    pools));
    return start(folder, config, ports, arguments);
  }

  /**
   * Starts one with a configuration of the caller's.
   *
   * @param folder for its log; left to the caller
   * @param ports what {@code config} says
   */
  public static ServeProcess start(Path folder, Path config, LedgerPorts ports, String... arguments)
      throws IOException {
    return new ServeProcess(folder, config, ports, List.of(arguments));
  }

  /** A pool of these pods in flow style. */
  public static String pool(String name, int limit, List<WebSocketPod> pods) {
    return "%s: { per-pod-max-connections: %d, pods: [%s] }"
        .formatted(name, limit, Fleet.yaml(pods));
  }

  private Process launch() throws IOException {
    List<String> command =
        new ArrayList<>(
            List.of(
                Fleet.ROOT.resolve("ledger").toString(), "serve", "--config", config.toString()));
    command.addAll(arguments);
    Path output = folder.resolve("serve.log");
    ProcessBuilder serve =
        new ProcessBuilder(command)
            .redirectErrorStream(true)
            .redirectOutput(ProcessBuilder.Redirect.appendTo(output.toFile()));
    serve
        .environment()
        .putAll(
            Map.of("JAVA_HOME", System.getProperty("java.home"), "LEDGER_JAVA_OPTS", "-Xmx512m"));
    return serve.start();
  }

  public long pid() {
    return process.pid();
  }

  public boolean isAlive() {
    return process.isAlive();
  }

  public LedgerPorts ports() {
    return ports;
  }

  LedgerHttp http() {
    return http;
  }

  /** The last lines that it wrote, with whether it still runs. */
  String logEnd() {
    try {
      List<String> lines = Files.readAllLines(folder.resolve("serve.log"));
      return String.join("\n", lines.subList(Math.max(0, lines.size() - LOG_END), lines.size()))
          + (process.isAlive() ? "" : "\nand it has ended with " + process.exitValue());
    } catch (IOException unreadable) {
      return unreadable.toString();
    }
  }

  Path data() {
    return folder.resolve("data");
  }

  /** SIGKILL, and waits until it is gone. */
  public void kill() throws InterruptedException {
    process.destroyForcibly();
    process.waitFor();
  }

  /** SIGTERM, and waits until it is gone. */
  public int terminate() throws InterruptedException {
    process.destroy();
    return process.waitFor();
  }

  /** Starts it again on the same ports and data. */
  public void restart() throws IOException {
    process = launch();
  }

  @Override
  public void close() throws InterruptedException {
    kill();
    http.close();
  }
}
