package io.connectionledger.kubernetes.pool;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.fabric8.kubernetes.api.model.Namespaced;
import io.fabric8.kubernetes.client.CustomResource;
import io.fabric8.kubernetes.model.annotation.Group;
import io.fabric8.kubernetes.model.annotation.ShortNames;
import io.fabric8.kubernetes.model.annotation.Version;

/**
 * A ConnectionPool as the API server has it. Its definition is {@code
 * k8s/chart/files/connectionpool-crd.yaml}; the spec stays a tree, because the policies' own codec
 * reads it.
 */
@Group("connectionledger.io")
@Version("v1alpha1")
@ShortNames("cpool")
public final class ConnectionPool extends CustomResource<ObjectNode, ConnectionPoolStatus>
    implements Namespaced {

  private static final long serialVersionUID = 1L;

  /** What the ledger calls the pool; a namespace has no dot, so no two have the same name. */
  public String pool() {
    return getMetadata().getNamespace() + "." + getMetadata().getName();
  }

  /** Which version of the spec this is; it grows with each change. */
  public long generation() {
    Long generation = getMetadata().getGeneration();
    return generation == null ? 0 : generation;
  }
}
