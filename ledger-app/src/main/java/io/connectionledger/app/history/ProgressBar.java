package io.connectionledger.app.history;

import io.connectionledger.model.Ticker;
import java.io.IOException;
import java.io.PrintWriter;
import java.util.Locale;

/**
 * Shows how far something has come: a bar that grows on a terminal, else a line every few seconds.
 * Not thread-safe.
 */
final class ProgressBar {

  private static final int WIDTH = 40;
  private static final long REDRAW_MS = 100;
  private static final long LINE_MS = 5_000;

  private final PrintWriter out;
  private final boolean terminal;
  private final Ticker ticker;
  private long nextMs;
  private boolean drawn;

  /**
   * One that has shown nothing.
   *
   * @param terminal whether {@code out} is one
   */
  ProgressBar(PrintWriter out, boolean terminal, Ticker ticker) {
    this.out = out;
    this.terminal = terminal;
    this.ticker = ticker;
    nextMs = ticker.nowMs() + (terminal ? 0 : LINE_MS);
  }

  /** Whether standard error is one; asks the system, because Java 21 cannot tell. */
  static boolean isTerminal() {
    try {
      return !"dumb".equals(System.getenv().getOrDefault("TERM", "dumb"))
          && new ProcessBuilder("test", "-t", "2").inheritIO().start().waitFor() == 0;
    } catch (IOException noSuchCommand) {
      return false;
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
      return false;
    }
  }

  /** So many of so many records are read. */
  void show(long records, long total) {
    boolean last = records == total;
    if (ticker.nowMs() < nextMs && !(last && drawn)) {
      return;
    }
    nextMs = ticker.nowMs() + (terminal ? REDRAW_MS : LINE_MS);
    drawn = true;
    int percent = total == 0 ? 100 : (int) (records * 100 / total);
    String counts = String.format(Locale.ROOT, "%3d %% of %,d records", percent, total);
    if (terminal) {
      int filled = WIDTH * percent / 100;
      out.print("\r[" + "#".repeat(filled) + " ".repeat(WIDTH - filled) + "] " + counts);
      if (last) {
        // Nothing is left of it once there is an answer.
        out.print("\r\033[K");
        drawn = false;
      }
    } else {
      out.println("reading: " + counts.strip());
    }
    out.flush();
  }
}
