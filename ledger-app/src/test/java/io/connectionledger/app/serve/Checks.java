package io.connectionledger.app.serve;

import io.envoyproxy.envoy.service.auth.v3.AttributeContext;
import io.envoyproxy.envoy.service.auth.v3.AttributeContext.HttpRequest;
import io.envoyproxy.envoy.service.auth.v3.AuthorizationGrpc;
import io.envoyproxy.envoy.service.auth.v3.CheckRequest;
import io.envoyproxy.envoy.service.auth.v3.CheckResponse;
import io.grpc.ConnectivityState;
import io.grpc.ManagedChannel;
import io.grpc.netty.shaded.io.grpc.netty.NettyChannelBuilder;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.awaitility.Awaitility;

/** One connection that asks as an Envoy does, one check at a time. */
public final class Checks implements AutoCloseable {

  /** Longer than that of an Envoy: the machine may be busy. */
  private static final Duration PATIENCE = Duration.ofSeconds(10);

  private final ManagedChannel channel;
  private final AuthorizationGrpc.AuthorizationBlockingStub stub;

  private Checks(ManagedChannel channel) {
    this.channel = channel;
    this.stub = AuthorizationGrpc.newBlockingStub(channel);
  }

  /** Connects, and sends nothing yet. */
  public static Checks connect(int port) {
    ManagedChannel channel =
        NettyChannelBuilder.forAddress("127.0.0.1", port).usePlaintext().build();
    Awaitility.await("connected")
        .atMost(Duration.ofSeconds(10))
        .pollInterval(Duration.ofMillis(5))
        .until(() -> channel.getState(true) == ConnectivityState.READY);
    return new Checks(channel);
  }

  /** A check as Envoy 1.40 sends it for a handshake of a WebSocket client. */
  public static CheckRequest webSocket(String pool) {
    return request(
        pool,
        Map.of(
            "connection",
            "Upgrade",
            "upgrade",
            "websocket",
            "sec-websocket-version",
            "13",
            "sec-websocket-key",
            "dGhlIHNhbXBsZSBub25jZQ=="));
  }

  /** A check of a request that is no handshake. */
  public static CheckRequest plain(String pool) {
    return request(pool, Map.of("accept", "*/*"));
  }

  private static CheckRequest request(String pool, Map<String, String> headers) {
    return CheckRequest.newBuilder()
        .setAttributes(
            AttributeContext.newBuilder()
                .putContextExtensions("pool", pool)
                .setRequest(
                    AttributeContext.Request.newBuilder()
                        .setHttp(
                            HttpRequest.newBuilder()
                                .setId("5103441734041353209")
                                .setMethod("GET")
                                .setScheme("http")
                                .setHost("chat.example")
                                .setPath("/room/1")
                                .setProtocol("HTTP/1.1")
                                .putHeaders(":method", "GET")
                                .putHeaders(":path", "/room/1")
                                .putHeaders(":authority", "chat.example")
                                .putHeaders("x-forwarded-proto", "http")
                                .putAllHeaders(headers))))
        .build();
  }

  public CheckResponse send(CheckRequest request) {
    return stub.withDeadlineAfter(PATIENCE).check(request);
  }

  /** Sends the same one so many times at once; returns when all are answered. */
  public List<CheckResponse> flood(CheckRequest request, int times) throws Exception {
    Callable<CheckResponse> ask = () -> stub.withDeadlineAfter(60, TimeUnit.SECONDS).check(request);
    List<CheckResponse> answers = new ArrayList<>();
    try (ExecutorService clients = Executors.newVirtualThreadPerTaskExecutor()) {
      for (Future<CheckResponse> one : clients.invokeAll(Collections.nCopies(times, ask))) {
        answers.add(one.get());
      }
    }
    return answers;
  }

  @Override
  public void close() throws InterruptedException {
    channel.shutdownNow().awaitTermination(10, TimeUnit.SECONDS);
  }
}
