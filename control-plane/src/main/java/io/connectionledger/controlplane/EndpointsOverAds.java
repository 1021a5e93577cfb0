package io.connectionledger.controlplane;

import io.envoyproxy.controlplane.cache.Resources;
import io.envoyproxy.envoy.service.discovery.v3.AggregatedDiscoveryServiceGrpc.AggregatedDiscoveryServiceImplBase;
import io.envoyproxy.envoy.service.discovery.v3.DeltaDiscoveryRequest;
import io.envoyproxy.envoy.service.discovery.v3.DeltaDiscoveryResponse;
import io.envoyproxy.envoy.service.discovery.v3.DiscoveryRequest;
import io.envoyproxy.envoy.service.discovery.v3.DiscoveryResponse;
import io.envoyproxy.envoy.service.endpoint.v3.EndpointDiscoveryServiceGrpc.EndpointDiscoveryServiceImplBase;
import io.grpc.stub.StreamObserver;
import java.util.function.Function;

/**
 * ADS for Envoys whose clusters ask for their endpoints over it. What else is asked is not
 * answered, because an empty answer would take the clusters and listeners that Envoy has.
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

  private record EndpointsOnly<T>(StreamObserver<T> endpoints, Function<T, String> typeUrl)
      implements StreamObserver<T> {

    @Override
    public void onNext(T request) {
      if (typeUrl.apply(request).equals(Resources.V3.ENDPOINT_TYPE_URL)) {
        endpoints.onNext(request);
      }
    }

    @Override
    public void onError(Throwable failure) {
      endpoints.onError(failure);
    }

    @Override
    public void onCompleted() {
      endpoints.onCompleted();
    }
  }
}
