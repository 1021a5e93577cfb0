package io.connectionledger.app.demo;

import java.util.ArrayList;
import java.util.List;

/**
 * The verdict of a run: every pod's own count beside the ledger's. Pure.
 *
 * @param lines for people
 * @param passed whether every count agreed and no peak passed its limit
 */
record Summary(List<String> lines, boolean passed) {

  Summary {
    lines = List.copyOf(lines);
  }

  /**
   * One pod.
   *
   * @param admittedPeak its peak without what Envoy let in by itself
   * @param held its own count while connections were held
   * @param ledgerHeld the ledger's count at that time
   * @param left its own count after all clients had left
   * @param ledgerLeft the ledger's count then, reservations included
   */
  record PodResult(
      String pod,
      int limit,
      int peak,
      int admittedPeak,
      int held,
      int ledgerHeld,
      int left,
      int ledgerLeft) {

    boolean passed() {
      return peak <= limit && held == ledgerHeld && left == 0 && ledgerLeft == 0;
    }

    private String line() {
      return String.format(
          "  %-12s %5d %5d %8d %8d %8d %8d   %s",
          pod, limit, peak, held, ledgerHeld, left, ledgerLeft, passed() ? "equal" : "DIFFERENT");
    }
  }

  /**
   * Judges a run.
   *
   * @param opened connections that the pods counted in all
   * @param ledgerOpened connections that the ledger counted in all
   * @param failedOpen how many of the opened ones Envoy let in by itself
   */
  static Summary of(List<PodResult> pods, long opened, long ledgerOpened, long failedOpen) {
    List<String> lines = new ArrayList<>();
    lines.add("  pod          limit  peak    held   ledger     left   ledger");
    pods.forEach(pod -> lines.add(pod.line()));
    lines.add(
        String.format(
            "  opened in all: %d by the pods' own count, %d by the ledger's   %s",
            opened, ledgerOpened, opened == ledgerOpened ? "equal" : "DIFFERENT"));
    if (failedOpen > 0) {
      lines.add(
          String.format(
              "  fail-open: Envoy let %d of them in by itself, as no answer reached it within the"
                  + " second that a check may take;%n  without these no pod had more than %d at"
                  + " once. (This machine is busy, or the ledger was away.)",
              failedOpen, pods.stream().mapToInt(PodResult::admittedPeak).max().orElse(0)));
    }
    boolean passed = opened == ledgerOpened && pods.stream().allMatch(PodResult::passed);
    lines.add(
        passed
            ? "  Every count is equal and no pod was ever above its limit."
            : "  FAILED: a count differs, or a pod was above its limit.");
    return new Summary(lines, passed);
  }
}
