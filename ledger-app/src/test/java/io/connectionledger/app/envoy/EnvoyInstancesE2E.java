package io.connectionledger.app.envoy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.connectionledger.app.serve.Checks;
import io.connectionledger.app.websocket.WebSocketClients;
import io.connectionledger.app.websocket.WebSocketClients.Attempt;
import io.connectionledger.app.websocket.WebSocketClients.Opened;
import io.connectionledger.app.websocket.WebSocketClients.Refused;
import io.connectionledger.app.websocket.WebSocketPod;
import io.connectionledger.model.policy.Pod;
import io.connectionledger.model.policy.PoolPolicy;
import java.net.URI;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What the bootstrap file makes the real Envoy do with two instances of the ledger. */
final class EnvoyInstancesE2E {

  private static final Path BOOTSTRAP = Path.of("..", "envoy", "envoy.yaml");

  /** So many that a fair choice between two instances asks either. */
  private static final int ATTEMPTS = 40;

  @TempDir private Path folder;

  private final List<AutoCloseable> parts = new ArrayList<>();
  private LedgerStandIn first;
  private LedgerStandIn second;
  private EnvoyProcess envoy;
  private WebSocketClients clients;

  /** What a process does the first time may take longer than Envoy waits for an answer. */
  @BeforeAll
  static void warmUp() throws Exception {
    try (LedgerStandIn ledger = new LedgerStandIn(List.of())) {
      ledger.answer(LedgerStandIn::reject);
      try (Checks checks = Checks.connect(ledger.port())) {
        for (int i = 0; i < 2_000; i++) {
          assertThat(checks.send(Checks.webSocket("chat")).hasDeniedResponse()).isTrue();
        }
      }
    }
  }

  @BeforeEach
  void start() throws Exception {
    WebSocketPod pod = part(WebSocketPod.start());
    List<PoolPolicy> pools =
        List.of(
            new PoolPolicy(
                "chat",
                1,
                10,
                2,
                PoolPolicy.Mode.ENFORCE,
                PoolPolicy.OnOwnerLoss.SHARE,
                List.of(new Pod("pod", pod.address()))));
    first = part(new LedgerStandIn(pools));
    second = part(new LedgerStandIn(pools));
    for (LedgerStandIn ledger : List.of(first, second)) {
      ledger.answer(() -> LedgerStandIn.place(pod.address(), "r-1"));
    }
    clients = part(new WebSocketClients());
    List<Integer> ports = List.of(first.port(), second.port());
    envoy =
        part(
            EnvoyProcess.start(
                EnvoyBinary.system().locate(),
                BOOTSTRAP,
                EnvoyOptions.of("envoy-test", 1, 1, 1).withServices(ports, ports, ports),
                folder));
  }

  @AfterEach
  void stop() throws Exception {
    for (AutoCloseable part : parts.reversed()) {
      part.close();
    }
  }

  @Test
  void shouldAskEachAndBelieveItsRejection() {
    // Given
    first.answer(LedgerStandIn::reject);
    second.answer(LedgerStandIn::reject);

    // When
    List<Attempt> attempts = attempt();

    // Then: no rejection is asked about again
    assertThat(attempts)
        .allSatisfy(
            attempt ->
                assertThat(attempt)
                    .isInstanceOfSatisfying(
                        Refused.class, refused -> assertThat(refused.status()).isEqualTo(503)));
    assertThat(first.checks).isNotEmpty();
    assertThat(second.checks).isNotEmpty();
    assertThat(first.checks.size() + second.checks.size()).isEqualTo(ATTEMPTS);
  }

  @Test
  void shouldAskTheOtherAtOnceWhenOneIsGone() throws Exception {
    // When
    first.close();
    List<Attempt> attempts = attempt();

    // Then
    assertThat(attempts).hasOnlyElementsOfType(Opened.class);
    assertThat(first.checks).isEmpty();
    assertThat(second.checks).hasSize(ATTEMPTS);
    assertThat(EnvoyProbe.stat(envoy, "cluster.authz.upstream_rq_retry")).isPositive();
  }

  @Test
  void shouldAskTheOtherInTimeWhenOneTakesChecksAndIsSilent() throws Exception {
    // Given
    first.fallSilent();

    // When
    List<Attempt> attempts = attempt();

    // Then: none passed for want of an answer, which would have been counted
    assertThat(attempts).hasOnlyElementsOfType(Opened.class);
    assertThat(first.checks).isNotEmpty();
    assertThat(second.checks).hasSize(ATTEMPTS);
    assertThat(EnvoyProbe.stat(envoy, "cluster.authz.upstream_rq_per_try_timeout"))
        .isEqualTo(first.checks.size());
    assertThat(errors()).isZero();
  }

  @Test
  void shouldAskNoneThatIsNotServingWhileAnotherIs() throws Exception {
    // Given
    first.notServing();
    awaitServing(1);

    // When
    List<Attempt> attempts = attempt();

    // Then
    assertThat(attempts).hasOnlyElementsOfType(Opened.class);
    assertThat(first.checks).isEmpty();
    assertThat(second.checks).hasSize(ATTEMPTS);
  }

  @Test
  void shouldAskThoseThatAreNotServingWhenNoneIs() throws Exception {
    // Given
    first.notServing();
    second.notServing();
    awaitServing(0);

    // When
    List<Attempt> attempts = attempt();

    // Then
    assertThat(attempts).hasOnlyElementsOfType(Opened.class);
    assertThat(first.checks.size() + second.checks.size()).isEqualTo(ATTEMPTS);
    assertThat(errors()).isZero();
  }

  private void awaitServing(int instances) {
    await()
        .until(
            () -> EnvoyProbe.stat(envoy, "cluster.authz.membership_healthy"),
            healthy -> healthy == instances);
  }

  private long errors() throws Exception {
    return EnvoyProbe.stat(envoy, "http.websockets.ext_authz.admission.error");
  }

  private List<Attempt> attempt() {
    URI uri = URI.create("ws://127.0.0.1:" + envoy.listenerPort() + "/");
    List<CompletableFuture<Attempt>> attempts =
        Stream.generate(() -> clients.open(uri, Map.of())).limit(ATTEMPTS).toList();
    return attempts.stream().map(CompletableFuture::join).toList();
  }

  private <T extends AutoCloseable> T part(T part) {
    parts.add(part);
    return part;
  }
}
