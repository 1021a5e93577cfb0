package io.connectionledger.streams.simulation;

import io.connectionledger.model.PodAddress;
import io.connectionledger.model.view.PoolView.PodView;
import io.connectionledger.model.view.Simulation.Peak;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** How full each pod was at its fullest. Not thread-safe. */
final class Peaks {

  private final Map<PodAddress, Integer> held = new TreeMap<>();
  private final Map<PodAddress, String> names = new HashMap<>();

  /** Looks at pods now. */
  void see(List<PodView> pods) {
    for (PodView pod : pods) {
      held.merge(pod.address(), pod.active() + pod.reserved(), Math::max);
      names.put(pod.address(), pod.pod());
    }
  }

  /** Forgets what it has seen. */
  void clear() {
    held.clear();
  }

  /** In the order of their addresses. */
  List<Peak> all() {
    return held.entrySet().stream()
        .map(
            pod ->
                new Peak(
                    names.getOrDefault(pod.getKey(), pod.getKey().toString()),
                    pod.getKey(),
                    pod.getValue()))
        .toList();
  }
}
