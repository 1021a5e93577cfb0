package io.connectionledger.bench.client;

import io.connectionledger.bench.process.Subprocess;
import io.connectionledger.bench.process.Wait;
import io.connectionledger.model.Ticker;
import io.envoyproxy.envoy.service.auth.v3.AuthorizationGrpc;
import io.envoyproxy.envoy.service.auth.v3.AuthorizationGrpc.AuthorizationBlockingStub;
import io.envoyproxy.envoy.service.auth.v3.CheckRequest;
import io.grpc.ConnectivityState;
import io.grpc.ManagedChannel;
import io.grpc.netty.shaded.io.grpc.netty.NettyChannelBuilder;
import java.time.Duration;
import java.util.concurrent.TimeUnit;

/**
 * Sends one check at a time over a connection of its own. As a process it reads lines {@code PORT
 * CHECKS}, and answers each when it has sent so many over a new connection.
 */
public final class OneByOne implements AutoCloseable {

  private static final Ticker TICKER = Ticker.system();

  private final ManagedChannel channel;
  private final AuthorizationBlockingStub stub;
  private final CheckRequest request = CheckClient.request(0);

  private OneByOne(ManagedChannel channel) {
    this.channel = channel;
    this.stub = AuthorizationGrpc.newBlockingStub(channel);
  }

  public static void main(String[] args) throws Exception {
    Subprocess.answerEach(
        words -> {
          try (OneByOne client = connect(Integer.parseInt(words[0]))) {
            client.checks(Integer.parseInt(words[1]));
          }
          return "sent";
        });
  }

  /** Returns when it is connected. */
  public static OneByOne connect(int port) throws Exception {
    ManagedChannel channel =
        NettyChannelBuilder.forAddress("127.0.0.1", port).usePlaintext().directExecutor().build();
    Wait.until(
        "the connection is there",
        Duration.ofSeconds(10),
        () -> channel.getState(true) == ConnectivityState.READY);
    return new OneByOne(channel);
  }

  /** A round trip in microseconds. */
  public double check() {
    long start = TICKER.nowNanos();
    stub.check(request);
    return (TICKER.nowNanos() - start) / 1e3;
  }

  public void checks(int count) {
    for (int i = 0; i < count; i++) {
      check();
    }
  }

  @Override
  public void close() throws InterruptedException {
    channel.shutdownNow().awaitTermination(10, TimeUnit.SECONDS);
  }
}
