package io.connectionledger.testkit;

import io.connectionledger.model.PodAddress;
import io.connectionledger.model.event.ConnectionEvent;
import io.connectionledger.model.event.Decision;
import io.connectionledger.model.event.LedgerRecord;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The oracle: the ledger's rules as plainly as they can be said, scanning everything every time. A
 * connection is in one state, the state has an end, and nothing else exists.
 */
public final class NaivePool {

  private enum State {
    RESERVED,
    OPEN,
    /** Given back; its decision may still come back from the log. */
    RELEASED,
    ENDED
  }

  private record Entry(State state, @Nullable PodAddress pod, long sinceMs) {}

  private final Map<String, Entry> entries = new HashMap<>();
  private final Map<State, Long> lives = new EnumMap<>(State.class);
  private long nowMs;

  public NaivePool(
      long reservationMs, long releasedMs, long leaseMs, long tombstoneMs, long nowMs) {
    lives.put(State.RESERVED, reservationMs);
    lives.put(State.RELEASED, releasedMs);
    lives.put(State.OPEN, leaseMs);
    lives.put(State.ENDED, tombstoneMs);
    this.nowMs = nowMs;
  }

  public void apply(LedgerRecord record) {
    switch (record) {
      case Decision.Allowed d -> {
        if (!entries.containsKey(d.id())) {
          put(d.id(), State.RESERVED, d.pod());
        }
      }
      case ConnectionEvent.Opened e -> alive(e.connection(), e.pod());
      case ConnectionEvent.Alive e ->
          e.pods().forEach((pod, ids) -> ids.forEach(id -> alive(id, pod)));
      case ConnectionEvent.Closed e -> put(e.connection(), State.ENDED, null);
      case ConnectionEvent.Failed e -> {
        if (!is(e.connection(), State.OPEN)) {
          put(e.connection(), State.ENDED, null);
        }
      }
      case Decision.Rejected d -> {}
    }
  }

  public void release(String id) {
    if (is(id, State.RESERVED)) {
      put(id, State.RELEASED, null);
    }
  }

  /**
   * Lets what is overdue end.
   *
   * @param leaseMs how long an open connection counts now after its last sign of life
   */
  public void tick(long now, long leaseMs) {
    nowMs = now;
    lives.put(State.OPEN, leaseMs);
    entries.values().removeIf(entry -> entry.sinceMs() + life(entry.state()) <= nowMs);
  }

  /** Everything that survives a restart gets its full time again; a release was never stored. */
  public void restart() {
    entries.values().removeIf(entry -> entry.state() == State.RELEASED);
    entries.replaceAll((id, e) -> new Entry(e.state(), e.pod(), nowMs));
  }

  public long active(PodAddress pod) {
    return count(State.OPEN, pod);
  }

  public long reserved(PodAddress pod) {
    return count(State.RESERVED, pod);
  }

  private void alive(String id, PodAddress pod) {
    if (!is(id, State.ENDED)) {
      put(id, State.OPEN, pod);
    }
  }

  private boolean is(String id, State state) {
    Entry entry = entries.get(id);
    return entry != null && entry.state() == state;
  }

  private void put(String id, State state, @Nullable PodAddress pod) {
    entries.put(id, new Entry(state, pod, nowMs));
  }

  private long life(State state) {
    Long life = lives.get(state);
    return life == null ? 0 : life;
  }

  private long count(State state, PodAddress pod) {
    return entries.values().stream().filter(e -> e.state() == state && pod.equals(e.pod())).count();
  }
}
