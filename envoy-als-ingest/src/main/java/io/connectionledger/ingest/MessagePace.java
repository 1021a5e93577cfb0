package io.connectionledger.ingest;

import io.connectionledger.model.Ticker;

/**
 * How fast one access-log stream may send. Who sends faster is not refused but waits: Envoy's own
 * buffer then holds its log up, and drops what does not fit. Not thread-safe.
 */
final class MessagePace {

  /** In the long run; at 16 KiB each, Envoy's default, more than a worker ever writes. */
  static final int MESSAGES_PER_SECOND = 2_000;

  /** At once, as when a stream comes back. */
  static final int BURST = 4_000;

  private static final long INTERVAL_NANOS = 1_000_000_000 / MESSAGES_PER_SECOND;

  private final Ticker ticker;
  private long arrivalNanos;

  MessagePace(Ticker ticker) {
    this.ticker = ticker;
  }

  /** A message has come: how long it must wait until it may be read; 0 for not at all. */
  long nanosUntilNext() {
    long nowNanos = ticker.nowNanos();
    arrivalNanos = Math.max(arrivalNanos, nowNanos) + INTERVAL_NANOS;
    return Math.max(0, arrivalNanos - nowNanos - BURST * INTERVAL_NANOS);
  }
}
