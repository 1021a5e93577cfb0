package io.connectionledger.app.envoy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import io.connectionledger.model.Ticker;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * One running Envoy, booted from {@code envoy/envoy.yaml}. Thread-safe.
 *
 * <p>It runs in a session of its own where the system has {@code setsid}, so that a Ctrl-C in the
 * terminal reaches only this process, which then ends its Envoys in order. However this process
 * ends, {@code kill -9} included, no Envoy outlives it: see {@link Watchdog}.
 */
public final class EnvoyProcess implements AutoCloseable {

  private static final ObjectMapper JSON = new ObjectMapper();

  /** Longer than the {@code initial_fetch_timeout} of the pods. */
  private static final Duration START_TIMEOUT = Duration.ofSeconds(40);

  private static final Duration STOP_TIMEOUT = Duration.ofSeconds(10);
  private static final long POLL_MS = 50;
  private static final int LOG_LINES_SHOWN = 5;

  private final Process process;
  private final Watchdog watchdog;
  private final Path log;
  private final Path adminAddress;
  private final HttpClient http;
  private int adminPort;
  private int listenerPort;

  private EnvoyProcess(Process process, Watchdog watchdog, Path folder, HttpClient http) {
    this.process = process;
    this.watchdog = watchdog;
    this.log = folder.resolve("envoy.log");
    this.adminAddress = folder.resolve("admin-address");
    this.http = http;
  }

  /**
   * Starts an Envoy and waits until it has its pods and listens.
   *
   * @param program an Envoy, see {@link EnvoyBinary}
   * @param bootstrap {@code envoy/envoy.yaml}
   * @param folder for the rendered bootstrap and the log; its own, existing, left to the caller
   * @throws IOException when it cannot be started or ends at once; the message has the end of its
   *     log
   */
  public static EnvoyProcess start(Path program, Path bootstrap, EnvoyOptions options, Path folder)
      throws IOException, InterruptedException {
    return start(
        program,
        EnvoyBootstrap.render(new YAMLMapper().readTree(bootstrap.toFile()), options),
        options.workers(),
        folder);
  }

  /**
   * Starts an Envoy with a bootstrap of somebody else's and waits until it listens.
   *
   * @param program an Envoy, see {@link EnvoyBinary}
   * @param bootstrap as it is; its first listener is where clients connect
   * @param workers Envoy's threads
   * @param folder for the bootstrap and the log; its own, existing, left to the caller
   * @throws IOException when it cannot be started or ends at once; the message has the end of its
   *     log
   */
  public static EnvoyProcess start(Path program, JsonNode bootstrap, int workers, Path folder)
      throws IOException, InterruptedException {
    Path config = folder.resolve("envoy.json");
    Files.writeString(config, bootstrap.toPrettyString(), StandardCharsets.UTF_8);
    Files.deleteIfExists(folder.resolve("admin-address"));

    List<String> line = new ArrayList<>(Watchdog.ownSession());
    line.addAll(
        List.of(
            program.toString(),
            "--config-path",
            config.toString(),
            "--concurrency",
            Integer.toString(workers),
            "--admin-address-path",
            folder.resolve("admin-address").toString(),
            "--log-path",
            folder.resolve("envoy.log").toString(),
            "--log-level",
            "warning",
            // Hot restart needs shared memory that is the same for all Envoys of a machine.
            "--disable-hot-restart"));
    Process process =
        new ProcessBuilder(line)
            .redirectErrorStream(true)
            .redirectOutput(folder.resolve("envoy.out").toFile())
            .start();
    HttpClient http = HttpClient.newBuilder().connectTimeout(Duration.ofSeconds(1)).build();
    EnvoyProcess envoy = new EnvoyProcess(process, Watchdog.over(process), folder, http);
    try {
      envoy.awaitReady(Ticker.system());
      return envoy;
    } catch (IOException | InterruptedException | RuntimeException e) {
      envoy.close();
      throw e;
    }
  }

  private void awaitReady(Ticker ticker) throws IOException, InterruptedException {
    long deadlineMs = ticker.nowMs() + START_TIMEOUT.toMillis();
    while (!ready()) {
      if (process.waitFor(POLL_MS, TimeUnit.MILLISECONDS)) {
        throw new IOException("Envoy ended with " + process.exitValue() + ": " + endOfLog());
      }
      if (ticker.nowMs() > deadlineMs) {
        throw new IOException(
            "Envoy is not ready after " + START_TIMEOUT.toSeconds() + " s: " + endOfLog());
      }
    }
    JsonNode listeners = JSON.readTree(admin("/listeners?format=json").body());
    listenerPort =
        listeners.at("/listener_statuses/0/local_address/socket_address/port_value").asInt();
    if (listenerPort == 0) {
      throw new IOException("Envoy does not listen: " + endOfLog());
    }
  }

  private boolean ready() throws IOException, InterruptedException {
    String address = Files.exists(adminAddress) ? Files.readString(adminAddress) : "";
    if (address.indexOf(':') < 0) {
      return false;
    }
    adminPort = Integer.parseInt(address.substring(address.lastIndexOf(':') + 1).strip());
    return admin("/ready").statusCode() == 200;
  }

  /** What the admin interface answers to a GET. */
  public HttpResponse<String> admin(String pathAndQuery) throws IOException, InterruptedException {
    return http.send(
        HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + adminPort + pathAndQuery))
            .timeout(Duration.ofSeconds(5))
            .build(),
        HttpResponse.BodyHandlers.ofString());
  }

  /** Where clients connect. */
  public int listenerPort() {
    return listenerPort;
  }

  public int adminPort() {
    return adminPort;
  }

  public long pid() {
    return process.pid();
  }

  public boolean isAlive() {
    return process.isAlive();
  }

  /** Ends it as Kubernetes would, with SIGTERM, and waits until it is gone; it does not drain. */
  public void terminate() {
    process.destroy();
    process.onExit().join();
    watchdog.close();
  }

  /** Ends it with SIGKILL and waits until it is gone. */
  public void kill() {
    process.destroyForcibly();
    process.onExit().join();
    watchdog.close();
  }

  /** Ends it for certain; idempotent. */
  @Override
  public void close() {
    process.destroy();
    process
        .onExit()
        .completeOnTimeout(process, STOP_TIMEOUT.toMillis(), TimeUnit.MILLISECONDS)
        .join();
    kill();
    http.close();
  }

  private String endOfLog() throws IOException {
    if (!Files.exists(log)) {
      return "no log";
    }
    List<String> lines = Files.readAllLines(log, StandardCharsets.UTF_8);
    return String.join(
        " | ", lines.subList(Math.max(0, lines.size() - LOG_LINES_SHOWN), lines.size()));
  }
}
