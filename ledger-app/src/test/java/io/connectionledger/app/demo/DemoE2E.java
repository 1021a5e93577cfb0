package io.connectionledger.app.demo;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedReader;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import picocli.CommandLine;

/** The demo with the real Envoy, around a ledger that is right or wrong as the test wants. */
final class DemoE2E {

  private static final Path BOOTSTRAP = Path.of("..", "envoy", "envoy.yaml");

  @Test
  void shouldFindAllCountsEqual() {
    // When
    Outcome outcome = run(0);

    // Then
    assertThat(outcome.printed())
        .contains("active", "decisions/s", "pod_limit", "Every count is equal")
        .doesNotContain("DIFFERENT", "\033[");
    assertThat(outcome.code()).isZero();
    assertThat(ProcessHandle.current().children()).isEmpty();
  }

  @Test
  void shouldFailWhenALimitWasPassed() {
    // When: one pod is let above its limit
    Outcome outcome = run(1);

    // Then
    assertThat(outcome.printed()).contains("DIFFERENT", "FAILED");
    assertThat(outcome.code()).isEqualTo(1);
  }

  @Test
  void shouldEndInOrderWhenToldTo() throws Exception {
    // Given
    Process demo =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-cp",
                System.getProperty("java.class.path"),
                DemoMain.class.getName())
            .redirectErrorStream(true)
            .start();
    try (BufferedReader out = demo.inputReader(StandardCharsets.UTF_8)) {
      String line = out.readLine();
      while (line != null && !line.contains("decisions/s")) {
        line = out.readLine();
      }
      List<ProcessHandle> children = demo.descendants().toList();

      // When: by the handle, as Process.destroy() would close the output as well
      demo.toHandle().destroy();

      // Then
      assertThat(out.lines().toList()).anyMatch(each -> each.contains("Every count is equal"));
      assertThat(demo.waitFor(60, TimeUnit.SECONDS)).isTrue();
      assertThat(demo.exitValue()).isZero();
      assertThat(children).isNotEmpty().noneMatch(ProcessHandle::isAlive);
    } finally {
      demo.destroyForcibly();
    }
  }

  private record Outcome(int code, String printed) {}

  private static Outcome run(int excess) {
    PrintStream before = System.out;
    ByteArrayOutputStream printed = new ByteArrayOutputStream();
    System.setOut(new PrintStream(printed, true, StandardCharsets.UTF_8));
    try {
      int code =
          new CommandLine(
                  new DemoCommand(
                      (policy, heartbeat) -> new NaiveLedger(policy, excess), BOOTSTRAP))
              .execute("--seconds", "6", "--seed", "1");
      return new Outcome(code, printed.toString(StandardCharsets.UTF_8));
    } finally {
      System.setOut(before);
      before.print(printed.toString(StandardCharsets.UTF_8));
    }
  }
}
