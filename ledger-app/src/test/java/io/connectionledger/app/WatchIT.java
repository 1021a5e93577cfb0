package io.connectionledger.app;

import static org.assertj.core.api.Assertions.assertThat;

import io.connectionledger.app.client.StubLedger;
import io.connectionledger.testkit.JavaCommands;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A command that goes on, as a process of its own: how it is stopped, and what it survives. */
final class WatchIT {

  private static final Duration LIMIT = Duration.ofSeconds(30);

  @TempDir private Path temp;
  private final List<Process> processes = new ArrayList<>();

  @AfterEach
  void killWhatIsLeft() {
    processes.forEach(Process::destroyForcibly);
  }

  /** A command that watches the pool chat, ten times a second. */
  private ProcessBuilder watching(StubLedger ledger) {
    return new ProcessBuilder(
        JavaCommands.of(
            List.of("-XX:TieredStopAtLevel=1"),
            Main.class,
            "connections",
            "--watch",
            "--interval",
            "100ms",
            "--pool",
            "chat",
            "--url",
            ledger.url()));
  }

  private Process started(ProcessBuilder builder) throws IOException {
    Process process = builder.start();
    processes.add(process);
    return process;
  }

  private static void answer(StubLedger ledger, int active) {
    ledger.on(
        "GET /v1/pools/chat/connections",
        200,
        "{\"pool\":\"chat\",\"asOf\":\"now\",\"active\":%d,\"pods\":[]}".formatted(active));
  }

  private void awaitText(String file, String text) {
    Awaitility.await(text)
        .atMost(LIMIT)
        .untilAsserted(() -> assertThat(temp.resolve(file)).content().contains(text));
  }

  @Test
  void shouldGoOnWhenAnAnswerFailsAndEndWith0WhenToldToStop() throws Exception {
    try (StubLedger ledger = StubLedger.start()) {
      answer(ledger, 1);
      Process watching =
          started(
              watching(ledger)
                  .redirectOutput(temp.resolve("out").toFile())
                  .redirectError(temp.resolve("err").toFile()));
      awaitText("out", "now chat: 1 active");

      ledger.on("GET /v1/pools/chat/connections", 503, "{\"detail\":\"not yet\"}");
      awaitText("err", "ledger: the server says 503: not yet; asking again");
      answer(ledger, 2);
      awaitText("out", "now chat: 2 active");
      watching.destroy();

      assertThat(watching.waitFor(LIMIT.toSeconds(), TimeUnit.SECONDS)).isTrue();
      assertThat(watching.exitValue()).isZero();
    }
  }

  @Test
  void shouldEndWhenNobodyReadsAnyMore() throws Exception {
    try (StubLedger ledger = StubLedger.start()) {
      answer(ledger, 1);
      Process watching = started(watching(ledger));
      try (var reader = watching.inputReader()) {
        assertThat(reader.readLine()).startsWith("now chat: 1 active");
      }

      assertThat(watching.waitFor(LIMIT.toSeconds(), TimeUnit.SECONDS)).isTrue();
      assertThat(watching.exitValue()).isZero();
    }
  }
}
