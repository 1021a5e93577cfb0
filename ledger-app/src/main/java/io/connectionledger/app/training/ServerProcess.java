package io.connectionledger.app.training;

import io.connectionledger.app.cli.FailedException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * An instance of the ledger in a Java of its own, on free ports and with the pools that {@link
 * Training} asks for. It ends with this process, but for {@code kill -9}.
 */
final class ServerProcess implements AutoCloseable {

  private static final long POLL_MS = 100;

  /** Java writes its cache between SIGTERM and the end. */
  private static final long STOP_MINUTES = 5;

  private static final String POOLS =
      """
      pools:
        open-1: &open
          connections-per-second: 1000000
          per-pod-max-connections: 100000
          pods: [{ name: pod-1, address: "127.0.0.1:1" }, { name: pod-2, address: "127.0.0.1:2" }]
        open-2: *open
        failing: *open
        full:
          connections-per-second: 1000000
          per-pod-max-connections: 1
          pods: [{ name: pod-1, address: "127.0.0.1:1" }]
        limited:
          connections-per-second: 1
          per-pod-max-connections: 100000
          pods: [{ name: pod-1, address: "127.0.0.1:1" }]
        empty: { per-pod-max-connections: 1, pods: [] }
      """;

  private final Process process;
  private final Path log;
  private final Thread hook;
  private String started = "";

  private ServerProcess(Process process, Path log) {
    this.process = process;
    this.log = log;
    this.hook = new Thread(process::destroy);
    Runtime.getRuntime().addShutdownHook(hook);
  }

  /**
   * Starts one and waits until its ports are open.
   *
   * @param options of its Java
   * @param kafka host:port of the Kafka that it uses, empty for one of its own
   * @param folder to be made; for its configuration, data and log
   * @throws FailedException when it ends before
   */
  static ServerProcess start(List<String> options, String kafka, Path folder) throws Exception {
    Path config = Files.createDirectory(folder).resolve("ledger.yaml");
    Files.writeString(
        config,
        """
        data-dir: "%s"
        kafka: { bootstrap-servers: "%s", port: 0 }
        als: { port: 0 }
        authz: { port: 0 }
        http: { port: 0 }
        xds: { port: 0 }
        """
                .formatted(folder.resolve("data"), kafka)
            + POOLS);
    Path log = folder.resolve("log");
    ServerProcess server =
        new ServerProcess(java(options, log, "serve", "--config", config.toString()), log);
    try {
      server.awaitStarted();
      return server;
    } catch (Exception failed) {
      server.close();
      throw failed;
    }
  }

  /** The ledger's command line in a Java with these options; all that it says goes to the log. */
  static Process java(List<String> options, Path log, String... arguments) throws IOException {
    List<String> line = new ArrayList<>();
    line.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    line.addAll(options);
    // As users start it: the cache is for this class path alone.
    line.addAll(List.of("-jar", System.getProperty("java.class.path")));
    line.addAll(List.of(arguments));
    return new ProcessBuilder(line).redirectErrorStream(true).redirectOutput(log.toFile()).start();
  }

  private void awaitStarted() throws IOException, InterruptedException, FailedException {
    while (started.isEmpty()) {
      boolean ended = process.waitFor(POLL_MS, TimeUnit.MILLISECONDS);
      started =
          Files.readString(log)
              .lines()
              .filter(line -> line.contains("Instance started"))
              .findFirst()
              .orElse("");
      if (ended) {
        throw FailedException.failed("a server ended: " + Files.readString(log));
      }
    }
  }

  /** The port of the access-log service, {@code als}, of {@code authz} or of {@code http}. */
  int port(String name) {
    return Integer.parseInt(said(name));
  }

  /** Host:port of the Kafka that it has. */
  String kafka() {
    return said("kafka");
  }

  private String said(String name) {
    Matcher matcher = Pattern.compile(" " + name + "=\"([^\"]*)\"").matcher(started);
    if (!matcher.find()) {
      throw new IllegalStateException("no " + name + " in: " + started);
    }
    return matcher.group(1);
  }

  /** Ends it as an operator does, and waits for what Java writes then. */
  @Override
  public void close() throws InterruptedException, FailedException {
    process.destroy();
    boolean ended = process.waitFor(STOP_MINUTES, TimeUnit.MINUTES);
    Runtime.getRuntime().removeShutdownHook(hook);
    if (!ended) {
      process.destroyForcibly();
      throw FailedException.failed("a server did not end within " + STOP_MINUTES + " minutes");
    }
  }
}
