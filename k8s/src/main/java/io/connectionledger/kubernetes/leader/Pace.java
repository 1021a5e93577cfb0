package io.connectionledger.kubernetes.leader;

import java.time.Duration;
import java.util.Collection;
import java.util.HashMap;
import java.util.Map;

/**
 * Keeps what is done to each of several things apart by an interval, whoever is the leader. Pure;
 * not thread-safe.
 */
public final class Pace {

  private final long intervalNanos;
  private final Map<String, Long> doneNanos = new HashMap<>();
  private long begunNanos;

  public Pace(Duration interval) {
    intervalNanos = interval.toNanos();
  }

  /** Begins anew: another leader may have done anything until now. */
  public void begin(long nowNanos) {
    doneNanos.clear();
    begunNanos = nowNanos;
  }

  /**
   * Whether it may be done now.
   *
   * @param before whether somebody has done it before, at a time that is not known here
   */
  public boolean isDue(String thing, boolean before, long nowNanos) {
    Long done = doneNanos.getOrDefault(thing, before ? (Long) begunNanos : null);
    return done == null || nowNanos - done >= intervalNanos;
  }

  /** It was done, or tried. */
  public void done(String thing, long nowNanos) {
    doneNanos.put(thing, nowNanos);
  }

  /** Forgets all things but these. */
  public void retain(Collection<String> things) {
    doneNanos.keySet().retainAll(things);
  }
}
