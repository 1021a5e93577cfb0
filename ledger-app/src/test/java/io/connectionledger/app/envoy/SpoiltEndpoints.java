package io.connectionledger.app.envoy;

import com.google.protobuf.Any;
import com.google.protobuf.InvalidProtocolBufferException;
import io.envoyproxy.envoy.config.endpoint.v3.ClusterLoadAssignment;
import io.envoyproxy.envoy.config.endpoint.v3.LbEndpoint;
import io.envoyproxy.envoy.config.endpoint.v3.LocalityLbEndpoints;
import io.envoyproxy.envoy.service.discovery.v3.DiscoveryResponse;
import io.grpc.ForwardingServerCall.SimpleForwardingServerCall;
import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Stands before the EDS server, counts what it sends, and puts an address into it that Envoy
 * refuses; the ledger itself takes none.
 */
public final class SpoiltEndpoints implements ServerInterceptor {

  private static final String AMBIGUOUS = "127.0.0.04";

  final AtomicInteger responses = new AtomicInteger();
  private volatile boolean spoiling;

  void spoil(boolean on) {
    spoiling = on;
  }

  @Override
  public <Q, R> ServerCall.Listener<Q> interceptCall(
      ServerCall<Q, R> call, Metadata headers, ServerCallHandler<Q, R> next) {
    return next.startCall(
        new SimpleForwardingServerCall<>(call) {
          @Override
          public void sendMessage(R message) {
            responses.incrementAndGet();
            super.sendMessage(spoiling ? spoilt(message) : message);
          }
        },
        headers);
  }

  @SuppressWarnings("unchecked") // the copy is of the same type
  private static <R> R spoilt(R message) {
    DiscoveryResponse response = (DiscoveryResponse) message;
    List<Any> spoilt =
        response.getResourcesList().stream().map(SpoiltEndpoints::spoilt).map(Any::pack).toList();
    return (R) response.toBuilder().clearResources().addAllResources(spoilt).build();
  }

  private static ClusterLoadAssignment spoilt(Any resource) {
    try {
      ClusterLoadAssignment.Builder assignment =
          resource.unpack(ClusterLoadAssignment.class).toBuilder();
      for (LocalityLbEndpoints.Builder locality : assignment.getEndpointsBuilderList()) {
        for (LbEndpoint.Builder pod : locality.getLbEndpointsBuilderList()) {
          pod.getEndpointBuilder()
              .getAddressBuilder()
              .getSocketAddressBuilder()
              .setAddress(AMBIGUOUS);
        }
      }
      return assignment.build();
    } catch (InvalidProtocolBufferException foreign) {
      throw new IllegalArgumentException(foreign);
    }
  }
}
