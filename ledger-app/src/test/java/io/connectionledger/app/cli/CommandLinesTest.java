package io.connectionledger.app.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.connectionledger.app.config.StartupException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.concurrent.Callable;
import org.junit.jupiter.api.Test;
import picocli.CommandLine;
import picocli.CommandLine.Command;

final class CommandLinesTest {

  private final StringWriter err = new StringWriter();

  /** A command that does what it is given. */
  @Command(name = "do")
  private record Do(Callable<Integer> work) implements Callable<Integer> {
    @Override
    public Integer call() throws Exception {
      return work.call();
    }
  }

  private int execute(Callable<Integer> work) {
    CommandLine line = CommandLines.of(new CommandLine(new Do(work)));
    line.setErr(new PrintWriter(err, true));
    return line.execute();
  }

  @Test
  void shouldEndWithTheCommandsOwnCode() {
    assertThat(execute(() -> 0)).isZero();
    assertThat(execute(() -> 1)).isEqualTo(1);
    assertThat(err.toString()).isEmpty();
  }

  @Test
  void shouldEndWith2ForWhatAnOperatorCanChange() {
    assertThat(
            execute(
                () -> {
                  throw new StartupException("two\n  lines");
                }))
        .isEqualTo(2);
    assertThat(err.toString()).isEqualTo("ledger: two lines" + System.lineSeparator());
  }

  @Test
  void shouldEndWith1AndTheCauseForAFailureThatNobodyForesaw() {
    assertThat(
            execute(
                () -> {
                  throw new IllegalStateException("bug");
                }))
        .isEqualTo(1);
    assertThat(err.toString())
        .isEqualTo("ledger: java.lang.IllegalStateException: bug" + System.lineSeparator());
  }
}
