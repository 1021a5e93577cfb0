package io.connectionledger.streams.rules;

import io.connectionledger.model.PodAddress;

/** What a pod holds. Belongs to one {@link PoolLedger}; its place in the heap is the heap's. */
final class PodSlot {

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

  int heapIndex = NOT_PLACEABLE;

  PodSlot(PodAddress address) {
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
}
