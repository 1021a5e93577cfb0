package io.connectionledger.controlplane;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;
import static org.awaitility.Awaitility.await;

import io.connectionledger.model.PodAddress;
import io.connectionledger.model.policy.Pod;
import io.connectionledger.model.policy.PolicyRecord;
import io.connectionledger.model.policy.PoolPolicy;
import io.connectionledger.testkit.InProcessService;
import io.connectionledger.testkit.PolicyFixtures;
import io.envoyproxy.controlplane.cache.Resources;
import io.envoyproxy.envoy.service.discovery.v3.DeltaDiscoveryRequest;
import io.envoyproxy.envoy.service.discovery.v3.DeltaDiscoveryResponse;
import io.envoyproxy.envoy.service.endpoint.v3.EndpointDiscoveryServiceGrpc;
import io.grpc.Status;
import io.grpc.stub.StreamObserver;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What Envoys are sent, and above all what not, after they refused something. */
@Execution(ExecutionMode.CONCURRENT)
final class EdsServerIT {

  /** How the endpoints are asked for. */
  enum Protocol {
    PLAIN,
    DELTA,
    PLAIN_OVER_ADS,
    DELTA_OVER_ADS
  }

  private final List<Nack> log = new CopyOnWriteArrayList<>();
  private final SimpleMeterRegistry registry = new SimpleMeterRegistry();
  private final EdsServer eds = new EdsServer(registry, log::add);
  private InProcessService service;

  @BeforeEach
  void start() throws IOException {
    service = InProcessService.start(eds.service(), eds.overAds());
  }

  @AfterEach
  void stop() throws InterruptedException {
    service.close();
  }

  @ParameterizedTest
  @EnumSource
  void shouldSendNothingAfterARefusalBeforeTheContentChanges(Protocol protocol) {
    // Given
    eds.update(List.of(pool("chat", 1), pool("games", 1)));
    ScriptedXdsClient envoy = envoy(protocol, "envoy-1");
    envoy.refusing = true;
    // When
    envoy.subscribe("chat");
    // Then
    awaitAndStay(envoy, 1);
    assertThat(log)
        .extracting(Nack::envoy, Nack::pools, Nack::reason)
        .containsExactly(tuple("envoy-1", "chat", "malformed IP address: 127.0.0.04"));

    // When: nothing new, and something new that it did not ask for
    eds.update(List.of(pool("games", 1), pool("chat", 1)));
    eds.update(List.of(pool("games", 2), pool("chat", 1)));
    // Then
    awaitAndStay(envoy, 1);

    // When: another that it cannot take either
    eds.update(List.of(pool("games", 2), pool("chat", 2)));
    // Then
    awaitAndStay(envoy, 2);
    assertThat(log).hasSize(2).extracting(Nack::version).doesNotHaveDuplicates();

    // When
    envoy.refusing = false;
    eds.update(List.of(pool("games", 2), pool("chat", 3)));
    // Then
    awaitAndStay(envoy, 3);
    assertThat(log).hasSize(2);
    assertThat(nacks()).isEqualTo(2);
    assertThat(envoy.responses).containsOnly(List.of("chat"));
  }

  @ParameterizedTest
  @EnumSource
  void shouldSendNothingWhenAChangeIsRefused(Protocol protocol) {
    // Given
    eds.update(List.of(pool("chat", 1)));
    ScriptedXdsClient envoy = envoy(protocol, "envoy-1");
    envoy.subscribe("chat");
    awaitAndStay(envoy, 1);
    assertThat(nacks()).isZero();
    // When
    envoy.refusing = true;
    eds.update(List.of(pool("chat", 2)));
    // Then
    awaitAndStay(envoy, 2);
    // When: what it still has
    envoy.refusing = false;
    eds.update(List.of(pool("chat", 1)));
    // Then
    awaitAndStay(envoy, 3);
    assertThat(nacks()).isEqualTo(1);
  }

