package io.connectionledger.controlplane;

import io.envoyproxy.envoy.service.discovery.v3.DeltaDiscoveryRequest;
import io.envoyproxy.envoy.service.discovery.v3.DeltaDiscoveryResponse;
import io.envoyproxy.envoy.service.discovery.v3.DiscoveryRequest;
import io.envoyproxy.envoy.service.discovery.v3.DiscoveryResponse;
import io.envoyproxy.envoy.service.endpoint.v3.EndpointDiscoveryServiceGrpc.EndpointDiscoveryServiceImplBase;
import io.grpc.stub.StreamObserver;

/** EDS, {@link EndpointsOnly}. Thread-safe. */
final class EndpointsOverEds extends EndpointDiscoveryServiceImplBase {

  private final EndpointDiscoveryServiceImplBase endpoints;

  EndpointsOverEds(EndpointDiscoveryServiceImplBase endpoints) {
    this.endpoints = endpoints;
  }

  @Override
  public StreamObserver<DiscoveryRequest> streamEndpoints(
      StreamObserver<DiscoveryResponse> responses) {
    return new EndpointsOnly<>(endpoints.streamEndpoints(responses), DiscoveryRequest::getTypeUrl);
  }

  @Override
  public StreamObserver<DeltaDiscoveryRequest> deltaEndpoints(
      StreamObserver<DeltaDiscoveryResponse> responses) {
    return new EndpointsOnly<>(
        endpoints.deltaEndpoints(responses), DeltaDiscoveryRequest::getTypeUrl);
  }
}
