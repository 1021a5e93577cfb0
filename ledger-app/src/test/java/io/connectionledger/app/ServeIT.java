package io.connectionledger.app;

import static org.assertj.core.api.Assertions.assertThat;

import io.connectionledger.testkit.FreePorts;
import io.connectionledger.testkit.JavaCommands;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The program as a process of its own: how it starts, is stopped, killed and refused. */
final class ServeIT {

  private static final Duration LIMIT = Duration.ofSeconds(60);

  @TempDir private Path temp;
  private final List<Process> processes = new ArrayList<>();

  @AfterEach
  void killWhatIsLeft() {
    processes.forEach(Process::destroyForcibly);
  }

  private Process serve(String kafka, String... args) throws IOException {
    Path config =
        Files.writeString(
            temp.resolve("ledger.yaml"),
            "{ data-dir: '%s', als: { port: 0 }, authz: { port: 0 }, http: { port: 0 }, xds: { port: 0 }, kafka: %s }"
                .formatted(temp.resolve("data"), kafka));
    List<String> command =
        JavaCommands.of(
            // Not the tests' own: what the program says is what is tested.
            List.of("-Dlogback.configurationFile=logback.xml"),
            Main.class,
            "serve",
            "--config",
            config.toString());
    command.addAll(List.of(args));
    Files.deleteIfExists(stderr());
    Process process =
        new ProcessBuilder(command)
            .redirectError(stderr().toFile())
            .redirectOutput(temp.resolve("stdout").toFile())
            .start();
    processes.add(process);
    return process;
  }

  private Path stderr() {
    return temp.resolve("stderr");
  }

  private void awaitLine(String text) {
    Awaitility.await()
        .atMost(LIMIT)
        .untilAsserted(() -> assertThat(stderr()).content().contains(text));
  }

  private int exitCode(Process process) throws InterruptedException {
    assertThat(process.waitFor(LIMIT.toSeconds(), TimeUnit.SECONDS)).isTrue();
    return process.exitValue();
  }

  @Test
  void shouldStartAgainAfterAKillAndEndWith0WhenToldToStop() throws Exception {
    Process killed = serve("{ port: 0, partitions: 2 }");
    awaitLine("Instance started");
    assertThat(killed.destroyForcibly().waitFor(LIMIT.toSeconds(), TimeUnit.SECONDS)).isTrue();

    Process stopped = serve("{ port: 0, partitions: 2 }");
    awaitLine("Instance started");
    stopped.destroy();

    assertThat(exitCode(stopped)).isZero();
  }

  @Test
  void shouldWaitVisiblyForACluster() throws Exception {
    Process process = serve("{ bootstrap-servers: '127.0.0.1:" + FreePorts.one() + "' }");
    awaitLine("Kafka is not reachable, retrying");
    process.destroy();

    assertThat(exitCode(process)).isZero();
    assertThat(stderr()).content().doesNotContain("Exception").doesNotContain("\tat ");
  }

  @Test
  void shouldEndWith2AndOneLineWhenThePortIsInUse() throws Exception {
    try (ServerSocket taken = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      Process process = serve("{ port: " + taken.getLocalPort() + " }");

      assertThat(exitCode(process)).isEqualTo(2);
      assertThat(stderr())
          .content()
          .startsWith("ledger: kafka.port is " + taken.getLocalPort())
          .hasLineCount(1);
    }
  }
}
