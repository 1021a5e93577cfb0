package io.connectionledger.streams.rules.connections;

import io.connectionledger.model.view.PoolReadiness.EnvoyView;
import io.connectionledger.streams.rules.lease.HeartbeatInterval;
import io.connectionledger.streams.rules.lease.LeaseTerms;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * The Envoys that hold connections of a pool, and those of which something was learned before they
 * held none.
 */
public final class EnvoyTable {

  /** More are forgotten: those that are not proven first, and that were heard least lately. */
  private static final int MAX_IDLE = 1_000;

  /** Of so many ends the last are remembered: whether the open had been reported. */
  private static final int ENDS = Long.SIZE;

  /** What one Envoy holds, least lately heard first, and what is known of how it reports. */
  public static final class Slot {
    final String node;
    final HeartbeatInterval heartbeat;
    int connections;
    long lastSeenMs;

    /** The interval as the store has it; 0 for none. */
    long storedIntervalMs;

    boolean warnedOfInterval;
    @Nullable OpenConnection first;
    private @Nullable OpenConnection last;

    /** The shortest gap of the report that is being read; {@link Long#MAX_VALUE} for none. */
    private long shortestGapMs = Long.MAX_VALUE;

    /** A bit for each of the last ends, set for one of a connection that nobody had seen open. */
    private long unseenEnds;

    private int ends;
    private long unseenEndMs = Long.MIN_VALUE / 2;

    /** Whether it has opened what was admitted here: nobody else can know of it. */
    private boolean proven;

    Slot(String node, LeaseTerms terms) {
      this.node = node;
      this.heartbeat = new HeartbeatInterval(terms);
    }

    /** The Envoy has told of a connection, at this time since the epoch. */
    public void heard(long atMs) {
      lastSeenMs = atMs;
    }

    /** Puts its interval back as a store kept it. */
    public void restoreInterval(long intervalMs) {
      heartbeat.restore(intervalMs);
      storedIntervalMs = intervalMs;
    }

    /** How long it takes between two reports, in milliseconds: see {@link HeartbeatInterval#ms}. */
    public long heartbeatMs() {
      return heartbeat.ms();
    }

    private void append(OpenConnection connection) {
      connection.before = last;
      connection.after = null;
      if (last == null) {
        first = connection;
      } else {
        last.after = connection;
      }
      last = connection;
    }

    private void unlink(OpenConnection connection) {
      OpenConnection before = connection.before;
      OpenConnection after = connection.after;
      if (before == null) {
        first = after;
      } else {
        before.after = after;
      }
      if (after == null) {
        last = before;
      } else {
        after.before = before;
      }
    }

    /** A connection that is not new was heard after so long. */
    void gap(long gapMs) {
      shortestGapMs = Math.min(shortestGapMs, gapMs);
    }

    /** A report has been read to its end. */
    void reported() {
      if (shortestGapMs != Long.MAX_VALUE) {
        heartbeat.observe(shortestGapMs);
        shortestGapMs = Long.MAX_VALUE;
      }
    }

    /** A connection ended. */
    void ended(boolean seenOpen, long leaseNowMs) {
      unseenEnds = unseenEnds << 1 | (seenOpen ? 0 : 1);
      ends = Math.min(ends + 1, ENDS);
      if (!seenOpen) {
        unseenEndMs = leaseNowMs;
      }
    }

    /** How many of the last ends were of connections that nobody had seen open. */
    int unseenEnds() {
      return Long.bitCount(unseenEnds);
    }

    /** Of how many. */
    int ends() {
      return ends;
    }

    /** When the last of them came, on the lease clock. */
    long unseenEndMs() {
      return unseenEndMs;
    }

    /** Whether the interval has moved so far that it is worth storing. */
    boolean isIntervalNews() {
      return Math.abs(heartbeat.observedMs() - storedIntervalMs) > storedIntervalMs / 4;
    }

    boolean isProven() {
      return proven;
    }

    private boolean isWorthKnowing() {
      return heartbeat.isKnown() || ends > 0;
    }
  }

  private final LeaseTerms terms;
  private final TreeMap<String, Slot> slots = new TreeMap<>();
  private final LinkedHashMap<String, Slot> idle = new LinkedHashMap<>();

  /** Node ids whose stored interval means nothing any more. */
  private final List<String> forgotten = new ArrayList<>();

  /** Connections of Envoys that are not proven. */
  private int unproven;

  public EnvoyTable(LeaseTerms terms) {
    this.terms = terms;
  }

  /** The slot of {@code node}; a new one stays only once it holds or {@link #learned} something. */
  public Slot slot(String node) {
    Slot known = find(node);
    return known == null ? new Slot(node, terms) : known;
  }

  /** The slot of {@code node}; null when nothing is known of it. */
  public @Nullable Slot find(String node) {
    Slot slot = slots.get(node);
    return slot == null ? idle.get(node) : slot;
  }

  /** Keeps what was learned of an Envoy that holds nothing. */
  public void learned(Slot slot) {
    if (slot.connections == 0 && slot.isWorthKnowing()) {
      idle.remove(slot.node);
      idle.put(slot.node, slot);
      if (idle.size() > MAX_IDLE) {
        Slot least =
            idle.values().stream()
                .filter(known -> !known.proven)
                .findFirst()
                .orElseGet(() -> idle.firstEntry().getValue());
        idle.remove(least.node);
        if (least.storedIntervalMs > 0) {
          forgotten.add(least.node);
        }
      }
    }
  }

  /** The Envoy has opened what was admitted here. */
  void proven(Slot slot) {
    if (!slot.proven) {
      slot.proven = true;
      unproven -= slot.connections;
    }
  }

  /** How many connections those hold that are not proven. */
  int unproven() {
    return unproven;
  }

  /** The node ids that were forgotten since the last call, of which an interval is stored. */
  List<String> forgotten() {
    List<String> all = List.copyOf(forgotten);
    forgotten.clear();
    return all;
  }

  /**
   * Its Envoy is gone: what was learned of how it reports may not hold for the next of its name.
   */
  void forget(String node) {
    idle.remove(node);
  }

  void holds(OpenConnection connection) {
    Slot slot = connection.envoy;
    slot.append(connection);
    unproven += slot.proven ? 0 : 1;
    if (slot.connections++ == 0) {
      idle.remove(slot.node);
      slots.put(slot.node, slot);
    }
  }

  void heard(OpenConnection connection) {
    connection.envoy.unlink(connection);
    connection.envoy.append(connection);
  }

  void dropped(OpenConnection connection) {
    Slot slot = connection.envoy;
    slot.unlink(connection);
    unproven -= slot.proven ? 0 : 1;
    if (--slot.connections == 0) {
      slots.remove(slot.node);
      learned(slot);
    }
  }

  /** Those that hold connections. */
  Collection<Slot> holding() {
    return slots.values();
  }

  /** Those that hold none, of which something is known. */
  Collection<Slot> idle() {
    return idle.values();
  }

  int size() {
    return slots.size();
  }

  public List<EnvoyView> views() {
    List<EnvoyView> views = new ArrayList<>(slots.size());
    for (Map.Entry<String, Slot> entry : slots.entrySet()) {
      Slot slot = entry.getValue();
      Long heartbeatMs = slot.heartbeat.isKnown() ? slot.heartbeat.observedMs() : null;
      views.add(new EnvoyView(slot.node, slot.lastSeenMs, slot.connections, heartbeatMs));
    }
    return views;
  }
}
