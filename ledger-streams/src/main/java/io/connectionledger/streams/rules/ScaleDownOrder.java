package io.connectionledger.streams.rules;

import io.connectionledger.model.PodAddress;
import io.connectionledger.model.view.PoolScaling.Candidate;
import io.connectionledger.model.view.PoolView.PodView;
import io.connectionledger.model.view.PoolView.State;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * In which order the pods of a pool may be removed: draining ones first of all, then the emptiest,
 * equals by address. Two pods that hold nearly the same do not change places from one poll to the
 * next: a pod keeps the count that it was ordered by until the real one is more than a {@value
 * #TOLERANCE}th away from it, which below that many connections is any change. Thread-safe.
 */
public final class ScaleDownOrder {

  private static final int TOLERANCE = 20;

  private static final Comparator<Ranked> ORDER =
      Comparator.<Ranked, Boolean>comparing(ranked -> ranked.pod.state() != State.DRAINING)
          .thenComparingInt(ranked -> ranked.count)
          .thenComparing(ranked -> ranked.pod.address());

  private Map<PodAddress, Integer> counts = Map.of();

  private record Ranked(PodView pod, int count) {}

  /** The pods that the policy names, the first to be removed first; others have been already. */
  public synchronized List<Candidate> of(List<PodView> pods) {
    Map<PodAddress, Integer> next = new HashMap<>();
    List<Ranked> order = new ArrayList<>(pods.size());
    for (PodView pod : pods) {
      if (pod.state() != State.GONE) {
        int count = count(pod);
        next.put(pod.address(), count);
        order.add(new Ranked(pod, count));
      }
    }
    counts = next;
    order.sort(ORDER);
    List<Candidate> candidates = new ArrayList<>(order.size());
    for (Ranked ranked : order) {
      PodView pod = ranked.pod;
      candidates.add(new Candidate(pod.pod(), pod.address(), candidates.size() + 1, pod.active()));
    }
    return candidates;
  }

  private int count(PodView pod) {
    int active = pod.active();
    int before = counts.getOrDefault(pod.address(), active);
    long difference = Math.abs((long) active - before);
    return difference * TOLERANCE <= Math.max(active, before) ? before : active;
  }
}
