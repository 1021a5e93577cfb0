package io.connectionledger.bench.abuse;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.connectionledger.bench.client.CheckClient;
import io.connectionledger.bench.process.LedgerProcess;
import io.connectionledger.bench.process.LedgerProcess.Ports;
import io.envoyproxy.envoy.service.auth.v3.AuthorizationGrpc;
import io.envoyproxy.envoy.service.auth.v3.CheckRequest;
import io.envoyproxy.envoy.service.auth.v3.CheckResponse;
import io.grpc.ManagedChannel;
import io.grpc.netty.shaded.io.grpc.netty.NettyChannelBuilder;
import io.grpc.stub.StreamObserver;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.concurrent.Semaphore;

/** Checks of a pool without room. */
final class CheckAttacks {

  private static final int AT_ONCE = 64;

  /** The second pool: nobody else asks for it. */
  private static final int POOL = 1;

  private CheckAttacks() {}

  static long rejected(Ports ports, Deadline done) throws IOException, InterruptedException {
    fill(ports);
    ManagedChannel channel =
        NettyChannelBuilder.forAddress("127.0.0.1", ports.authz())
            .usePlaintext()
            .directExecutor()
            .build();
    AuthorizationGrpc.AuthorizationStub stub = AuthorizationGrpc.newStub(channel);
    CheckRequest request = CheckClient.request(POOL);
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

  /** One connection a pod: the first checks take all there are. */
  private static void fill(Ports ports) throws IOException, InterruptedException {
    try (HttpClient http = HttpClient.newHttpClient()) {
      HttpResponse<String> answer =
          http.send(
              HttpRequest.newBuilder(
                      URI.create(
                          "http://127.0.0.1:%d/v1/pools/%s/policy"
                              .formatted(ports.http(), LedgerProcess.pool(POOL))))
                  .PUT(HttpRequest.BodyPublishers.ofString("{\"perPodMaxConnections\":1}", UTF_8))
                  .build(),
              HttpResponse.BodyHandlers.ofString());
      if (answer.statusCode() != 200) {
        throw new IOException("the pool cannot be filled: " + answer.body());
      }
    }
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
