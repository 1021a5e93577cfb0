package io.connectionledger.streams.rules;

/**
 * How often connections of a pool end, as an exponentially weighted mean of the time between two
 * ends: how long a client that found every pod full should wait.
 */
final class CloseRate {

  static final int MAX_SECONDS = 30;

  private static final double WEIGHT = 0.1;
  private static final long NONE = -1;

  private double meanMs = NONE;
  private long lastMs = NONE;

  void closed(long nowMs) {
    if (lastMs != NONE) {
      long sinceLastMs = nowMs - lastMs;
      meanMs = meanMs == NONE ? sinceLastMs : meanMs + WEIGHT * (sinceLastMs - meanMs);
    }
    lastMs = nowMs;
  }

  /** Seconds until the next end is to be expected: 1 to {@link #MAX_SECONDS}. */
  int secondsUntilNext() {
    return meanMs == NONE
        ? MAX_SECONDS
        : (int) Math.clamp(Math.ceil(meanMs / 1000), 1, MAX_SECONDS);
  }
}
