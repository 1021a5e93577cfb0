package io.connectionledger.streams.rules.placement;

import io.connectionledger.model.PodAddress;

/** What a pod of one pool holds. Its place in the heap is the heap's. */
public final class PodState {

  static final int NOT_PLACEABLE = -1;

  final PodAddress address;
  String name = "";

  /** The policy's order; {@link Integer#MAX_VALUE} for a pod that it does not name. */
  int rank;

  /** Whether it takes no new connections although the policy names it. */
  boolean draining;

  /** Whether Kubernetes, where it is asked, calls it ready for new connections. */
  boolean ready = true;

  int active;
  int reserved;

  /** Of the reserved. */
  int lent;

  /** When it was last chosen, in decisions of its pool: breaks ties so that pods fill evenly. */
  long lastChosen;

  public final CircuitBreaker circuit = new CircuitBreaker();

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
    ready = true;
  }

  public PodAddress address() {
    return address;
  }

  /** A connection is open on it that was not. */
  public void opened() {
    active++;
  }

  /** A connection is open on it no more. */
  public void closed() {
    active--;
  }

  /** A slot of it is held. */
  public void reserved() {
    reserved++;
  }

  /** A slot of it is held no more. */
  public void unreserved() {
    reserved--;
  }

  /** One of its held slots is lent to another instance. */
  public void lent() {
    lent++;
  }

  /** One of its held slots is lent no more. */
  public void unlent() {
    lent--;
  }

  public CircuitBreaker circuit() {
    return circuit;
  }

  /** Until when its open circuit lets nobody pass, milliseconds since the epoch. */
  public long waitsUntilMs() {
    return waitsUntilMs;
  }

  /** What counts against the limit. */
  public int held() {
    return active + reserved;
  }

  public boolean inPolicy() {
    return rank != Integer.MAX_VALUE;
  }

  /** Whether it may be given connections, room and circuit aside. */
  public boolean isPlaceable() {
    return inPolicy() && !draining && ready;
  }
}
