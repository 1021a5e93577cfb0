package io.connectionledger.controlplane;

import io.grpc.ForwardingServerCall.SimpleForwardingServerCall;
import io.grpc.ForwardingServerCallListener.SimpleForwardingServerCallListener;
import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;

/** Puts a {@link DiscoveryStream} between each Envoy and the discovery server. Thread-safe. */
final class NackInterceptor implements ServerInterceptor {

  private final Nacks nacks;

  NackInterceptor(Nacks nacks) {
    this.nacks = nacks;
  }

  @Override
  public <Q, R> ServerCall.Listener<Q> interceptCall(
      ServerCall<Q, R> call, Metadata headers, ServerCallHandler<Q, R> next) {
    DiscoveryStream stream = new DiscoveryStream(nacks);
    ServerCall<Q, R> sending =
        new SimpleForwardingServerCall<>(call) {
          @Override
          public void sendMessage(R message) {
            stream.sent(message);
            super.sendMessage(message);
          }
        };
    return new SimpleForwardingServerCallListener<>(next.startCall(sending, headers)) {
      @Override
      public void onMessage(Q message) {
        super.onMessage(stream.received(message));
      }
    };
  }
}
