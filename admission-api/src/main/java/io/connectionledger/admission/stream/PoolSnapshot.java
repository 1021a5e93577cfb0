package io.connectionledger.admission.stream;

import io.connectionledger.model.PodAddress;
import io.connectionledger.model.policy.PoolPolicy.Mode;
import io.connectionledger.model.view.PoolView;
import io.connectionledger.model.view.PoolView.PodView;
import io.connectionledger.model.view.PoolView.State;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** A pool as its readers know it, and what they have not been told yet. For one thread. */
final class PoolSnapshot {

  /** So many in one event at most: a reader holds one event, whatever the size of the pool. */
  private static final int PODS_PER_EVENT = 200;

  private final String pool;
  private Mode mode;
  private Map<PodAddress, PodView> pods = new LinkedHashMap<>();
  private final Map<PodAddress, PodView> untold = new LinkedHashMap<>();

  /** The pool as {@code view} shows it, which readers know. */
  PoolSnapshot(PoolView view) {
    pool = view.pool();
    mode = view.mode();
    view.pods().forEach(pod -> pods.put(pod.address(), pod));
  }

  int size() {
    return pods.size();
  }

  /** The pool is as {@code view} shows it. */
  void replace(PoolView view) {
    Map<PodAddress, PodView> before = pods;
    pods = new LinkedHashMap<>();
    mode = view.mode();
    for (PodView pod : view.pods()) {
      pods.put(pod.address(), pod);
      if (!pod.equals(before.remove(pod.address()))) {
        untold.put(pod.address(), pod);
      }
    }
    before.values().forEach(this::gone);
  }

  /** These pods are so, and the others as before. */
  void apply(Collection<PodView> changed) {
    for (PodView pod : changed) {
      if (pod.state() == State.GONE && pod.active() + pod.reserved() == 0) {
        if (pods.remove(pod.address()) != null) {
          gone(pod);
        }
      } else if (!pod.equals(pods.put(pod.address(), pod))) {
        untold.put(pod.address(), pod);
      }
    }
  }

  /** Has these pods told again, though they are as before. */
  void again(Set<PodAddress> addresses) {
    for (PodAddress address : addresses) {
      PodView pod = pods.get(address);
      if (pod != null) {
        untold.put(address, pod);
      }
    }
  }

  private void gone(PodView pod) {
    untold.put(pod.address(), new PodView(pod.pod(), pod.address(), 0, 0, pod.limit(), State.GONE));
  }

  /** The pool with all its pods. */
  PoolView view(long nowMs) {
    return view(List.copyOf(pods.values()), nowMs);
  }

  /** What readers have not been told, a part of the pods in each; it counts as told from now on. */
  List<PoolView> untold(long nowMs) {
    List<PodView> all = List.copyOf(untold.values());
    List<PoolView> parts = new ArrayList<>();
    for (int from = 0; from < all.size(); from += PODS_PER_EVENT) {
      parts.add(view(all.subList(from, Math.min(all.size(), from + PODS_PER_EVENT)), nowMs));
    }
    untold.clear();
    return parts;
  }

  private PoolView view(List<PodView> shown, long nowMs) {
    int active = 0;
    int reserved = 0;
    for (PodView pod : pods.values()) {
      active += pod.active();
      reserved += pod.reserved();
    }
    return new PoolView(pool, nowMs, mode, active, reserved, shown);
  }
}
