package io.connectionledger.streams.rules;

import io.connectionledger.model.PodAddress;

/** What a pod holds. Belongs to one {@link PoolLedger}; its place in the heap is the heap's. */
final class PodState {

  static final int NOT_PLACEABLE = -1;

  final PodAddress address;
  String name = "";

  /** The policy's order; {@link Integer#MAX_VALUE} for a pod that it does not name. */
  int rank;

  /** Whether it takes no new connections although the policy names it. */
  boolean draining;

  int active;
  int reserved;

  /** When it was last chosen, in decisions of its pool: breaks ties so that pods fill evenly. */
  long lastChosen;

  final CircuitBreaker circuit = new CircuitBreaker();

  int heapIndex = NOT_PLACEABLE;

  /** When it last joined the pool, milliseconds since the epoch; long ago when never seen to. */
  long joinedMs = Long.MIN_VALUE / 2;

  /** Whether it stands in {@link SlowStart}. */
  boolean warming;

  /** Whether it stands among the tripped of {@link PodPicker}, and by which time. */
  boolean waits;

  long waitsUntilMs;

  PodState(PodAddress address) {
    this.address = address;
    leavePolicy();
  }

  final void leavePolicy() {
    name = address.toString();
    rank = Integer.MAX_VALUE;
    draining = false;
  }

  /** What counts against the limit. */
  int held() {
    return active + reserved;
  }

  boolean inPolicy() {
    return rank != Integer.MAX_VALUE;
  }

  /** Whether it may be given connections, room and circuit aside. */
  boolean isPlaceable() {
    return inPolicy() && !draining;
  }
}
