package io.connectionledger.controlplane;

import io.envoyproxy.envoy.service.discovery.v3.AggregatedDiscoveryServiceGrpc.AggregatedDiscoveryServiceImplBase;
import io.envoyproxy.envoy.service.discovery.v3.DeltaDiscoveryRequest;
import io.envoyproxy.envoy.service.discovery.v3.DeltaDiscoveryResponse;
import io.envoyproxy.envoy.service.discovery.v3.DiscoveryRequest;
import io.envoyproxy.envoy.service.discovery.v3.DiscoveryResponse;
import io.envoyproxy.envoy.service.endpoint.v3.EndpointDiscoveryServiceGrpc.EndpointDiscoveryServiceImplBase;
import io.grpc.stub.StreamObserver;

/**
 * ADS for Envoys whose clusters ask for their endpoints over it, {@link EndpointsOnly}.
 * Thread-safe.
 *
 * <p>The discovery server's own ADS answers nothing at all while one of the clusters that are asked
 * for is unknown.
 */
final class EndpointsOverAds extends AggregatedDiscoveryServiceImplBase {

  private final EndpointDiscoveryServiceImplBase endpoints;

  EndpointsOverAds(EndpointDiscoveryServiceImplBase endpoints) {
    this.endpoints = endpoints;
  }

  @Override
  public StreamObserver<DiscoveryRequest> streamAggregatedResources(
      StreamObserver<DiscoveryResponse> responses) {
    return new EndpointsOnly<>(endpoints.streamEndpoints(responses), DiscoveryRequest::getTypeUrl);
  }

  @Override
  public StreamObserver<DeltaDiscoveryRequest> deltaAggregatedResources(
      StreamObserver<DeltaDiscoveryResponse> responses) {
    return new EndpointsOnly<>(
        endpoints.deltaEndpoints(responses), DeltaDiscoveryRequest::getTypeUrl);
  }
}
