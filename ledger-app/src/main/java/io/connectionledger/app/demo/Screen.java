package io.connectionledger.app.demo;

import io.connectionledger.model.Pod;
import java.io.IOException;
import java.io.PrintStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.ToIntFunction;
import java.util.stream.Collectors;

/** Shows a run as it goes: a table redrawn in place on a terminal, else one line a moment. */
final class Screen {

  private final PrintStream out;
  private final boolean terminal;
  private int drawn;

  Screen(PrintStream out, boolean terminal) {
    this.out = out;
    this.terminal = terminal;
  }

  /**
   * One moment of a run.
   *
   * @param ownCount of a pod, by itself
   */
  record Moment(
      long second,
      double decisionsPerSecond,
      LedgerState ledger,
      List<Pod> pods,
      ToIntFunction<Pod> ownCount) {}

  /** Whether standard output is one; asks the system, because Java 21 cannot tell. */
  static boolean isTerminal() throws InterruptedException {
    try {
      return !"dumb".equals(System.getenv().getOrDefault("TERM", "dumb"))
          && new ProcessBuilder("test", "-t", "1").inheritIO().start().waitFor() == 0;
    } catch (IOException noSuchCommand) {
      return false;
    }
  }

  /** Whether it is time to draw: a table often, lines seldom. */
  boolean isDue(long tick) {
    return terminal || tick % 4 == 0;
  }

  void draw(Moment moment) {
    List<String> lines = terminal ? table(moment) : List.of(line(moment));
    if (drawn > 0 && terminal) {
      out.print("\033[" + drawn + "A\033[J");
    }
    lines.forEach(out::println);
    out.flush();
    drawn = lines.size();
  }

  /** Prints below what is drawn. */
  void say(String line) {
    out.println(line);
    out.flush();
    drawn = 0;
  }

  static List<String> table(Moment moment) {
    LedgerState ledger = moment.ledger();
    List<String> lines = new ArrayList<>();
    lines.add(
        String.format(
            "pool chat   %d s   %.1f decisions a second",
            moment.second(), moment.decisionsPerSecond()));
    lines.add("  pod          active  reserved  limit   own count");
    for (Pod pod : moment.pods()) {
      LedgerState.Pod seen = ledger.pod(pod.address().toString());
      lines.add(
          String.format(
              "  %-12s %6d %9d %6d %11d   %s",
              pod.name(),
              seen.active(),
              seen.reserved(),
              seen.limit(),
              moment.ownCount().applyAsInt(pod),
              "#".repeat(seen.active()) + "+".repeat(seen.reserved())));
    }
    lines.add(
        String.format(
            "  %-12s %6d %9d %6d", "all", ledger.active(), ledger.reserved(), ledger.limit()));
    lines.add("  rejected: " + rejections(ledger.rejected()));
    return lines;
  }

  static String line(Moment moment) {
    LedgerState ledger = moment.ledger();
    String pods =
        moment.pods().stream()
            .map(
                pod ->
                    ledger.pod(pod.address().toString()).active()
                        + "/"
                        + moment.ownCount().applyAsInt(pod))
            .collect(Collectors.joining(" "));
    return String.format(
        "%3d s  active %d of %d  reserved %d  ledger/own %s  %.1f decisions/s  rejected %s",
        moment.second(),
        ledger.active(),
        ledger.limit(),
        ledger.reserved(),
        pods,
        moment.decisionsPerSecond(),
        rejections(ledger.rejected()));
  }

  private static String rejections(Map<String, Long> rejected) {
    return rejected.isEmpty()
        ? "none"
        : rejected.entrySet().stream()
            .map(entry -> entry.getKey() + " " + entry.getValue())
            .collect(Collectors.joining(", "));
  }
}
