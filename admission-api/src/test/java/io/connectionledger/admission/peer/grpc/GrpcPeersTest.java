package io.connectionledger.admission.peer.grpc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.core.type.TypeReference;
import com.google.protobuf.ByteString;
import io.connectionledger.admission.peer.Peers;
import io.connectionledger.admission.peer.Question;
import io.connectionledger.admission.peer.proto.DecideRequest;
import io.connectionledger.admission.peer.proto.DecideResponse;
import io.connectionledger.admission.peer.proto.PeerGrpc;
import io.connectionledger.admission.peer.proto.PoolRequest;
import io.connectionledger.admission.peer.proto.PoolResponse;
import io.connectionledger.model.Ticker;
import io.connectionledger.model.UnreadableRecordException;
import io.connectionledger.model.event.Decision;
import io.grpc.InsecureChannelCredentials;
import io.grpc.Server;
import io.grpc.netty.shaded.io.grpc.netty.NettyServerBuilder;
import io.grpc.stub.StreamObserver;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What another instance may cost this one. */
@Timeout(60)
final class GrpcPeersTest {

  private final GrpcPeers peers =
      new GrpcPeers(InsecureChannelCredentials.create(), Ticker.system());

  @AfterEach
  void stop() {
    peers.close();
  }

  @Test
  void shouldHoldBackNoMoreChecksThanItMay() throws InterruptedException {
    CountDownLatch begun = new CountDownLatch(1);
    CountDownLatch release = new CountDownLatch(1);
    CountDownLatch done = new CountDownLatch(GrpcPeers.MAX_WAITING);
    assertThat(
            peers.later(
                () -> {
                  begun.countDown();
                  try {
                    release.await();
                  } catch (InterruptedException stopping) {
                    Thread.currentThread().interrupt();
                  }
                }))
        .isTrue();
    begun.await();
    for (int i = 0; i < GrpcPeers.MAX_WAITING; i++) {
      assertThat(peers.later(done::countDown)).isTrue();
    }

    assertThat(peers.later(() -> {})).isFalse();
    release.countDown();
    done.await();

    assertThat(peers.later(() -> {})).isTrue();
  }

  /** It is read on the event loop that the checks wait for. */
  @Test
  void shouldReadNoAnswerOnTheEventLoopThatIsTooLarge() throws Exception {
    List<String> outcomes = new CopyOnWriteArrayList<>();
    Server server = compromised();
    try {
      for (int bytes :
          List.of(PeerMessages.MAX_DECISION_BYTES + 1, GrpcPeers.MAX_PROMPT_ANSWER_BYTES)) {
        outcomes.clear();
        peers.decide(
            "127.0.0.1:" + server.getPort(),
            new Question(Integer.toString(bytes), null, null),
            Duration.ofSeconds(10).toNanos(),
            new Peers.Answer() {
              @Override
              public void decided(Decision decision) {
                outcomes.add("decided");
              }

              @Override
              public void disowned() {
                outcomes.add("disowned");
              }

              @Override
              public void unreachable() {
                outcomes.add("unreachable");
              }

              @Override
              public void late() {
                outcomes.add("late");
              }
            });
        await().untilAsserted(() -> assertThat(outcomes).containsExactly("unreachable"));
      }
    } finally {
      server.shutdownNow();
    }
  }

  @Test
  void shouldReadNoAnswerToAQueryThatIsTooLarge() throws Exception {
    Server server = compromised();
    try {
      for (int bytes : List.of(1_000_000, GrpcPeers.MAX_ANSWER_BYTES)) {
        assertThat(
                peers.query(
                    "127.0.0.1:" + server.getPort(),
                    PeerGrpc.getConnectionsMethod(),
                    Integer.toString(bytes),
                    new TypeReference<String>() {}))
            .as("of %d bytes", bytes)
            .matches(answer -> answer.isPresent() == (bytes == 1_000_000));
      }
    } finally {
      server.shutdownNow();
    }
  }

  /** Whose answers have as many bytes as the name of the pool says. */
  private static Server compromised() throws IOException {
    return NettyServerBuilder.forAddress(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0))
        .addService(
            new PeerGrpc.PeerImplBase() {
              @Override
              public void decide(DecideRequest request, StreamObserver<DecideResponse> responses) {
                responses.onNext(
                    DecideResponse.newBuilder().setDecision(text(request.getPool())).build());
                responses.onCompleted();
              }

              @Override
              public void connections(PoolRequest request, StreamObserver<PoolResponse> responses) {
                responses.onNext(
                    PoolResponse.newBuilder().setJson(text(request.getPool())).build());
                responses.onCompleted();
              }
            })
        .build()
        .start();
  }

  private static ByteString text(String bytes) {
    return ByteString.copyFromUtf8('"' + "x".repeat(Integer.parseInt(bytes) - 2) + '"');
  }

  @Test
  void shouldDecodeNoDecisionThatIsTooLarge() {
    assertThatThrownBy(
            () ->
                PeerMessages.decision(
                    ByteString.copyFrom(new byte[PeerMessages.MAX_DECISION_BYTES + 1])))
        .isInstanceOf(UnreadableRecordException.class)
        .hasMessage("a decision of 4097 bytes: allowed are 4096");
  }
}
