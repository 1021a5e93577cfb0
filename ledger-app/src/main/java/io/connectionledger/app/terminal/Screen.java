package io.connectionledger.app.terminal;

import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;

/**
 * Shows something that goes on: a picture redrawn in place on a terminal, else lines, one below the
 * other. A picture is cut to the terminal, since what wraps or scrolls cannot be redrawn. Not
 * thread-safe.
 */
public final class Screen {

  private final PrintWriter out;
  private final Supplier<Optional<Terminal>> terminal;
  private final boolean isTerminal;
  private int drawn;

  /**
   * One over {@code out}.
   *
   * @param terminal asked before each picture, since its size may change; empty: there is none
   */
  public Screen(PrintWriter out, Supplier<Optional<Terminal>> terminal) {
    this.out = out;
    this.terminal = terminal;
    this.isTerminal = terminal.get().isPresent();
  }

  /**
   * Whether nobody reads any more what is printed, because a pipe has ended; flushes.
   *
   * @param out over standard output, of whose failures it does not always know
   */
  public static boolean isCutOff(PrintWriter out) {
    return out.checkError() || System.out.checkError();
  }

  /** Whether pictures replace each other. */
  public boolean isTerminal() {
    return isTerminal;
  }

  /** Draws {@code lines} in the place of those that were painted before. */
  public void paint(List<String> lines) {
    Optional<Terminal> now = isTerminal ? terminal.get() : Optional.empty();
    if (drawn > 0) {
      out.print("\033[" + drawn + "A\033[J");
    }
    List<String> shown = now.isPresent() ? cut(lines, now.get()) : lines;
    shown.forEach(out::println);
    out.flush();
    drawn = now.isPresent() ? shown.size() : 0;
  }

  /** Prints below what is painted, to stay. */
  public void say(String line) {
    out.println(line);
    out.flush();
    drawn = 0;
  }

  private static List<String> cut(List<String> lines, Terminal to) {
    // The cursor stands below the picture.
    int room = Math.max(1, to.rows() - 1);
    List<String> shown = new ArrayList<>(lines.subList(0, Math.min(room, lines.size())));
    if (lines.size() > room) {
      shown.set(room - 1, "... and " + (lines.size() - room + 1) + " more lines");
    }
    shown.replaceAll(line -> line.length() > to.columns() ? line.substring(0, to.columns()) : line);
    return shown;
  }
}
