package io.connectionledger.admission.check;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.connectionledger.admission.ScriptedLedger;
import io.connectionledger.admission.authz.CheckService;
import io.connectionledger.admission.decisionlog.DecisionPublisher;
import io.connectionledger.admission.decisionlog.KafkaDecisionLog;
import io.connectionledger.admission.metrics.AdmissionMetrics;
import io.connectionledger.admission.peer.Peers;
import io.connectionledger.model.PodAddress;
import io.connectionledger.model.event.Decision;
import io.connectionledger.testkit.CheckRequests;
import io.envoyproxy.envoy.service.auth.v3.AuthorizationGrpc;
import io.envoyproxy.envoy.service.auth.v3.CheckRequest;
import io.envoyproxy.envoy.service.auth.v3.CheckResponse;
import io.envoyproxy.envoy.type.v3.StatusCode;
import io.grpc.ManagedChannel;
import io.grpc.Server;
import io.grpc.netty.shaded.io.grpc.netty.NettyChannelBuilder;
import io.grpc.netty.shaded.io.grpc.netty.NettyServerBuilder;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.producer.MockProducer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Calls over a real connection: what gRPC itself says about callers that stay and that leave. */
final class CheckCallTest {

  private static final Decision.Allowed ALLOWED =
      new Decision.Allowed("chat", "r-1", new PodAddress("10.0.0.7", 8080), 0, 1_700_000_000_000L);

  private final ScriptedLedger ledger = new ScriptedLedger();
  private final MockProducer<byte[], byte[]> kafka =
      new MockProducer<>(false, null, new ByteArraySerializer(), new ByteArraySerializer());
  private Server server;
  private ManagedChannel channel;

  @BeforeEach
  void start() throws Exception {
    AdmissionMetrics metrics = new AdmissionMetrics(new SimpleMeterRegistry());
    DecisionPublisher publisher =
        new DecisionPublisher(new KafkaDecisionLog(kafka), metrics, () -> 1);
    Admission admission =
        new Admission(
            ledger.ledger(), Peers.NONE, publisher, Durability.ACKNOWLEDGED, metrics, () -> 1);
    InetAddress loopback = InetAddress.getLoopbackAddress();
    server =
        NettyServerBuilder.forAddress(new InetSocketAddress(loopback, 0))
            .directExecutor()
            .addService(new CheckService(admission))
            .build()
            .start();
    channel =
        NettyChannelBuilder.forAddress(new InetSocketAddress(loopback, server.getPort()))
            .usePlaintext()
            .build();
    ledger.pools.add("chat");
    ledger.decisions.add(ALLOWED);
  }

  @AfterEach
  void stop() {
    channel.shutdownNow();
    server.shutdownNow();
  }

  @Test
  void shouldKeepTheSlotOfACallerThatGotItsAnswer() throws Exception {
    // Given
    var stub = AuthorizationGrpc.newBlockingStub(channel);
    var answer = CompletableFuture.supplyAsync(() -> stub.check(webSocket()));
    await().until(() -> kafka.completeNext());
    // When
    CheckResponse received = answer.get(10, TimeUnit.SECONDS);
    channel.shutdownNow();
    server.shutdown();
    boolean ended = server.awaitTermination(10, TimeUnit.SECONDS);
    // Then
    assertThat(received.hasOkResponse()).isTrue();
    assertThat(ended).isTrue();
    assertThat(ledger.released).isEmpty();
  }

  @Test
  void shouldGiveTheSlotBackWhenTheCallerLeaves() {
    // Given
    var call = AuthorizationGrpc.newFutureStub(channel).check(webSocket());
    await().until(() -> kafka.history().size() == 1);
    // When
    call.cancel(true);
    // Then
    await().untilAsserted(() -> assertThat(ledger.released).containsExactly(ALLOWED));
  }

  /** As with too few replicas in sync: Kafka goes on trying for two minutes. */
  @Test
  void shouldAnswerWhileTheCallerWaitsThatKafkaDoesNotAcknowledge() {
    // Given
    var stub = AuthorizationGrpc.newBlockingStub(channel).withDeadlineAfter(4, TimeUnit.SECONDS);
    // When
    CheckResponse answer = stub.check(webSocket());
    boolean late = kafka.completeNext();
    // Then
    assertThat(answer.getDeniedResponse().getStatus().getCode())
        .isEqualTo(StatusCode.ServiceUnavailable);
    assertThat(answer.getDynamicMetadata().getFieldsOrThrow("reason").getStringValue())
        .isEqualTo("no_owner");
    assertThat(late).isTrue();
    assertThat(ledger.released).containsExactly(ALLOWED);
  }

  private static CheckRequest webSocket() {
    return CheckRequests.webSocket("chat", Map.of());
  }
}
