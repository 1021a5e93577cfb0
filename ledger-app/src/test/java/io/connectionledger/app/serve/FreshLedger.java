package io.connectionledger.app.serve;

import io.connectionledger.app.Main;
import io.connectionledger.testkit.JavaCommands;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.awaitility.Awaitility;

/** {@code ledger serve} with all roles as a new process that has just become ready. */
final class FreshLedger implements AutoCloseable {

  private static final Duration LIMIT = Duration.ofSeconds(60);

  private final Path log;
  private final Process process;

  private FreshLedger(Path log, Process process) {
    this.log = log;
    this.process = process;
  }

  /**
   * Starts one and waits until it is ready.
   *
   * @param folder its own, empty
   */
  static FreshLedger start(Path folder, List<String> jvmOptions, String durability, String pools)
      throws IOException {
    Path config =
        Files.writeString(
            folder.resolve("ledger.yaml"),
            """
            data-dir: '%s'
            kafka: { port: 0 }
            als: { port: 0 }
            authz: { port: 0, durability: %s }
            http: { port: 0 }
            xds: { port: 0 }
            pools: %s
            """
                .formatted(folder.resolve("data"), durability, pools));
    List<String> options = new ArrayList<>(jvmOptions);
    // The one of the program, not the one of the tests that the class path has too.
    options.add("-Dlogback.configurationFile=logback.xml");
    List<String> command =
        JavaCommands.of(options, Main.class, "serve", "--config", config.toString());
    Path log = folder.resolve("stderr");
    FreshLedger ledger =
        new FreshLedger(
            log,
            new ProcessBuilder(command)
                .redirectError(log.toFile())
                .redirectOutput(folder.resolve("stdout").toFile())
                .start());
    try {
      ledger.awaitReady();
      return ledger;
    } catch (RuntimeException late) {
      ledger.process.destroyForcibly();
      throw late;
    }
  }

  private void awaitReady() {
    Awaitility.await("started")
        .atMost(LIMIT)
        .until(
            () -> {
              if (!process.isAlive()) {
                throw new IllegalStateException("it ended: " + log());
              }
              return log().contains("Instance started");
            });
    HttpRequest ready =
        HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port("http") + "/health/ready"))
            .build();
    try (HttpClient http = HttpClient.newHttpClient()) {
      Awaitility.await("ready")
          .atMost(LIMIT)
          .until(
              () -> http.send(ready, HttpResponse.BodyHandlers.discarding()).statusCode() == 200);
    }
  }

  /** What it has logged so far. */
  String log() throws IOException {
    return Files.readString(log);
  }

  /** The port of the listener {@code key}. */
  int port(String key) {
    try {
      Matcher port = Pattern.compile(key + "=\\D*(\\d+)").matcher(log());
      if (!port.find()) {
        throw new IllegalStateException("no port of " + key + " in the log");
      }
      return Integer.parseInt(port.group(1));
    } catch (IOException unreadable) {
      throw new IllegalStateException(unreadable);
    }
  }

  @Override
  public void close() throws InterruptedException {
    process.destroy();
    if (!process.waitFor(LIMIT.toSeconds(), TimeUnit.SECONDS)) {
      process.destroyForcibly().waitFor();
    }
  }
}
