package io.connectionledger.admission.check;

import io.connectionledger.model.MaxUnacknowledged;
import io.connectionledger.model.PodAddress;
import io.connectionledger.model.event.Decision;
import io.connectionledger.model.event.DecisionInputs;
import java.time.Duration;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * The allowed decisions that Kafka has not acknowledged yet, by pod: should this instance die, they
 * may be lost, and whoever takes over leaves room for {@link MaxUnacknowledged#most} of each pod.
 * Thread-safe.
 */
final class InFlightDecisions {

  private final Map<Place, Integer> counts = new ConcurrentHashMap<>();

  /** With so many lost, none is answered any more before it is recorded. */
  static final int MAX_LOST = 10_000;

  private final AtomicInteger lostCount = new AtomicInteger();
  private final Queue<Lost> lost = new ConcurrentLinkedQueue<>();

  /** Answered, and refused by Kafka. */
  private record Lost(Decision.Allowed decision, long untilNanos) {}

  private record Place(String pool, PodAddress pod) {
    static Place of(Decision.Allowed decision) {
      return new Place(decision.pool(), decision.pod());
    }
  }

  /**
   * Counts a decision until {@link #end} or {@link #lose}.
   *
   * @return whether it may be answered before it is recorded
   */
  boolean begin(Decision.Allowed decision, long nowNanos) {
    forget(nowNanos);
    int underway = counts.merge(Place.of(decision), 1, Integer::sum);
    DecisionInputs basis = decision.basis();
    return lostCount.get() < MAX_LOST
        && (basis == null || underway <= MaxUnacknowledged.most(basis.limit()));
  }

  /** The decision is recorded, or has no effect. */
  void end(Decision.Allowed decision) {
    counts.computeIfPresent(Place.of(decision), (place, count) -> count == 1 ? null : count - 1);
  }

  /**
   * The decision was answered and will never be recorded: it counts on for as long as its
   * connection may be unknown.
   */
  void lose(Decision.Allowed decision, Duration hidden, long nowNanos) {
    lostCount.incrementAndGet();
    lost.add(new Lost(decision, nowNanos + hidden.toNanos()));
  }

  /** Whether a connection may be open of which nobody else can know. */
  boolean hasLost(long nowNanos) {
    forget(nowNanos);
    return !lost.isEmpty();
  }

  private void forget(long nowNanos) {
    Lost oldest = lost.peek();
    while (oldest != null && oldest.untilNanos <= nowNanos) {
      if (lost.remove(oldest)) {
        lostCount.decrementAndGet();
        end(oldest.decision);
      }
      oldest = lost.peek();
    }
  }
}
