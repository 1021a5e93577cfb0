package io.connectionledger.streams.rules.connections;

/**
 * How often connections of a pool end, as an exponentially weighted mean of the time between two
 * ends: how long a client that found every pod full should wait.
 */
public final class CloseRate {

  public static final long MAX_MS = 30_000;

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

  /** How long until the next end is to be expected: 0 to {@link #MAX_MS}. */
  public long untilNextMs() {
    return meanMs == NONE ? MAX_MS : Math.min(MAX_MS, (long) Math.ceil(meanMs));
  }
}
