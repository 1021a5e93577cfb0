package io.connectionledger.app.serve;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;
import static org.awaitility.Awaitility.await;

import io.connectionledger.app.config.LedgerConfig.Listener;
import io.envoyproxy.envoy.service.auth.v3.AttributeContext;
import io.envoyproxy.envoy.service.auth.v3.AuthorizationGrpc;
import io.envoyproxy.envoy.service.auth.v3.CheckRequest;
import io.envoyproxy.envoy.service.auth.v3.CheckResponse;
import io.grpc.Attributes;
import io.grpc.ConnectivityState;
import io.grpc.InsecureServerCredentials;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.Status;
import io.grpc.netty.shaded.io.grpc.netty.NettyChannelBuilder;
import io.grpc.netty.shaded.io.grpc.netty.NettyChannelBuilder.LocalSocketPicker;
import io.grpc.stub.MetadataUtils;
import io.grpc.stub.StreamObserver;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What a check may bring along beside its message. */
class GrpcServerIT {

  private static final Metadata.Key<String> TRACESTATE =
      Metadata.Key.of("tracestate", Metadata.ASCII_STRING_MARSHALLER);

  /** HTTP/2 begins with it, and with settings. */
  private static final byte[] PREFACE =
      "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0".getBytes(US_ASCII);

  private final LinkedBlockingQueue<StreamObserver<CheckResponse>> waiting =
      new LinkedBlockingQueue<>();
  private final SimpleMeterRegistry registry = new SimpleMeterRegistry();
  private GrpcServer server;
  private ManagedChannel channel;

  /** Answers when the test says so. */
  private final class Patient extends AuthorizationGrpc.AuthorizationImplBase {

    @Override
    public void check(CheckRequest request, StreamObserver<CheckResponse> responses) {
      waiting.add(responses);
    }
  }

  @BeforeEach
  void start() {
    server =
        GrpcServer.startOnEventLoop(
            "authz",
            new Listener("127.0.0.1", 0),
            InsecureServerCredentials.create(),
            registry,
            new Patient().bindService());
    channel = NettyChannelBuilder.forAddress("127.0.0.1", server.port()).usePlaintext().build();
  }

  @AfterEach
  void stop() throws Exception {
    channel.shutdownNow();
    server.close();
  }

  private Future<CheckResponse> check(int metadataBytes) {
    return check(channel, metadataBytes);
  }

  private static Future<CheckResponse> check(ManagedChannel channel, int metadataBytes) {
    Metadata metadata = new Metadata();
    metadata.put(TRACESTATE, "x".repeat(metadataBytes));
    CompletableFuture<CheckResponse> answer = new CompletableFuture<>();
    AuthorizationGrpc.newStub(channel)
        .withInterceptors(MetadataUtils.newAttachHeadersInterceptor(metadata))
        .check(
            CheckRequest.getDefaultInstance(),
            new StreamObserver<>() {
              @Override
              public void onNext(CheckResponse response) {
                answer.complete(response);
              }

              @Override
              public void onError(Throwable failure) {
                answer.completeExceptionally(failure);
              }

              @Override
              public void onCompleted() {
                // Said all with the response.
              }
            });
    return answer;
  }

  private void answer() throws InterruptedException {
    StreamObserver<CheckResponse> next = waiting.poll(10, TimeUnit.SECONDS);
    next.onNext(CheckResponse.getDefaultInstance());
    next.onCompleted();
  }

  @Test
  void shouldTakeAllThatEnvoyTakesFromAClient() throws Exception {
    // Given
    Future<CheckResponse> check = check(100 << 10);
    // When
    answer();
    // Then
    assertThat(check.get(10, TimeUnit.SECONDS)).isEqualTo(CheckResponse.getDefaultInstance());
  }

  @Test
  void shouldFailNoOtherCheckOfTheConnectionForOneThatBringsTooMuch() throws Exception {
    // Given
    List<Future<CheckResponse>> neighbours = new ArrayList<>();
    for (int i = 0; i < 8; i++) {
      neighbours.add(check(10));
    }
    // When
    Future<CheckResponse> tooMuch = check(GrpcServer.MAX_METADATA_BYTES + 1_000);
    assertThatThrownBy(() -> tooMuch.get(10, TimeUnit.SECONDS))
        .isInstanceOf(ExecutionException.class);
    // Then
    for (int i = 0; i < neighbours.size(); i++) {
      answer();
    }
    for (Future<CheckResponse> neighbour : neighbours) {
      assertThat(neighbour.get(10, TimeUnit.SECONDS)).isEqualTo(CheckResponse.getDefaultInstance());
    }
  }

  @Test
  void shouldRefuseAMessageThatIsTooLargeAndNoOtherOfTheConnection() throws Exception {
    // Given
    Future<CheckResponse> neighbour = check(10);
    CheckRequest huge =
        CheckRequest.newBuilder()
            .setAttributes(
                AttributeContext.newBuilder()
                    .putContextExtensions("x", "x".repeat(GrpcServer.MAX_MESSAGE_BYTES)))
            .build();
    // When
    Throwable refused =
        catchThrowable(
            () ->
                AuthorizationGrpc.newBlockingStub(channel)
                    .withDeadlineAfter(10, TimeUnit.SECONDS)
                    .check(huge));
    // Then
    assertThat(Status.fromThrowable(refused).getCode()).isEqualTo(Status.Code.RESOURCE_EXHAUSTED);
    assertThat(refused("message_too_large")).isEqualTo(1);
    assertThat(refused("busy")).isZero();
    answer();
    assertThat(neighbour.get(10, TimeUnit.SECONDS)).isEqualTo(CheckResponse.getDefaultInstance());
  }

