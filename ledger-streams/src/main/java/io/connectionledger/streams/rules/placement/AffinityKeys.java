package io.connectionledger.streams.rules.placement;

import io.connectionledger.model.PodAddress;
import io.connectionledger.model.policy.Pod;
import io.connectionledger.model.policy.PoolPolicy;
import io.connectionledger.model.policy.PoolPolicy.Placement;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * For each pod of a pool with affinity a key that belongs there. Decisions do not record what their
 * clients were known by, but whether it brought them to their pod. Immutable.
 */
public final class AffinityKeys {

  /** Of a pool without affinity. */
  public static final AffinityKeys NONE = new AffinityKeys(List.of());

  /** So many keys a pod are tried: the chance that one is left out is nil. */
  private static final int TRIES = 100;

  private final Map<PodAddress, String> keys = new HashMap<>();

  /**
   * Looks for them; there are none without affinity.
   *
   * @param draining pods of the policy that no client belongs to
   */
  public AffinityKeys(PoolPolicy policy, Set<PodAddress> draining) {
    this(
        policy.placement() != Placement.AFFINITY
            ? List.of()
            : policy.pods().stream()
                .map(Pod::address)
                .filter(pod -> !draining.contains(pod))
                .map(PodState::new)
                .toList());
  }

  private AffinityKeys(List<PodState> pods) {
    ConsistentHash clients = new ConsistentHash();
    clients.place(pods);
    for (int i = 0; keys.size() < pods.size() && i < TRIES * pods.size(); i++) {
      String key = Integer.toString(i);
      keys.putIfAbsent(clients.pod(ConsistentHash.hash(key), 0).address, key);
    }
  }

  /** A key of the pod; null when no client belongs there. */
  public @Nullable String of(PodAddress pod) {
    return keys.get(pod);
  }
}
