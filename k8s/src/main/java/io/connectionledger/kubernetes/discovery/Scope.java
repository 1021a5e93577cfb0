package io.connectionledger.kubernetes.discovery;

import io.connectionledger.model.policy.KubernetesPods;
import java.util.Map;

/**
 * What one watch is of: pools of the same scope share it.
 *
 * @param labels of the pods; empty for EndpointSlices, which are all watched
 */
record Scope(Kind kind, String namespace, Map<String, String> labels) {

  /** The objects that pods are found by. */
  enum Kind {
    ENDPOINT_SLICES("endpointslices"),
    PODS("pods");

    /** As Kubernetes calls them. */
    final String plural;

    Kind(String plural) {
      this.plural = plural;
    }
  }

  static Scope of(KubernetesPods pods) {
    return new Scope(
        pods.service() == null ? Kind.PODS : Kind.ENDPOINT_SLICES,
        pods.namespace(),
        pods.selector());
  }

  /** For people. */
  @Override
  public String toString() {
    return kind.plural + " of namespace " + namespace + (labels.isEmpty() ? "" : " with " + labels);
  }
}
