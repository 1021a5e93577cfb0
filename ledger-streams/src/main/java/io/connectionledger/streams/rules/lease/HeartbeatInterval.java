package io.connectionledger.streams.rules.lease;

/**
 * At which interval one Envoy really repeats its open connections, learned from the gaps between
 * its heartbeats: its {@code access_log_flush_interval} is not the ledger's to set. Single
 * heartbeats that were lost or came twice hardly move it.
 */
public final class HeartbeatInterval {

  /** No interval is taken for longer, whatever is observed. */
  public static final long MAX_MS = 3_600_000;

  /** What counts as another interval than the configured one, beside what transit makes of it. */
  private static final double SLOW = 1.5;

  private static final int SHARE_OF_LONGER_GAP = 16;
  private static final int SHARE_OF_SHORTER_GAP = 4;

  private final long configuredMs;
  private long observedMs;

  /** Whether there was more than one gap: the first may be one with a heartbeat lost in it. */
  private boolean repeated;

  /** One that has observed nothing. */
  public HeartbeatInterval(LeaseTerms terms) {
    configuredMs = terms.heartbeat().toMillis();
  }

  /** Whether a connection of this Envoy was ever heard a second time. */
  public boolean isKnown() {
    return observedMs > 0;
  }

  /** The observed interval; 0 while it is not known. */
  public long observedMs() {
    return observedMs;
  }

  /** The longer of the configured interval and the observed one. */
  public long ms() {
    return Math.max(configuredMs, observedMs);
  }

  /** Whether the Envoy reports more seldom than it is configured here, again and again. */
  public boolean isSlow() {
    return repeated && observedMs > configuredMs * SLOW + LeaseTerms.TRANSIT_MS;
  }

  /** The interval within which a heartbeat is not overdue. */
  public long dueMs() {
    return isSlow() ? observedMs : configuredMs;
  }

  /**
   * Takes the time between two signs of life of one connection. More frequent heartbeats than
   * configured do no harm, and news that comes twice looks like them: neither makes it shorter than
   * half of what is configured.
   */
  public void observe(long gapMs) {
    long gap = Math.clamp(gapMs, configuredMs / 2, MAX_MS);
    if (!isKnown()) {
      observedMs = gap;
    } else if (gapMs >= configuredMs / 2) {
      repeated = true;
      long by = gap - observedMs;
      observedMs += by / (by > 0 ? SHARE_OF_LONGER_GAP : SHARE_OF_SHORTER_GAP);
    }
  }

  /** A connection that was given up lives: so much time passed between two signs of it. */
  public void refuted(long gapMs) {
    observedMs = Math.max(observedMs, Math.min(gapMs, MAX_MS));
  }

  /** Continues where a store kept it. */
  public void restore(long storedMs) {
    observedMs = Math.clamp(storedMs, 1, MAX_MS);
    repeated = true;
  }
}
