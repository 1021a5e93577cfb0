package io.connectionledger.app.demo;

import io.connectionledger.model.policy.Pod;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.ToIntFunction;
import java.util.stream.Collectors;

/**
 * One moment of a run, for people.
 *
 * @param ownCount of a pod, by itself
 */
record LiveFigures(
    long second,
    double decisionsPerSecond,
    LedgerState ledger,
    List<Pod> pods,
    ToIntFunction<Pod> ownCount) {

  List<String> table() {
    List<String> lines = new ArrayList<>();
    lines.add(
        String.format("pool chat   %d s   %.1f decisions a second", second, decisionsPerSecond));
    lines.add("  pod          active  reserved  limit   own count");
    for (Pod pod : pods) {
      LedgerState.Pod seen = ledger.pod(pod.address().toString());
      lines.add(
          String.format(
              "  %-12s %6d %9d %6d %11d   %s",
              pod.name(),
              seen.active(),
              seen.reserved(),
              seen.limit(),
              ownCount.applyAsInt(pod),
              "#".repeat(seen.active()) + "+".repeat(seen.reserved())));
    }
    lines.add(
        String.format(
            "  %-12s %6d %9d %6d", "all", ledger.active(), ledger.reserved(), ledger.limit()));
    lines.add("  rejected: " + rejections(ledger.rejected()));
    return lines;
  }

  String line() {
    String counts =
        pods.stream()
            .map(
                pod ->
                    ledger.pod(pod.address().toString()).active() + "/" + ownCount.applyAsInt(pod))
            .collect(Collectors.joining(" "));
    return String.format(
        "%3d s  active %d of %d  reserved %d  ledger/own %s  %.1f decisions/s  rejected %s",
        second,
        ledger.active(),
        ledger.limit(),
        ledger.reserved(),
        counts,
        decisionsPerSecond,
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
