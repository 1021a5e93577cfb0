package io.connectionledger.kubernetes.cost;

import io.connectionledger.model.policy.KubernetesPods;
import java.util.Map;

/**
 * What the pods of a pool hold.
 *
 * @param pods where Kubernetes has them
 * @param active established connections, by the pod's name; pods that are not in it get no cost
 */
public record PoolLoad(KubernetesPods pods, Map<String, Integer> active) {

  public PoolLoad {
    active = Map.copyOf(active);
  }
}
