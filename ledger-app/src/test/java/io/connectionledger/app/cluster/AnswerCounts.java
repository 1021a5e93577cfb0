package io.connectionledger.app.cluster;

import io.connectionledger.app.faults.Crowd;
import io.connectionledger.app.websocket.WebSocketClients.Attempt;
import io.connectionledger.app.websocket.WebSocketClients.Broken;
import io.connectionledger.app.websocket.WebSocketClients.Opened;
import io.connectionledger.app.websocket.WebSocketClients.Refused;
import io.connectionledger.model.Ticker;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;

/** What the clients of a crowd were answered, and how soon. Thread-safe. */
final class AnswerCounts implements Crowd.Witness {

  /** The answers of a ledger that is all right. */
  private static final Set<String> DECIDED =
      Set.of("opened", "pod_limit", "rate_limited", "circuit_open");

  private final Ticker ticker = Ticker.system();
  private final List<CountedAnswer> answers = new ArrayList<>();

  /**
   * One.
   *
   * @param atMs when it came
   * @param kind {@code opened}, the ledger's reason, a status without one, or {@code broken}
   */
  record CountedAnswer(long atMs, String kind, double millis) {

    boolean failed() {
      return !DECIDED.contains(kind);
    }
  }

  @Override
  public void attempted(Attempt attempt, long nanos) {
    String kind =
        switch (attempt) {
          case Opened opened -> "opened";
          case Refused refused ->
              refused.reason().isEmpty() ? "status " + refused.status() : refused.reason();
          case Broken broken -> "broken";
        };
    CountedAnswer answer =
        new CountedAnswer(ticker.nowMs(), kind, (double) nanos / TimeUnit.MILLISECONDS.toNanos(1));
    synchronized (answers) {
      answers.add(answer);
    }
  }

  /** Those that came in this time; the end does not belong to it. */
  Some between(long fromMs, long toMs) {
    synchronized (answers) {
      return new Some(
          answers.stream()
              .filter(answer -> answer.atMs() >= fromMs && answer.atMs() < toMs)
              .toList());
    }
  }

  /** Some of them. */
  record Some(List<CountedAnswer> answers) {

    int count(String kind) {
      return (int) answers.stream().filter(answer -> answer.kind().equals(kind)).count();
    }

    /** Answers of others than a ledger that is all right. */
    int failed() {
      return (int) answers.stream().filter(CountedAnswer::failed).count();
    }

    /** How many of which kind. */
    String kinds() {
      Map<String, Long> kinds =
          answers.stream()
              .collect(
                  Collectors.groupingBy(CountedAnswer::kind, TreeMap::new, Collectors.counting()));
      return kinds.entrySet().stream()
          .map(kind -> "%,d %s".formatted(kind.getValue(), kind.getKey()))
          .collect(Collectors.joining(", "));
    }

    /** How long they took. */
    String times() {
      double[] sorted = answers.stream().mapToDouble(CountedAnswer::millis).sorted().toArray();
      if (sorted.length == 0) {
        return "no answer";
      }
      return String.format(
          Locale.ROOT,
          "p50 %.1f, p99 %.0f, p99.9 %.0f, max %.0f ms",
          sorted[sorted.length / 2],
          sorted[(int) (sorted.length * 0.99)],
          sorted[(int) (sorted.length * 0.999)],
          sorted[sorted.length - 1]);
    }
  }
}
