package io.connectionledger.admission;

import io.connectionledger.model.Basis;
import io.connectionledger.model.Decision;
import io.connectionledger.model.PodAddress;
import io.connectionledger.model.Unrecorded;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/**
 * The allowed decisions that Kafka has not acknowledged yet, by pod: should this instance die, they
 * may be lost, and whoever takes over leaves room for {@link Unrecorded#most} of each pod.
 * Thread-safe.
 */
final class Underway {

  private final Map<Place, Integer> counts = new ConcurrentHashMap<>();

  private record Place(String pool, PodAddress pod) {
    static Place of(Decision.Allowed decision) {
      return new Place(decision.pool(), decision.pod());
    }
  }

  /**
   * Counts a decision until {@link #end}.
   *
   * @return whether it may be answered before it is recorded
   */
  boolean begin(Decision.Allowed decision) {
    int underway = counts.merge(Place.of(decision), 1, Integer::sum);
    Basis basis = decision.basis();
    return basis == null || underway <= Unrecorded.most(basis.limit());
  }

  /** The decision is recorded, or will never be. Once for each {@link #begin}. */
  void end(Decision.Allowed decision) {
    counts.computeIfPresent(Place.of(decision), (place, count) -> count == 1 ? null : count - 1);
  }
}
