package io.connectionledger.model;

import java.time.Clock;

/**
 * The one source of time. It reads like a wall clock but never jumps: it is set when the process
 * starts and then follows the monotonic clock, so that a stepped system clock moves no deadline.
 */
@FunctionalInterface
public interface Ticker {

  /** Nanoseconds since the epoch, never decreasing within a process. Safe for any thread. */
  long nowNanos();

  /** {@link #nowNanos} in milliseconds. */
  default long nowMs() {
    return nowNanos() / 1_000_000;
  }

  /** A ticker that starts at the system's wall clock. */
  @SuppressWarnings("checkstyle:time")
  static Ticker system() {
    long offset = Clock.systemUTC().millis() * 1_000_000 - System.nanoTime();
    return () -> System.nanoTime() + offset;
  }
}
