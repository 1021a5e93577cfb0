package io.connectionledger.model;

import java.time.Duration;
import java.util.concurrent.atomic.AtomicLong;

/** Lets one log line through per interval, so that a fault does not flood the log. Thread-safe. */
public final class LogRateLimiter {

  private final Ticker ticker;
  private final long intervalNanos;
  private final AtomicLong closedUntilNanos = new AtomicLong();

  public LogRateLimiter(Ticker ticker, Duration interval) {
    this.ticker = ticker;
    this.intervalNanos = interval.toNanos();
  }

  /** Whether the caller may log now; true at most once an interval. */
  public boolean passes() {
    long nowNanos = ticker.nowNanos();
    long closedUntil = closedUntilNanos.get();
    return nowNanos >= closedUntil
        && closedUntilNanos.compareAndSet(closedUntil, nowNanos + intervalNanos);
  }
}
