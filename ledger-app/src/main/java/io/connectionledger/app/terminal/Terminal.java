package io.connectionledger.app.terminal;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The terminal that standard output is shown on, as large as it is now.
 *
 * @param columns at least 1
 * @param rows at least 1
 */
public record Terminal(int columns, int rows) {

  private static final Terminal USUAL = new Terminal(80, 24);
  private static final Pattern SIZE = Pattern.compile("([1-9]\\d{0,4}) ([1-9]\\d{0,4})");

  /**
   * Asks the system, because Java 21 cannot tell.
   *
   * @return empty when standard output is no terminal, or one that cannot move its cursor
   */
  public static Optional<Terminal> ofStandardOutput() {
    if ("dumb".equals(System.getenv().getOrDefault("TERM", "dumb"))) {
      return Optional.empty();
    }
    try {
      Process process =
          new ProcessBuilder("sh", "-c", "test -t 1 && { stty size <&1 >&2 || true; }")
              .redirectOutput(ProcessBuilder.Redirect.INHERIT)
              .start();
      String size =
          new String(process.getErrorStream().readAllBytes(), StandardCharsets.UTF_8).strip();
      return process.waitFor() == 0 ? Optional.of(parse(size)) : Optional.empty();
    } catch (IOException noSuchCommand) {
      return Optional.empty();
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
      return Optional.empty();
    }
  }

  /** Reads what {@code stty size} says; the usual size when it does not know. */
  static Terminal parse(String size) {
    Matcher written = SIZE.matcher(size);
    return written.matches()
        ? new Terminal(Integer.parseInt(written.group(2)), Integer.parseInt(written.group(1)))
        : USUAL;
  }
}
