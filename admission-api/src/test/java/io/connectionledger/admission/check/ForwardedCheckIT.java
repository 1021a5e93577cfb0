package io.connectionledger.admission.check;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.connectionledger.admission.RecordingCall;
import io.connectionledger.admission.ScriptedLedger;
import io.connectionledger.admission.authz.CheckService;
import io.connectionledger.admission.decisionlog.DecisionPublisher;
import io.connectionledger.admission.decisionlog.KafkaDecisionLog;
import io.connectionledger.admission.loan.Borrower;
import io.connectionledger.admission.metrics.AdmissionMetrics;
import io.connectionledger.admission.peer.grpc.ClusterPoolQueries;
import io.connectionledger.admission.peer.grpc.GrpcPeers;
import io.connectionledger.admission.peer.grpc.PeerService;
import io.connectionledger.model.PodAddress;
import io.connectionledger.model.Ticker;
import io.connectionledger.model.event.Decision;
import io.connectionledger.model.event.Loan;
import io.connectionledger.model.event.RejectionReason;
import io.connectionledger.model.policy.Affinity;
import io.connectionledger.model.policy.PoolPolicy.Mode;
import io.connectionledger.model.policy.PoolPolicy.OnOwnerLoss;
import io.connectionledger.model.view.PoolReadiness;
import io.connectionledger.model.view.PoolReadiness.EnvoyView;
import io.connectionledger.model.view.PoolRejections;
import io.connectionledger.model.view.PoolRejections.PodRejections;
import io.connectionledger.model.view.PoolReport;
import io.connectionledger.model.view.PoolScaling;
import io.connectionledger.model.view.PoolView;
import io.connectionledger.model.view.PoolView.PodView;
import io.connectionledger.model.view.PoolView.State;
import io.connectionledger.streams.Owner;
import io.connectionledger.testkit.CheckRequests;
import io.envoyproxy.envoy.service.auth.v3.CheckRequest;
import io.envoyproxy.envoy.service.auth.v3.CheckResponse;
import io.envoyproxy.envoy.service.auth.v3.OkHttpResponse;
import io.grpc.Context;
import io.grpc.InsecureChannelCredentials;
import io.grpc.Server;
import io.grpc.netty.shaded.io.grpc.netty.NettyServerBuilder;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.producer.MockProducer;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Two instances with a real connection between them; the other one owns the pool. */
final class ForwardedCheckIT {

  private static final Decision.Allowed ALLOWED =
      new Decision.Allowed("chat", "r-1", new PodAddress("10.0.0.7", 8080), 0, 1_700_000_000_000L);

  private static final ScheduledExecutorService TIMER =
      Executors.newSingleThreadScheduledExecutor(
          Thread.ofPlatform().name("deadlines").daemon().factory());

  private final Side here = new Side(Durability.FAST);
  private final Side there = new Side(Durability.ACKNOWLEDGED);
  private final RecordingCall<CheckResponse> call = new RecordingCall<>();
  private Server server;
  private Owner.Other other;

  /** One instance. */
  private static final class Side {
    final ScriptedLedger ledger = new ScriptedLedger();
    final MockProducer<byte[], byte[]> kafka =
        new MockProducer<>(false, null, new ByteArraySerializer(), new ByteArraySerializer());
    final SimpleMeterRegistry registry = new SimpleMeterRegistry();
    final GrpcPeers peers = new GrpcPeers(InsecureChannelCredentials.create(), Ticker.system());
    final Admission admission;

    Side(Durability durability) {
      ledger.pools.add("chat");
      AdmissionMetrics metrics = new AdmissionMetrics(registry);
      admission =
          new Admission(
              ledger.ledger(),
              peers,
              new DecisionPublisher(new KafkaDecisionLog(kafka), metrics, Ticker.system()),
              durability,
              metrics,
              Ticker.system());
    }

    /** Asks as a caller who can wait. */
    void check(RecordingCall<CheckResponse> call) {
      check(call, Duration.ofSeconds(10));
    }

    void check(RecordingCall<CheckResponse> call, Duration timeout) {
      Context.current()
          .withDeadlineAfter(timeout.toMillis(), TimeUnit.MILLISECONDS, TIMER)
          .run(() -> new CheckService(admission).check(webSocket(), call));
    }

    double attempted() {
      return registry.get("websocket.connections.attempted").tag("pool", "chat").counter().count();
    }
  }

