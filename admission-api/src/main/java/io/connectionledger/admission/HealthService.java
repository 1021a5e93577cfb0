package io.connectionledger.admission;

import io.grpc.health.v1.HealthCheckRequest;
import io.grpc.health.v1.HealthCheckResponse;
import io.grpc.health.v1.HealthCheckResponse.ServingStatus;
import io.grpc.health.v1.HealthGrpc;
import io.grpc.stub.StreamObserver;
import java.util.function.BooleanSupplier;

/**
 * gRPC health of this instance, for Envoy's health checks of the authz cluster; the same for every
 * service name, and the same as {@code /health/ready}.
 */
final class HealthService extends HealthGrpc.HealthImplBase {

  private final BooleanSupplier ready;

  HealthService(BooleanSupplier ready) {
    this.ready = ready;
  }

  @Override
  public void check(HealthCheckRequest request, StreamObserver<HealthCheckResponse> responses) {
    responses.onNext(
        HealthCheckResponse.newBuilder()
            .setStatus(ready.getAsBoolean() ? ServingStatus.SERVING : ServingStatus.NOT_SERVING)
            .build());
    responses.onCompleted();
  }
}
