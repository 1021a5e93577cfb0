package io.connectionledger.streams.rules;

import java.util.Comparator;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * The pods that a policy names, for the choice of one: those that may be chosen, emptiest first,
 * and those with room whose circuit is open, by when they may be tried. A pod on trial is not
 * chosen again before its circuit or its next trial says so. Every step costs O(log pods). Not
 * thread-safe.
 */
final class Candidates {

  /** How long a trial is put off while an earlier handshake is still underway. */
  private static final long UNDERWAY_MS = 1_000;

  private static final Comparator<PodSlot> BY_TRIAL =
      Comparator.<PodSlot>comparingLong(pod -> pod.waitsUntilMs)
          .thenComparingInt(pod -> pod.rank)
          .thenComparing(pod -> pod.address);

  private final PodHeap ready = new PodHeap();
  private final TreeSet<PodSlot> tripped = new TreeSet<>(BY_TRIAL);
  private int size;
  private int limit;

  /** Makes it empty, for pods that may hold {@code limit} connections each. */
  void reset(int limit) {
    this.limit = limit;
    ready.clear();
    tripped.forEach(pod -> pod.waits = false);
    tripped.clear();
    size = 0;
  }

  int size() {
    return size;
  }

  void add(PodSlot pod) {
    size++;
    put(pod);
  }

  /** Must be called after each change of a pod's counts or circuit; any pod may be passed. */
  void update(PodSlot pod) {
    if (!pod.inPolicy()) {
      return;
    }
    if (pod.waits) {
      tripped.remove(pod);
      pod.waits = false;
    }
    put(pod);
  }

  private void put(PodSlot pod) {
    Circuit circuit = pod.circuit;
    if (!circuit.isOpen() || (circuit.isHalfOpen() && pod.reserved == 0)) {
      ready.put(pod);
      return;
    }
    ready.remove(pod);
    if (pod.held() < limit) {
      pod.waitsUntilMs = circuit.trialMs();
      pod.waits = true;
      tripped.add(pod);
    }
  }

  /**
   * The pod for the next connection, not reserved yet; null when none may take it.
   *
   * @param nowMs milliseconds since the epoch
   */
  @Nullable PodSlot next(long nowMs) {
    letTrialsBegin(nowMs);
    PodSlot emptiest = ready.emptiest();
    return emptiest == null || emptiest.held() >= limit ? null : emptiest;
  }

  private void letTrialsBegin(long nowMs) {
    while (!tripped.isEmpty()) {
      PodSlot pod = tripped.first();
      pod.circuit.bound(nowMs);
      if (pod.circuit.trialMs() > nowMs) {
        if (pod.circuit.trialMs() == pod.waitsUntilMs) {
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

  /** Whether some pod has room, and only its circuit stands in the way. */
  boolean isTripped() {
    return !tripped.isEmpty();
  }

  /** When the first of the tripped pods may be tried, milliseconds since the epoch. */
  long nextTrialMs() {
    return tripped.first().waitsUntilMs;
  }
}