  @BeforeEach
  void start() throws Exception {
    server =
        NettyServerBuilder.forAddress(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0))
            .directExecutor()
            .addService(
                new PeerService(
                    there.admission.local(), there.ledger.ledger(), Runnable::run, Ticker.system()))
            .build()
            .start();
    other = new Owner.Other("127.0.0.1:" + server.getPort(), 7);
  }

  @AfterEach
  void stop() {
    here.peers.close();
    there.peers.close();
    server.shutdownNow();
  }

  private static CheckRequest webSocket() {
    return CheckRequests.webSocket("chat", Map.of("x-user", "zoë 7"));
  }

  private static Decision.Rejected rejected(RejectionReason reason) {
    return new Decision.Rejected("chat", "d-1", reason, null, 7, 1_700_000_000_000L);
  }

  private static Decision noOwner() {
    return rejected(RejectionReason.NO_OWNER);
  }

  private String reason() {
    return call.onlyResponse().getDynamicMetadata().getFieldsOrThrow("reason").getStringValue();
  }

  private String reservation() {
    return call.onlyResponse()
        .getDynamicMetadata()
        .getFieldsOrThrow("reservation")
        .getStringValue();
  }

  @Test
  void shouldTellTheOwnerWhatTheClientIsKnownBy() {
    // Given
    here.ledger.affinity = Affinity.header("x-user");
    here.ledger.decisions.add(noOwner());
    here.ledger.owners.add(other);
    there.ledger.decisions.add(rejected(RejectionReason.POD_LIMIT));
    // When
    here.check(call);
    await().until(call::isAnswered);
    // Then
    assertThat(there.ledger.asked).containsExactly("chat");
    assertThat(there.ledger.keys).containsExactly("zoë 7");
  }

  @Test
  void shouldAnswerWhatTheOwnerDecidesAndLeaveTheRecordToIt() {
    // Given
    here.ledger.decisions.add(noOwner());
    here.ledger.owners.add(other);
    there.ledger.decisions.add(ALLOWED);
    // When
    here.check(call);
    await().until(() -> there.kafka.completeNext());
    await().until(call::isAnswered);
    // Then
    assertThat(reservation()).isEqualTo("r-1");
    assertThat(there.kafka.history()).hasSize(1);
    assertThat(here.kafka.history()).isEmpty();
    assertThat(there.attempted()).isEqualTo(1);
    assertThat(here.registry.find("websocket.connections.attempted").tag("pool", "chat").counter())
        .isNull();
    assertThat(here.registry.get("ledger.decision").tag("outcome", "allowed").timer().count())
        .isEqualTo(1);
    assertThat(there.registry.get("ledger.decision").tag("outcome", "allowed").timer().count())
        .isZero();
  }

  @Test
  void shouldNotTakeAnOwnerForUnreachableWhoseClientLeaves() {
    // Given
    here.ledger.decisions.add(noOwner());
    here.ledger.owners.add(other);
    there.ledger.decisions.add(ALLOWED);
    Context.CancellableContext client = Context.ROOT.withCancellation();
    // When
    client.run(() -> new CheckService(here.admission).check(webSocket(), call));
    await().until(() -> !there.kafka.history().isEmpty());
    client.cancel(null);
    await().until(() -> there.kafka.completeNext());
    await().until(call::isAnswered);
    // Then
    assertThat(reservation()).isEqualTo("r-1");
    assertThat(here.ledger.unreachable).isEmpty();
  }

  @Test
  void shouldPassTheOwnersRejectionOn() {
    // Given
    here.ledger.decisions.add(noOwner());
    here.ledger.owners.add(other);
    there.ledger.decisions.add(rejected(RejectionReason.POD_LIMIT));
    // When
    here.check(call);
    await().until(call::isAnswered);
    // Then
    assertThat(reason()).isEqualTo("pod_limit");
    assertThat(call.onlyResponse().getDeniedResponse().getStatus().getCodeValue()).isEqualTo(503);
  }

  @Test
  void shouldNeverForwardAForwardedCheck() {
    // Given
    here.ledger.decisions.addAll(List.of(noOwner(), ALLOWED));
    here.ledger.owners.addAll(List.of(other, Owner.CHANGING));
    there.ledger.decisions.add(noOwner());
    there.ledger.owners.add(new Owner.Other("127.0.0.1:1", 8));
    // When
    here.check(call);
    await().until(call::isAnswered);
    // Then
    assertThat(reservation()).isEqualTo("r-1");
    assertThat(here.ledger.disowned).containsExactly(other);
    assertThat(there.ledger.owners).hasSize(1);
  }

  @Test
  void shouldHoldACheckBackWhileThePoolChangesHands() {
    // Given
    here.ledger.decisions.addAll(List.of(noOwner(), noOwner(), noOwner()));
    here.ledger.owners.addAll(List.of(Owner.CHANGING, Owner.CHANGING, other));
    there.ledger.decisions.add(rejected(RejectionReason.POD_LIMIT));
    // When
    here.check(call);
    boolean atOnce = call.isAnswered();
    await().until(call::isAnswered);
    // Then
    assertThat(atOnce).isFalse();
    assertThat(reason()).isEqualTo("pod_limit");
  }

  @Test
  void shouldRejectInTimeWhenTheOwnerDoesNotAnswer() {
    // Given
    here.ledger.decisions.add(noOwner());
    here.ledger.owners.add(other);
    there.ledger.decisions.add(ALLOWED);
    // When
    here.check(call, Duration.ofSeconds(2));
    await().atMost(Duration.ofSeconds(2)).until(call::isAnswered);
    // Then
    assertThat(reason()).isEqualTo("no_owner");
    // It may only be slow, and others may get an answer.
    assertThat(here.ledger.unreachable).isEmpty();
    await().untilAsserted(() -> assertThat(there.ledger.released).containsExactly(ALLOWED));
  }

  @Test
  void shouldRejectAtOnceWhenTheOwnerIsDead() throws Exception {
    // Given
    server.shutdownNow().awaitTermination();
    here.ledger.decisions.add(noOwner());
    here.ledger.owners.add(other);
    // When
    here.check(call);
    await().until(call::isAnswered);
    // Then
    assertThat(reason()).isEqualTo("no_owner");
    assertThat(here.ledger.unreachable).containsExactly(other);
    assertThat(here.kafka.history()).hasSize(1);
  }

  @Test
  void shouldLetPassUnplacedWhenThePolicyAllowsItWithoutAnOwner() {
    // Given
    here.ledger.decisions.add(noOwner());
    here.ledger.onOwnerLoss = OnOwnerLoss.ALLOW;
    // When
    here.check(call);
    // Then
    assertThat(call.onlyResponse().getOkResponse()).isEqualTo(OkHttpResponse.getDefaultInstance());
    assertThat(call.onlyResponse().getDynamicMetadata().getFieldsMap()).containsOnlyKeys("pool");
    assertThat(here.kafka.history()).isEmpty();
    assertThat(here.attempted()).isEqualTo(1);
  }

  @Test
  void shouldAdmitWithABorrowedSlotWithoutAnOwner() {
    // Given
    here.ledger.decisions.add(noOwner());
    here.ledger.onOwnerLoss = OnOwnerLoss.SHARE;
    here.ledger.loans.borrowed.add(ALLOWED);
    // When
    here.check(call);
    // Then
    assertThat(reservation()).isEqualTo("r-1");
    assertThat(here.kafka.history()).hasSize(1);
    assertThat(here.attempted()).isEqualTo(1);
  }

  @Test
  void shouldRejectWithoutAnOwnerWhenNothingIsBorrowed() {
    // Given
    here.ledger.decisions.add(noOwner());
    here.ledger.onOwnerLoss = OnOwnerLoss.SHARE;
    // When
    here.check(call);
    // Then
    assertThat(reason()).isEqualTo("no_owner");
  }

  @Test
  void shouldAdmitWithABorrowedSlotWhereTheOwnerHasNoOtherRoom() {
    // Given
    here.ledger.decisions.add(noOwner());
    here.ledger.owners.add(other);
    here.ledger.loans.borrowed.add(ALLOWED);
    there.ledger.decisions.add(rejected(RejectionReason.POD_LIMIT));
    // When
    here.check(call);
    await().until(call::isAnswered);
    // Then
    assertThat(reservation()).isEqualTo("r-1");
  }

  @Test
  void shouldBorrowWhatTheOwnerHasRecordedAndGiveBackWhatItWants() {
    // Given
    Loan loan = new Loan(List.of("l-held"), List.of(ALLOWED));
    here.ledger.onOwnerLoss = OnOwnerLoss.SHARE;
    here.ledger.owners.add(other);
    here.ledger.loans.borrowed.add(
        new Decision.Allowed("chat", "l-held", ALLOWED.pod(), 0, ALLOWED.atMs()));
    here.ledger.loans.back.add(ALLOWED);
    there.ledger.loans.loan = Optional.of(loan);
    // When
    borrower().askAll();
    await().until(() -> there.kafka.history().size() == 1);
    List<Loan> before = List.copyOf(here.ledger.loans.taken);
    there.kafka.completeNext();
    // Then
    await().untilAsserted(() -> assertThat(here.ledger.loans.taken).containsExactly(loan));
    assertThat(before).isEmpty();
    assertThat(there.ledger.loans.held).containsExactly("l-held");
    assertThat(there.ledger.loans.borrowers).containsExactly(1);
    await().untilAsserted(() -> assertThat(there.ledger.released).containsExactly(ALLOWED));
  }

  @Test
  void shouldNotLendWhatKafkaRefuses() {
    // Given
    here.ledger.onOwnerLoss = OnOwnerLoss.SHARE;
    here.ledger.owners.add(other);
    there.ledger.loans.loan = Optional.of(new Loan(List.of(), List.of(ALLOWED)));
    // When
    borrower().askAll();
    await().until(() -> there.kafka.errorNext(new TimeoutException("expired")));
    // Then
    await().untilAsserted(() -> assertThat(here.ledger.loans.taken).containsExactly(Loan.NONE));
    assertThat(there.ledger.released).containsExactly(ALLOWED);
  }

  @Test
  void shouldBorrowNothingWhereThePolicyDoesNotShare() {
    // Given
    here.ledger.owners.add(other);
    // When
    borrower().askAll();
    // Then
    assertThat(here.ledger.owners).containsExactly(other);
  }

  private Borrower borrower() {
    return new Borrower(here.ledger.ledger(), here.peers, Ticker.system());
  }

  @Test
  void shouldGiveTheSlotBackWhenTheCallerLeavesBeforeTheOwnersAnswer() {
    // Given
    here.ledger.decisions.add(noOwner());
    here.ledger.owners.add(other);
    there.ledger.decisions.add(ALLOWED);
    here.check(call);
    await().until(() -> there.kafka.history().size() == 1);
    // When
    call.cancel();
    there.kafka.completeNext();
    // Then
    await().untilAsserted(() -> assertThat(there.ledger.released).containsExactly(ALLOWED));
  }

  @Test
  void shouldGiveTheSlotBackWhenTheOwnersAnswerReachesNobody() {
    // Given
    here.ledger.decisions.add(noOwner());
    here.ledger.owners.add(other);
    there.ledger.decisions.add(ALLOWED);
    here.check(call);
    await().until(() -> there.kafka.completeNext());
    await().until(call::isAnswered);
    // When
    call.cancel();
    // Then
    await().untilAsserted(() -> assertThat(there.ledger.released).containsExactly(ALLOWED));
  }

  @Test
  void shouldAnswerQueriesForAPoolOfAnother() {
    // Given
    PoolView view =
        new PoolView(
            "chat",
            3,
            Mode.ENFORCE,
            1,
            2,
            List.of(new PodView("pod-1", ALLOWED.pod(), 1, 2, 3, State.FULL)));
    PoolReadiness readiness =
        new PoolReadiness("chat", 3, false, 0.5, List.of(new EnvoyView("e", 2, 1)), List.of("why"));
    Map<String, Map<String, Long>> windows = Map.of("1h", Map.of("pod_limit", 4L));
    PoolRejections rejections =
        new PoolRejections(
            "chat", 3, windows, List.of(new PodRejections("pod-1", ALLOWED.pod(), windows)));
    PoolReport report =
        new PoolReport(
            null,
            view,
            rejections,
            new PoolScaling(
                "chat",
                3,
                false,
                List.of("why"),
                List.of(new PoolScaling.Candidate("pod-1", ALLOWED.pod(), 1, 1)),
                2),
            readiness);
    there.ledger.connections.put("chat", view);
    there.ledger.readiness.put("chat", readiness);
    there.ledger.rejections.put("chat", rejections);
    there.ledger.reports.put("chat", report);
    ClusterPoolQueries any = new ClusterPoolQueries(here.ledger, here.ledger, here.peers);
    here.ledger.owners.addAll(List.of(other, other, other, other, other));
    // When Then
    assertThat(any.connections("chat")).contains(view);
    assertThat(any.readiness("chat")).contains(readiness);
    assertThat(any.rejections("chat")).contains(rejections);
    assertThat(any.report("chat")).contains(report);
    // And without an owner, whoever has a copy
    PoolReport copy = new PoolReport(1_500L, view, rejections, report.scaling(), readiness);
    there.ledger.standbys.put("chat", copy);
    here.ledger.pools.add("chat");
    assertThat(any.standby("chat")).isEmpty();
    here.ledger.others.add(other.address());
    assertThat(any.standby("chat")).contains(copy);
    assertThat(any.standby("other")).isEmpty();
    assertThat(any.connections("other")).isEmpty();
  }
}
