package io.connectionledger.kubernetes.discovery;

import io.connectionledger.model.endpoints.PoolEndpoints.Endpoint;
import io.connectionledger.model.policy.KubernetesPods;
import java.util.Collection;
import java.util.List;
import java.util.SortedMap;

/**
 * How endpoints are read from objects of one kind, without asking anybody.
 *
 * @param <T> the kind
 */
interface EndpointReader<T> {

  /** Whether a pool may have other endpoints when this object is another. */
  boolean concerns(T object, KubernetesPods wanted);

  /**
   * The endpoints of a pool by slice, each slice in the order of the addresses; without slices that
   * have none.
   */
  SortedMap<String, List<Endpoint>> endpoints(Collection<T> objects, KubernetesPods wanted);
}
