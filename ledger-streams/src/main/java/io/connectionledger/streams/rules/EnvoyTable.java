package io.connectionledger.streams.rules;

import io.connectionledger.model.PoolReadiness.EnvoyView;
import java.util.List;
import java.util.TreeMap;

/** The Envoys that hold connections of a pool. */
final class EnvoyTable {

  /** What one Envoy holds. */
  static final class Slot {
    final String node;
    int connections;
    long lastSeenMs;

    Slot(String node) {
      this.node = node;
    }
  }

  private final TreeMap<String, Slot> slots = new TreeMap<>();

  /** The slot of {@code node}; a new one stays only once it {@link #holds} something. */
  Slot slot(String node) {
    Slot slot = slots.get(node);
    return slot == null ? new Slot(node) : slot;
  }

  void holds(Slot slot) {
    slot.connections++;
    slots.put(slot.node, slot);
  }

  void dropped(Slot slot) {
    if (--slot.connections == 0) {
      slots.remove(slot.node);
    }
  }

  int size() {
    return slots.size();
  }

  List<EnvoyView> views() {
    return slots.values().stream()
        .map(slot -> new EnvoyView(slot.node, slot.lastSeenMs, slot.connections))
        .toList();
  }
}