  @Test
  void shouldCountWhatAServiceHasTooManyOf() throws Exception {
    // Given
    Future<CheckResponse> check = check(10);
    // When
    waiting.poll(10, TimeUnit.SECONDS).onError(Status.RESOURCE_EXHAUSTED.asRuntimeException());
    assertThatThrownBy(() -> check.get(10, TimeUnit.SECONDS))
        .isInstanceOf(ExecutionException.class);
    // Then
    assertThat(refused("busy")).isEqualTo(1);
  }

  @Test
  void shouldCloseWhatOneAddressOpensTooMany() throws Exception {
    // Given
    String other = "127.0.0.2";
    List<Socket> open = new ArrayList<>();
    ManagedChannel late =
        NettyChannelBuilder.forAddress("127.0.0.1", server.port())
            .usePlaintext()
            .localSocketPicker(
                new LocalSocketPicker() {
                  @Override
                  public SocketAddress createSocketAddress(
                      SocketAddress to, Attributes attributes) {
                    return new InetSocketAddress(other, 0);
                  }
                })
            .build();
    try {
      for (int i = 0; i <= GrpcServer.MAX_CONNECTIONS_OF_AN_ADDRESS; i++) {
        Socket socket = new Socket("127.0.0.1", server.port(), InetAddress.getByName(other), 0);
        open.add(socket);
        socket.getOutputStream().write(PREFACE);
      }
      await("one is too many").until(() -> refused("connections") == 1);
      // When
      Future<CheckResponse> tooLate = check(late, 10);
      Future<CheckResponse> ofAnother = check(10);
      // Then
      // The reset that follows may overtake the reason.
      assertThatThrownBy(() -> tooLate.get(10, TimeUnit.SECONDS))
          .isInstanceOf(ExecutionException.class);
      assertThat(refused("connections")).isGreaterThan(1);
      answer();
      assertThat(ofAnother.get(10, TimeUnit.SECONDS)).isEqualTo(CheckResponse.getDefaultInstance());
      for (Socket socket : open) {
        socket.close();
      }
      await("there is room again").until(() -> isTaken(late));
    } finally {
      late.shutdownNow();
      for (Socket socket : open) {
        socket.close();
      }
    }
  }

  private boolean isTaken(ManagedChannel from) throws InterruptedException {
    from.resetConnectBackoff();
    Future<CheckResponse> check = check(from, 10);
    StreamObserver<CheckResponse> taken = waiting.poll(1, TimeUnit.SECONDS);
    return taken != null && !check.isDone();
  }

  private double refused(String reason) {
    return registry.get("ledger.grpc.refused").tag("reason", reason).counter().count();
  }

  /** What is more waits in the client, which may open another connection. */
  @Test
  void shouldWorkOnSoManyCallsOfAConnectionAndTakeTheNextWhenOneIsAnswered() throws Exception {
    // Given
    CheckRequest request = CheckRequest.getDefaultInstance();
    AuthorizationGrpc.AuthorizationStub stub = AuthorizationGrpc.newStub(channel);
    CountDownLatch answered = new CountDownLatch(1);
    for (int i = 0; i <= GrpcServer.MAX_CALLS_OF_A_CONNECTION; i++) {
      stub.check(
          request,
          new StreamObserver<>() {
            @Override
            public void onNext(CheckResponse response) {
              answered.countDown();
            }

            @Override
            public void onError(Throwable failure) {
              // At the end of the test.
            }

            @Override
            public void onCompleted() {
              // Said all with the response.
            }
          });
    }
    await()
        .atMost(Duration.ofSeconds(30))
        .untilAsserted(() -> assertThat(waiting).hasSize(GrpcServer.MAX_CALLS_OF_A_CONNECTION));
    await()
        .during(Duration.ofMillis(200))
        .untilAsserted(() -> assertThat(waiting).hasSize(GrpcServer.MAX_CALLS_OF_A_CONNECTION));
    // When
    answer();
    answered.await();
    // Then
    await().untilAsserted(() -> assertThat(waiting).hasSize(GrpcServer.MAX_CALLS_OF_A_CONNECTION));
  }

  private static GrpcServer hasty() {
    return GrpcServer.startOnEventLoop(
        "authz",
        new Listener("127.0.0.1", 0),
        InsecureServerCredentials.create(),
        new SimpleMeterRegistry(),
        new GrpcServer.Times(
            Duration.ofMillis(300),
            Duration.ofSeconds(1),
            Duration.ofMillis(300),
            Duration.ofMillis(300)));
  }

  @Test
  void shouldCloseAConnectionThatIsNeverReadyOrDoesNotAnswerAnyMore() throws Exception {
    try (GrpcServer hasty = hasty();
        Socket slow = new Socket(InetAddress.getLoopbackAddress(), hasty.port());
        Socket silent = new Socket(InetAddress.getLoopbackAddress(), hasty.port())) {
      silent.getOutputStream().write(PREFACE);
      for (Socket socket : List.of(slow, silent)) {
        socket.setSoTimeout(10_000);
        assertThat(socket.getInputStream().readAllBytes()).hasSizeLessThan(200);
      }
    }
  }

  @Test
  void shouldCloseAConnectionWithoutCalls() throws Exception {
    try (GrpcServer hasty = hasty()) {
      ManagedChannel idle =
          NettyChannelBuilder.forAddress("127.0.0.1", hasty.port()).usePlaintext().build();
      try {
        await().until(() -> idle.getState(true) == ConnectivityState.READY);
        await().until(() -> idle.getState(false) == ConnectivityState.IDLE);
      } finally {
        idle.shutdownNow();
      }
    }
  }
}
