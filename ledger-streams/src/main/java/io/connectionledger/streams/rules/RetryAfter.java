package io.connectionledger.streams.rules;

import java.util.random.RandomGenerator;

/**
 * When those who are rejected for one reason should come back: no sooner than one of them could get
 * in, and spread over the time that all of them need. That time is kept as the end of a queue that
 * nobody stands in: each rejection makes it longer by one admission, and time makes it shorter. Not
 * thread-safe.
 */
final class RetryAfter {

  static final long MIN_SPREAD_NANOS = 1_000_000_000;
  static final long MAX_SPREAD_NANOS = 30_000_000_000L;

  private static final double NANOS_PER_SECOND = 1e9;

  private final RandomGenerator random;
  private long queueEndNanos;

  RetryAfter(RandomGenerator random) {
    this.random = random;
  }

  /**
   * One more is rejected.
   *
   * @param nowNanos nanoseconds since the epoch
   * @param waitNanos until one client that is alone gets in
   * @param intervalNanos between two admissions from then on
   * @return at least 1
   */
  int seconds(long nowNanos, long waitNanos, long intervalNanos) {
    long soonestNanos = nowNanos + waitNanos;
    queueEndNanos =
        Math.min(
            Math.max(queueEndNanos, soonestNanos) + Math.min(intervalNanos, MAX_SPREAD_NANOS),
            soonestNanos + MAX_SPREAD_NANOS);
    long spreadNanos =
        Math.clamp(
            Math.max(queueEndNanos - soonestNanos, waitNanos / 2),
            MIN_SPREAD_NANOS,
            MAX_SPREAD_NANOS);
    double nanos = waitNanos + random.nextDouble() * spreadNanos;
    return (int) Math.max(1, Math.ceil(nanos / NANOS_PER_SECOND));
  }
}
