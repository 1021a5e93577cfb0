package io.connectionledger.model.policy;

/**
 * How fast a pod is to lose its connections: evenly, from the moment it began to drain. The ledger
 * closes nothing, because Envoy has no way to; whoever can, the pod first of all, closes as many as
 * it holds beyond {@link #allowed}.
 *
 * @param sinceMs when it began, milliseconds since the epoch
 * @param untilMs when none is to be left, milliseconds since the epoch
 * @param from how many connections it held when it began
 */
public record DrainPace(long sinceMs, long untilMs, int from) {

  public DrainPace {
    if (untilMs <= sinceMs || from < 0) {
      throw new IllegalArgumentException("a drain ends after it begins, and begins with 0 or more");
    }
  }

  /** How many connections the pod may hold at this moment. */
  public int allowed(long nowMs) {
    long spanMs = untilMs - sinceMs;
    long leftMs = Math.clamp(untilMs - nowMs, 0, spanMs);
    return (int) Math.ceilDiv(from * leftMs, spanMs);
  }
}