  @ParameterizedTest
  @EnumSource
  void shouldStillAnswerWhatIsAskedForLater(Protocol protocol) {
    // Given
    eds.update(List.of(pool("chat", 1), pool("games", 1)));
    ScriptedXdsClient envoy = envoy(protocol, "envoy-1");
    envoy.refusing = true;
    envoy.subscribe("chat");
    awaitAndStay(envoy, 1);
    // When
    envoy.refusing = false;
    envoy.subscribe("games");
    // Then
    awaitAndStay(envoy, 2);
    assertThat(envoy.responses.getLast()).contains("games");
  }

  @ParameterizedTest
  @EnumSource
  void shouldTellOfARefusalOnceForEachEnvoyAndVersionAndCountEach(Protocol protocol) {
    // Given
    eds.update(List.of(pool("chat", 1)));
    // When: it connects three times, and another Envoy once
    for (String node : List.of("envoy-1", "envoy-1", "envoy-1", "envoy-2")) {
      ScriptedXdsClient envoy = envoy(protocol, node);
      envoy.refusing = true;
      envoy.subscribe("chat");
      awaitAndStay(envoy, 1);
      envoy.close();
    }
    // Then
    assertThat(log).extracting(Nack::envoy).containsExactly("envoy-1", "envoy-2");
    assertThat(nacks()).isEqualTo(4);
  }

  /** The discovery server itself would keep the names for as long as the stream lasts. */
  @Test
  void shouldEndAStreamThatAsksForTooMuchAndAnswerTheNext() {
    // Given
    eds.update(List.of(pool("chat", 1)));
    CompletableFuture<Status> end = new CompletableFuture<>();
    StreamObserver<DeltaDiscoveryRequest> greedy =
        EndpointDiscoveryServiceGrpc.newStub(service.channel())
            .deltaEndpoints(
                new StreamObserver<>() {
                  @Override
                  public void onNext(DeltaDiscoveryResponse response) {
                    // Of the pool that there is.
                  }

                  @Override
                  public void onError(Throwable failure) {
                    end.complete(Status.fromThrowable(failure));
                  }

                  @Override
                  public void onCompleted() {
                    end.complete(Status.OK);
                  }
                });
    // When
    for (int i = 0; i < 4; i++) {
      greedy.onNext(
          DeltaDiscoveryRequest.newBuilder()
              .setTypeUrl(Resources.V3.ENDPOINT_TYPE_URL)
              .addResourceNamesSubscribe(i + "x".repeat(300_000))
              .build());
    }
    // Then
    assertThat(end)
        .succeedsWithin(Duration.ofSeconds(10))
        .extracting(Status::getCode)
        .isEqualTo(Status.Code.RESOURCE_EXHAUSTED);
    ScriptedXdsClient next = envoy(Protocol.DELTA, "envoy-1");
    next.subscribe("chat");
    awaitAndStay(next, 1);
    assertThat(registry.get(AskedNames.REFUSED).counter().count()).isEqualTo(1);
  }

  private ScriptedXdsClient envoy(Protocol protocol, String node) {
    return switch (protocol) {
      case PLAIN -> ScriptedXdsClient.Plain.overEds(service.channel(), node);
      case DELTA -> ScriptedXdsClient.Delta.overEds(service.channel(), node);
      case PLAIN_OVER_ADS -> ScriptedXdsClient.Plain.overAds(service.channel(), node);
      case DELTA_OVER_ADS -> ScriptedXdsClient.Delta.overAds(service.channel(), node);
    };
  }

  /** Has got so many responses, and gets no more. */
  private static void awaitAndStay(ScriptedXdsClient envoy, int responses) {
    await().until(() -> envoy.responses.size() >= responses);
    await()
        .during(Duration.ofMillis(200))
        .untilAsserted(() -> assertThat(envoy.responses).hasSize(responses));
  }

  private double nacks() {
    return registry.get(Nacks.NACKS).counter().count();
  }

  private static PolicyRecord pool(String name, int pods) {
    return PolicyFixtures.record(
        PolicyFixtures.limited(
            name,
            1,
            10,
            2,
            PoolPolicy.OnOwnerLoss.SHARE,
            Stream.iterate(1, port -> port + 1)
                .limit(pods)
                .map(port -> new Pod("pod-" + port, new PodAddress("10.0.0.1", port)))
                .toList()));
  }
}
