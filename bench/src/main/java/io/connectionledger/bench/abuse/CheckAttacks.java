package io.connectionledger.bench.abuse;

import io.connectionledger.bench.client.CheckClient;
import io.connectionledger.bench.process.LedgerProcess.Ports;
import io.envoyproxy.envoy.service.auth.v3.AuthorizationGrpc;
import io.envoyproxy.envoy.service.auth.v3.CheckRequest;
import io.envoyproxy.envoy.service.auth.v3.CheckResponse;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.netty.shaded.io.grpc.netty.NettyChannelBuilder;
import io.grpc.stub.MetadataUtils;
import io.grpc.stub.StreamObserver;
import java.util.concurrent.Semaphore;

/** Against ext_authz. */
final class CheckAttacks {

  private static final int AT_ONCE = 64;
  private static final int METADATA = 512 << 10;

  private CheckAttacks() {}

  static long run(Attack attack, Ports ports, Deadline done) throws InterruptedException {
    ManagedChannel channel =
        NettyChannelBuilder.forAddress("127.0.0.1", ports.authz())
            .usePlaintext()
            .maxInboundMetadataSize(2 * METADATA)
            .build();
    Metadata metadata = new Metadata();
    if (attack == Attack.HUGE_METADATA) {
      metadata.put(
          Metadata.Key.of("tracestate", Metadata.ASCII_STRING_MARSHALLER), "x".repeat(METADATA));
    }
    var stub =
        AuthorizationGrpc.newStub(channel)
            .withInterceptors(MetadataUtils.newAttachHeadersInterceptor(metadata));
    // There is no second pool.
    CheckRequest request = CheckClient.request(1);
    Semaphore places = new Semaphore(AT_ONCE);
    long sent = 0;
    try {
      while (!done.isOver()) {
        places.acquire();
        stub.check(request, new Answer(places));
        sent++;
      }
    } finally {
      channel.shutdownNow();
    }
    return sent;
  }

  private record Answer(Semaphore places) implements StreamObserver<CheckResponse> {
    @Override
    public void onNext(CheckResponse response) {
      // Whatever it is.
    }

    @Override
    public void onError(Throwable refused) {
      places.release();
    }

    @Override
    public void onCompleted() {
      places.release();
    }
  }
}
