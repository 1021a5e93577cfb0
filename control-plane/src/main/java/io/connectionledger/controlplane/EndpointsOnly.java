package io.connectionledger.controlplane;

import io.envoyproxy.controlplane.cache.Resources;
import io.grpc.stub.StreamObserver;
import java.util.function.Function;

/**
 * The requests of one stream that are about endpoints. What else is asked is not answered: over
 * ADS, an empty answer would take the clusters and listeners that an Envoy has, and the discovery
 * server ends with an exception on a type that it has no resources of.
 *
 * @param endpoints takes them
 * @param typeUrl of a request
 */
record EndpointsOnly<T>(StreamObserver<T> endpoints, Function<T, String> typeUrl)
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
