package io.connectionledger.bench.abuse;

import io.connectionledger.bench.process.LedgerProcess.Ports;
import io.envoyproxy.envoy.service.discovery.v3.DeltaDiscoveryRequest;
import io.envoyproxy.envoy.service.discovery.v3.DeltaDiscoveryResponse;
import io.envoyproxy.envoy.service.endpoint.v3.EndpointDiscoveryServiceGrpc;
import io.grpc.ManagedChannel;
import io.grpc.netty.shaded.io.grpc.netty.NettyChannelBuilder;
import io.grpc.stub.StreamObserver;
import java.time.Duration;

/** Streams of endpoints, each of which asks for 10,000 names more, again and again. */
final class EndpointsAttack {

  private static final String TYPE =
      "type.googleapis.com/envoy.config.endpoint.v3.ClusterLoadAssignment";
  private static final int NAMES = 10_000;
  private static final int REQUESTS_OF_A_STREAM = 20;

  private EndpointsAttack() {}

  static long run(Ports ports, Deadline done) {
    ManagedChannel channel =
        NettyChannelBuilder.forAddress("127.0.0.1", ports.xds()).usePlaintext().build();
    long sent = 0;
    try {
      while (!done.isOver()) {
        StreamObserver<DeltaDiscoveryRequest> stream =
            EndpointDiscoveryServiceGrpc.newStub(channel).deltaEndpoints(new Ignoring());
        for (int i = 0; i < REQUESTS_OF_A_STREAM && !done.isOver(); i++) {
          stream.onNext(request(sent++));
          done.pause(Duration.ofMillis(5));
        }
      }
    } finally {
      channel.shutdownNow();
    }
    return sent;
  }

  private static DeltaDiscoveryRequest request(long number) {
    DeltaDiscoveryRequest.Builder request = DeltaDiscoveryRequest.newBuilder().setTypeUrl(TYPE);
    for (int i = 0; i < NAMES; i++) {
      request.addResourceNamesSubscribe("name-" + number + '-' + i);
    }
    return request.build();
  }

  private static final class Ignoring implements StreamObserver<DeltaDiscoveryResponse> {
    @Override
    public void onNext(DeltaDiscoveryResponse response) {
      // There is no such pool.
    }

    @Override
    public void onError(Throwable refused) {
      // What is hoped for.
    }

    @Override
    public void onCompleted() {
      // As above.
    }
  }
}
