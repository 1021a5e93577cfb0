package io.connectionledger.controlplane;

import io.connectionledger.model.PoolPolicy;
import io.envoyproxy.controlplane.cache.v3.SimpleCache;
import io.envoyproxy.controlplane.cache.v3.Snapshot;
import io.envoyproxy.controlplane.server.V3DiscoveryServer;
import io.envoyproxy.envoy.config.endpoint.v3.ClusterLoadAssignment;
import io.grpc.BindableService;
import java.util.Collection;
import java.util.List;

/**
 * The endpoint discovery service (EDS over gRPC): one cluster load assignment per pool, the same
 * for every Envoy. Thread-safe.
 *
 * <p>A snapshot's version is a hash of its content. So an update that changes nothing is not sent,
 * and an Envoy that reconnects to another instance with the same policies is not sent anything
 * either. A pool that leaves the policies is not withdrawn: Envoy keeps the endpoints it has.
 */
public final class EdsServer {

  /** The one group that every Envoy belongs to. */
  private static final String EVERY_ENVOY = "every-envoy";

  private final SimpleCache<String> cache = new SimpleCache<>(node -> EVERY_ENVOY);
  private final V3DiscoveryServer server = new V3DiscoveryServer(cache);

  private EdsServer() {}

  /** A server that answers with the pods of {@code policies}, one policy a pool. */
  public static EdsServer create(Collection<PoolPolicy> policies) {
    EdsServer server = new EdsServer();
    server.update(policies);
    return server;
  }

  /** Replaces the pods of all pools, and pushes the change, if any, to every connected Envoy. */
  public void update(Collection<PoolPolicy> policies) {
    List<ClusterLoadAssignment> assignments = Assignments.of(policies);
    cache.setSnapshot(
        EVERY_ENVOY,
        Snapshot.create(
            List.of(),
            assignments,
            List.of(),
            List.of(),
            List.of(),
            Assignments.version(assignments)));
  }

  /** The gRPC service to add to a server. */
  public BindableService service() {
    return server.getEndpointDiscoveryServiceImpl();
  }
}
