package io.connectionledger.app.cli;

import io.connectionledger.app.config.StartupException;
import java.io.PrintWriter;
import org.jspecify.annotations.Nullable;
import org.slf4j.LoggerFactory;
import picocli.CommandLine;

/**
 * How every command ends: 0 done, 1 failed, 2 wrong usage or configuration. What went wrong is one
 * line on stderr; the stack trace of a failure that nobody foresaw goes to the log.
 */
public final class CommandLines {

  private static final int FAILED = 1;
  private static final int WRONG_USAGE = 2;

  private CommandLines() {}

  /** {@code command} with the exit codes and the one line. */
  public static CommandLine of(CommandLine command) {
    return command
        .setParameterExceptionHandler(
            (wrong, args) -> {
              String help = wrong.getCommandLine().getCommandSpec().qualifiedName() + " --help";
              tell(command.getErr(), wrong.getMessage() + "; see " + help);
              return WRONG_USAGE;
            })
        .setExecutionExceptionHandler(
            (failed, failing, result) -> {
              if (failed instanceof StartupException) {
                tell(command.getErr(), failed.getMessage());
                return WRONG_USAGE;
              }
              if (failed instanceof FailedException known) {
                tell(command.getErr(), known.getMessage());
                return known.exitCode();
              }
              // Made only now, because logging takes longer to start than most commands to run.
              LoggerFactory.getLogger(CommandLines.class)
                  .atError()
                  .setCause(failed)
                  .log("The command failed");
              tell(command.getErr(), failed.toString());
              return FAILED;
            });
  }

  /** Prints {@code message} as the one line. */
  public static void tell(PrintWriter err, @Nullable String message) {
    err.println(
        "ledger: " + String.valueOf(message).strip().replaceAll("\\s*[\\p{Cntrl}]+\\s*", " "));
    err.flush();
  }
}
