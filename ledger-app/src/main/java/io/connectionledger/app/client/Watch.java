package io.connectionledger.app.client;

import io.connectionledger.app.cli.CommandLines;
import io.connectionledger.app.cli.FailedException;
import io.connectionledger.app.terminal.Screen;
import io.connectionledger.app.terminal.StopSignal;
import io.connectionledger.app.terminal.Terminal;
import java.io.PrintWriter;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/**
 * Shows something again and again: in place on a terminal, else below what was shown before. It
 * ends at a signal, after a number of times, or when nobody reads any more.
 */
public final class Watch {

  private static final Duration SHORTEST = Duration.ofMillis(100);

  @Option(
      names = "--interval",
      paramLabel = "D",
      defaultValue = "1s",
      converter = DurationConverter.class,
      description = "Time between two looks, as 500ms, 10s or 5m (default: ${DEFAULT-VALUE}).")
  private Duration interval = Duration.ofSeconds(1);

  @Option(
      names = "--count",
      paramLabel = "N",
      description = "End after N looks; without it, at Ctrl-C or SIGTERM.")
  private @Nullable Long count;

  /** Makes what is shown. */
  @FunctionalInterface
  public interface Picture {

    /**
     * The lines of now.
     *
     * @param terminal what they are for; empty when they are printed below the last ones
     */
    List<String> of(Optional<Terminal> terminal) throws FailedException;
  }

  /**
   * Shows until the end.
   *
   * @return the exit code
   * @throws FailedException when the first look fails; that a later one does is shown
   */
  public int run(PrintWriter out, PrintWriter err, boolean inPlace, Picture picture)
      throws FailedException, InterruptedException {
    if ((count != null && count < 1) || interval.compareTo(SHORTEST) < 0) {
      throw FailedException.wrongUsage(
          count != null && count < 1
              ? "--count is " + count + ": allowed is 1 or more"
              : "--interval is below 100ms: allowed is 100ms or more");
    }
    long end = count == null ? Long.MAX_VALUE : count;
    StopSignal stop = StopSignal.install();
    int code = 1;
    try {
      Supplier<Optional<Terminal>> terminal =
          inPlace ? Terminal::ofStandardOutput : Optional::empty;
      Screen screen = new Screen(out, terminal);
      screen.paint(picture.of(terminal.get()));
      for (long shown = 1;
          shown != end && !stop.await(interval) && !Screen.isCutOff(out);
          shown++) {
        try {
          screen.paint(picture.of(terminal.get()));
        } catch (FailedException forNow) {
          tell(screen, err, forNow);
        }
      }
      code = 0;
      return code;
    } finally {
      stop.finish(code);
    }
  }

  private static void tell(Screen screen, PrintWriter err, FailedException failed) {
    if (screen.isTerminal()) {
      screen.paint(List.of(failed.getMessage() + "; asking again"));
    } else {
      CommandLines.tell(err, failed.getMessage() + "; asking again");
    }
  }
}
