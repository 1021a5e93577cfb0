package io.connectionledger.streams.rules.placement;

import io.connectionledger.model.MaxUnacknowledged;
import io.connectionledger.model.event.DecisionInputs.Choice;
import io.connectionledger.model.policy.PoolPolicy;
import io.connectionledger.model.policy.PoolPolicy.Placement;
import java.util.Comparator;
import java.util.List;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * The pods that may be placed on, for the choice of one: those that may be chosen now, emptiest
 * first and the new ones apart, and those with room whose circuit is open, by when they may be
 * tried. A pod on probe is not chosen again before its circuit or its next probe says so. Every
 * step costs O(log pods). Not thread-safe.
 */
public final class PodPicker {

  /** How long a probe is put off while an earlier handshake is still underway. */
  private static final long UNDERWAY_MS = 1_000;

  /** How many of a client's pods are looked at before it goes to the one with the fewest. */
  private static final int CHOICES = 4;

  private static final Comparator<PodState> BY_TRIAL =
      Comparator.<PodState>comparingLong(pod -> pod.waitsUntilMs)
          .thenComparingInt(pod -> pod.rank)
          .thenComparing(pod -> pod.address);

  private final PodHeap settled = new PodHeap();
  private final SlowStart slowStart = new SlowStart();
  private final TreeSet<PodState> tripped = new TreeSet<>(BY_TRIAL);
  private final ConsistentHash clients = new ConsistentHash();
  private int size;
  private int limit;
  private boolean reservesHeadroom;
  private Choice choice = Choice.LEAST_CONNECTIONS;

  /**
   * Makes {@code pods} the ones to choose from, by the limit and the placement of the policy.
   *
   * @param nowMs milliseconds since the epoch
   */
  void place(List<PodState> pods, PoolPolicy policy, long nowMs) {
    int most = policy.perPodMaxConnections();
    limit = reservesHeadroom ? most - MaxUnacknowledged.most(most) : most;
    size = pods.size();
    settled.clear();
    tripped.forEach(pod -> pod.waits = false);
    tripped.clear();
    slowStart.reset(policy.slowStart().toMillis());
    slowStart.resume(pods, nowMs);
    clients.place(policy.placement() == Placement.AFFINITY ? pods : List.of());
    pods.forEach(this::put);
  }

  /** Whether room is left for what may be unrecorded; from the next {@link #place} on. */
  void reserveHeadroom(boolean holds) {
    reservesHeadroom = holds;
  }

  public int size() {
    return size;
  }

  /** Must be called after each change of a pod's counts or circuit; any pod may be passed. */
  void update(PodState pod) {
    if (!pod.isPlaceable()) {
      return;
    }
    if (pod.waits) {
      tripped.remove(pod);
      pod.waits = false;
    }
    put(pod);
  }

  /** The pod takes connections again: it begins as a new one does. */
  void cameBack(PodState pod, long nowMs) {
    if (pod.isPlaceable()) {
      heapOf(pod).remove(pod);
      slowStart.begin(pod, nowMs);
      update(pod);
    }
  }

  private void put(PodState pod) {
    CircuitBreaker circuit = pod.circuit;
    if (!circuit.isOpen() || (circuit.isHalfOpen() && pod.reserved == 0)) {
      heapOf(pod).put(pod);
      return;
    }
    heapOf(pod).remove(pod);
    if (pod.held() < limit) {
      pod.waitsUntilMs = circuit.probeMs();
      pod.waits = true;
      tripped.add(pod);
    }
  }

  private PodHeap heapOf(PodState pod) {
    return pod.warming ? slowStart.pods() : settled;
  }

  /**
   * The pod for the next connection, which must be told to it; null when none may take it.
   *
   * @param key what the client is known by; null when nothing is known of it
   * @param nowMs milliseconds since the epoch
   */
  public @Nullable PodState next(@Nullable String key, long nowMs) {
    letProbesBegin(nowMs);
    for (PodState pod = slowStart.pollSettled(nowMs);
        pod != null;
        pod = slowStart.pollSettled(nowMs)) {
      update(pod);
    }
    choice = Choice.AFFINITY;
    PodState known = key == null || clients.isEmpty() ? null : podOf(key);
    PodState next = known == null ? emptiest(nowMs) : known;
    if (next != null && next.circuit.isOpen()) {
      choice = Choice.TRIAL;
    }
    return next;
  }

  private void letProbesBegin(long nowMs) {
    while (!tripped.isEmpty()) {
      PodState pod = tripped.first();
      pod.circuit.bound(nowMs);
      if (pod.circuit.probeMs() > nowMs) {
        if (pod.circuit.probeMs() == pod.waitsUntilMs) {
          return;
        }
      } else if (pod.reserved == 0) {
        pod.circuit.halfOpen();
      } else {
        pod.circuit.waitUntil(nowMs + UNDERWAY_MS);
      }
      update(pod);
    }
  }

  /** The first with room of those that the client belongs to. */
  private @Nullable PodState podOf(String key) {
    long hash = ConsistentHash.hash(key);
    for (int choice = 0; choice < CHOICES; choice++) {
      PodState pod = clients.pod(hash, choice);
      if (pod.heapIndex != PodState.NOT_PLACEABLE && pod.held() < limit) {
        return pod;
      }
    }
    return null;
  }

  private @Nullable PodState emptiest(long nowMs) {
    PodState old = withRoom(settled);
    PodState fresh = withRoom(slowStart.pods());
    boolean isFresh =
        fresh != null
            && (old == null || (fresh.held() < old.held() && slowStart.isItsTurn(fresh, nowMs)));
    choice = isFresh ? Choice.SLOW_START : Choice.LEAST_CONNECTIONS;
    return isFresh ? fresh : old;
  }

  private @Nullable PodState withRoom(PodHeap heap) {
    PodState emptiest = heap.emptiest();
    return emptiest == null || emptiest.held() >= limit ? null : emptiest;
  }

  /** Why {@link #next} gave the pod that it gave. */
  public Choice choice() {
    return choice;
  }

  /** How many pods have room, so that only their circuits stand in the way. */
  public int tripped() {
    return tripped.size();
  }

  /** The first of the tripped pods that may be tried. Must not be called when there is none. */
  public PodState nextProbe() {
    return tripped.first();
  }

  /** The pod to which the client belongs; null when it belongs to none. */
  public @Nullable PodState home(@Nullable String key) {
    return key == null || clients.isEmpty() ? null : clients.pod(ConsistentHash.hash(key), 0);
  }
}
