package io.connectionledger.app.cli;

import java.io.PrintWriter;
import java.io.Writer;
import picocli.CommandLine;

/** Runs commands in the process of a test. */
public final class CommandRuns {

  private CommandRuns() {}

  /**
   * Runs one whose output goes to the test.
   *
   * @return its exit code
   */
  public static int execute(CommandLine line, Writer out, Writer err, String... arguments) {
    line.setOut(new PrintWriter(out, true));
    line.setErr(new PrintWriter(err, true));
    return line.execute(arguments);
  }
}
