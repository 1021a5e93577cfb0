package io.connectionledger.app.tls;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.connectionledger.admission.peer.proto.DecideRequest;
import io.connectionledger.admission.peer.proto.LendRequest;
import io.connectionledger.admission.peer.proto.PeerGrpc;
import io.connectionledger.admission.peer.proto.ReleaseRequest;
import io.connectionledger.app.config.ConfigLoader;
import io.connectionledger.app.config.LedgerConfig;
import io.connectionledger.app.config.Role;
import io.connectionledger.app.serve.LedgerNode;
import io.connectionledger.app.tls.Visitors.End;
import io.connectionledger.app.tls.Visitors.Shows;
import io.envoyproxy.envoy.config.core.v3.Node;
import io.envoyproxy.envoy.data.accesslog.v3.AccessLogType;
import io.envoyproxy.envoy.service.accesslog.v3.AccessLogServiceGrpc;
import io.envoyproxy.envoy.service.accesslog.v3.StreamAccessLogsMessage;
import io.envoyproxy.envoy.service.accesslog.v3.StreamAccessLogsResponse;
import io.envoyproxy.envoy.service.auth.v3.CheckResponse;
import io.envoyproxy.envoy.service.discovery.v3.DiscoveryResponse;
import io.grpc.ManagedChannel;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.StreamObserver;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Predicate;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;

/** Who gets in at which port, by what they show; and two instances that show it each other. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class PortsIT {

  private static final Duration START = Duration.ofSeconds(60);
  private static final String NODE = "envoy-1";

  private static final String POOLS =
      """
      pools:
        chat: { per-pod-max-connections: 5, pods: [{ name: a, address: "10.0.0.1:80" }] }
        shared: { per-pod-max-connections: 5, on-owner-loss: deny, pods: [{ name: a, address: "10.0.0.2:80" }] }
      """;

  private final TestAuthority authority = new TestAuthority("ledger");
  private final List<String> wrong = new ArrayList<>();
  private Path folder;
  private Visitors visitors;
  private LedgerNode ledger;

  /** Takes checks alone, of Envoys with or without a certificate. */
  private LedgerNode second;

  @BeforeAll
  void start(@TempDir Path temp) throws Exception {
    folder = temp;
    visitors = new Visitors(temp);
    Path own = authority.issue(visitors.of(Shows.INSTANCE), "ledger", "localhost");
    authority.issue(visitors.of(Shows.OWN_NAME), NODE + ".envoys.test");
    // As some have it who also ask on their own machine.
    authority.issue(visitors.of(Shows.OTHER_NAME), "envoy-2.envoys.test", "localhost");
    new TestAuthority("stranger")
        .issue(visitors.of(Shows.WRONG_AUTHORITY), NODE + ".envoys.test", "ledger");
    TestAuthority.trust(folder.resolve("als-ca.crt"), authority);
    ledger =
        start(
            """
            data-dir: %s/data
            kafka: { port: 0 }
            tls: %s
            als: { port: 0, identity: "{node}.envoys.test", tls: %s }
            authz: { port: 0 }
            http: { port: 0 }
            xds: { port: 0, identity: "{node}.envoys.test" }
            keda: { port: 0 }
            %s
            """
                .formatted(
                    folder,
                    tls(own, own.resolve("ca.crt"), "required"),
                    tls(own, folder.resolve("als-ca.crt"), "required"),
                    POOLS),
            Optional.empty());
    Path other = authority.issue(folder.resolve("second"), "ledger", "localhost");
    second =
        start(
            """
            data-dir: %s/second-data
            kafka: { bootstrap-servers: "%s" }
            tls: %s
            authz: { port: 0 }
            http: { port: 0 }
            %s
            """
                .formatted(
                    folder,
                    ledger.bootstrapServers(),
                    tls(other, other.resolve("ca.crt"), "optional"),
                    POOLS),
            Optional.of(Set.of(Role.ADMISSION)));
  }

  private static String tls(Path own, Path ca, String clientAuth) {
    return "{ certificate: %s/tls.crt, key: %s/tls.key, client-ca: %s, client-auth: %s }"
        .formatted(own, own, ca, clientAuth);
  }

  private static LedgerNode start(String yaml, Optional<Set<Role>> roles) throws Exception {
    LedgerConfig config = ConfigLoader.parse(yaml, "ledger.yaml", Map.of());
    LedgerNode started =
        LedgerNode.start(
            config, roles.orElseGet(() -> Role.resolve(Optional.empty(), config.kafka())));
    Awaitility.await("ready").atMost(START).until(() -> started.unready().isEmpty());
    return started;
  }

  @AfterAll
  void stop() throws Exception {
    second.close();
    ledger.close();
  }

  @BeforeEach
  void forget() {
    wrong.clear();
  }

  @Test
  void shouldLetInWhoShowsWhatThePortAsksFor() throws Exception {
    Node node = Node.newBuilder().setId(NODE).build();
    expect(
        "als",
        ledger.alsPort().orElseThrow(),
        channel -> Visitors.report(channel, Visitors.from(NODE)),
        Shows.OWN_NAME);
    expect(
        "xds",
        ledger.xdsPort().orElseThrow(),
        channel -> Visitors.discover(channel, node),
        Shows.OWN_NAME);
    expect(
        "authz",
        ledger.authzPort().orElseThrow(),
        PortsIT::check,
        Shows.OWN_NAME,
        Shows.OTHER_NAME,
        Shows.INSTANCE);
    expect(
        "keda",
        ledger.kedaPort().orElseThrow(),
        Visitors::reflect,
        Shows.OWN_NAME,
        Shows.OTHER_NAME,
        Shows.INSTANCE);
    expect("peers", ledger.peersPort().orElseThrow(), Visitors::decide, Shows.INSTANCE);
    expectHttp(ledger, Shows.OWN_NAME, Shows.OTHER_NAME, Shows.INSTANCE);

    assertThat(wrong).isEmpty();
    assertThat(page(ledger))
        .containsPattern("ledger_callers_refused_total\\{port=\"als\"\\} [1-9]");
  }

  @Test
  void shouldLetInWhoShowsNothingWhereThatIsOptional() throws Exception {
    Shows[] allowed = {Shows.NO_CERTIFICATE, Shows.OWN_NAME, Shows.OTHER_NAME, Shows.INSTANCE};
    expect("authz", second.authzPort().orElseThrow(), PortsIT::check, allowed);
    expectHttp(second, allowed);
    // What another instance shows is never optional.
    expect("peers", second.peersPort().orElseThrow(), Visitors::decide, Shows.INSTANCE);

    assertThat(wrong).isEmpty();
  }

  @Test
  void shouldHaveThePortOfEnvoysForEnvoysAloneWhereItIsEncrypted() throws Exception {
    expect("authz", second.authzPort().orElseThrow(), Visitors::reflect);

    assertThat(wrong).isEmpty();
  }

  /** Whichever of the two owns the pool, the other is asked. */
  @Test
  void shouldAskTheOwnerOfAPoolOverItsPortForInstances() throws Exception {
    Awaitility.await("one owns the pool").atMost(START).until(() -> owns(ledger) != owns(second));
    LedgerNode asked = owns(ledger) ? second : ledger;
    ManagedChannel channel = visitors.channel(asked.authzPort().orElseThrow(), Shows.OWN_NAME);

    CheckResponse answer = Visitors.check(channel, "shared");

    channel.shutdownNow();
    assertThat(answer.hasOkResponse()).as("%s", answer).isTrue();
    assertThat(
            visitors
                .get(Shows.INSTANCE, asked.httpPort().orElseThrow(), "/v1/pools/shared/connections")
                .body())
        .contains("\"active\":0,\"reserved\":1")
        .doesNotContain("staleMillis");
    assertThat(owns(asked)).isFalse();
  }

  private boolean owns(LedgerNode instance) throws Exception {
    return page(instance).contains("ledger_pool_owned{pool=\"shared\"} 1");
  }

  @Test
  void shouldRefuseWhoDoesNotSayWhoItIs() throws Exception {
    ManagedChannel xds = visitors.channel(ledger.xdsPort().orElseThrow(), Shows.OWN_NAME);
    ManagedChannel als = visitors.channel(ledger.alsPort().orElseThrow(), Shows.OWN_NAME);
    End<DiscoveryResponse> discovery = new End<>();
    End<StreamAccessLogsResponse> report = new End<>();

    Visitors.discover(xds, Node.getDefaultInstance(), discovery);
    AccessLogServiceGrpc.newStub(als)
        .streamAccessLogs(report)
        .onNext(StreamAccessLogsMessage.getDefaultInstance());

    assertThat(discovery.code()).isEqualTo(Status.Code.PERMISSION_DENIED);
    assertThat(report.code()).isEqualTo(Status.Code.PERMISSION_DENIED);
    Stream.of(xds, als).forEach(ManagedChannel::shutdownNow);
  }

  @Test
  void shouldRefuseWhatOnlyInstancesMayAsk() throws Exception {
    for (Shows envoy : List.of(Shows.OWN_NAME, Shows.OTHER_NAME)) {
      expectForged(ledger.peersPort().orElseThrow(), envoy, Status.Code.PERMISSION_DENIED);
    }
    for (Shows stranger : List.of(Shows.PLAIN_TEXT, Shows.NO_CERTIFICATE, Shows.WRONG_AUTHORITY)) {
      expectForged(ledger.peersPort().orElseThrow(), stranger, Status.Code.UNAVAILABLE);
    }
  }

  @Test
  void shouldNotAnswerInstancesOnThePortOfEnvoys() throws Exception {
    expectForged(ledger.authzPort().orElseThrow(), Shows.INSTANCE, Status.Code.UNIMPLEMENTED);
    expectForged(second.authzPort().orElseThrow(), Shows.OWN_NAME, Status.Code.UNIMPLEMENTED);
  }

  private void expectForged(int port, Shows what, Status.Code code) throws Exception {
    ManagedChannel channel = visitors.channel(port, what);
    PeerGrpc.PeerBlockingStub peer = PeerGrpc.newBlockingStub(channel);
    assertRefused(() -> peer.decide(DecideRequest.newBuilder().setPool("chat").build()), code);
    assertRefused(() -> peer.release(ReleaseRequest.getDefaultInstance()), code);
    assertRefused(
        () -> peer.lend(LendRequest.newBuilder().setPool("chat").setBorrower("x").build()), code);
    channel.shutdownNow();
  }

  /** It knows the id of the other's connection, which is more than it could find out. */
  @Test
  void shouldNotLetAnEnvoyEndAConnectionOfAnother() throws Exception {
    ManagedChannel authz = visitors.channel(ledger.authzPort().orElseThrow(), Shows.OWN_NAME);
    ManagedChannel als = visitors.channel(ledger.alsPort().orElseThrow(), Shows.OWN_NAME);
    ManagedChannel other = visitors.channel(ledger.alsPort().orElseThrow(), Shows.OTHER_NAME);
    String first = admitted(authz);
    String second = admitted(authz);
    StreamObserver<StreamAccessLogsMessage> log =
        AccessLogServiceGrpc.newStub(als).streamAccessLogs(new End<>());
    StreamObserver<StreamAccessLogsMessage> forged =
        AccessLogServiceGrpc.newStub(other).streamAccessLogs(new End<>());

    log.onNext(Visitors.said(NODE, AccessLogType.DownstreamTunnelSuccessfullyEstablished, first));
    awaitActive(1);
    forged.onNext(Visitors.said("envoy-2", AccessLogType.DownstreamEnd, first));
    forged.onNext(
        Visitors.said("envoy-2", AccessLogType.DownstreamTunnelSuccessfullyEstablished, second));
    awaitActive(2);

    log.onNext(Visitors.said(NODE, AccessLogType.DownstreamEnd, first));
    forged.onNext(Visitors.said("envoy-2", AccessLogType.DownstreamEnd, second));
    awaitActive(0);
    Stream.of(authz, als, other).forEach(ManagedChannel::shutdownNow);
  }

  @Test
  void shouldFollowAChangeOfAuthoritiesAndKeepOpenStreams() throws Exception {
    Path trusted = folder.resolve("als-ca.crt");
    TestAuthority next = new TestAuthority("next");
    Visitors late = new Visitors(folder.resolve("late"));
    authority.issue(late.of(Shows.INSTANCE), "ledger");
    next.issue(late.of(Shows.OWN_NAME), NODE + ".envoys.test");
    ManagedChannel authz = visitors.channel(ledger.authzPort().orElseThrow(), Shows.OWN_NAME);
    ManagedChannel als = visitors.channel(ledger.alsPort().orElseThrow(), Shows.OWN_NAME);
    String reservation = admitted(authz);
    End<StreamAccessLogsResponse> end = new End<>();
    StreamObserver<StreamAccessLogsMessage> log =
        AccessLogServiceGrpc.newStub(als).streamAccessLogs(end);
    log.onNext(
        Visitors.said(NODE, AccessLogType.DownstreamTunnelSuccessfullyEstablished, reservation));
    awaitActive(1);
    assertThat(reports(late)).isFalse();

    TestAuthority.trust(trusted, authority, next);
    Awaitility.await("the new one gets in").atMost(Visitors.TIMEOUT).until(() -> reports(late));
    assertThat(reports(visitors)).isTrue();
    TestAuthority.trust(trusted, next);
    Awaitility.await("the old one is refused")
        .atMost(Visitors.TIMEOUT)
        .until(() -> !reports(visitors));
    assertThat(reports(late)).isTrue();

    assertThat(end.isOpen()).isTrue();
    log.onNext(Visitors.said(NODE, AccessLogType.DownstreamEnd, reservation));
    awaitActive(0);
    TestAuthority.trust(trusted, authority);
    Awaitility.await("as before").atMost(Visitors.TIMEOUT).until(() -> reports(visitors));
    Stream.of(authz, als).forEach(ManagedChannel::shutdownNow);
  }

  /** Over a connection of its own. */
  private boolean reports(Visitors who) throws Exception {
    ManagedChannel channel = who.channel(ledger.alsPort().orElseThrow(), Shows.OWN_NAME);
    try {
      return Visitors.report(channel, Visitors.from(NODE));
    } finally {
      channel.shutdownNow();
    }
  }

  private static String admitted(ManagedChannel channel) {
    return Visitors.check(channel, "chat")
        .getDynamicMetadata()
        .getFieldsOrThrow("reservation")
        .getStringValue();
  }

  private static boolean check(ManagedChannel channel) {
    return Visitors.answers(() -> Visitors.check(channel, "none"));
  }

  private void awaitActive(int count) {
    Awaitility.await(count + " are open")
        .atMost(Visitors.TIMEOUT)
        .until(
            () ->
                visitors
                    .get(
                        Shows.INSTANCE,
                        ledger.httpPort().orElseThrow(),
                        "/v1/pools/chat/connections")
                    .body()
                    .contains("\"active\":" + count + ",\"reserved\""));
  }

  private static void assertRefused(Runnable call, Status.Code code) {
    assertThatThrownBy(call::run)
        .isInstanceOfSatisfying(
            StatusRuntimeException.class,
            refused -> assertThat(refused.getStatus().getCode()).isEqualTo(code));
  }

  private void expect(String name, int port, Predicate<ManagedChannel> call, Shows... allowed)
      throws Exception {
    for (Shows what : Shows.values()) {
      ManagedChannel channel = visitors.channel(port, what);
      note(name, what, List.of(allowed).contains(what), call.test(channel));
      channel.shutdownNow();
    }
  }

  private void expectHttp(LedgerNode instance, Shows... allowed) throws Exception {
    for (Shows what : Shows.values()) {
      note("http", what, List.of(allowed).contains(what), get(instance, what));
    }
  }

  private boolean get(LedgerNode instance, Shows what) throws Exception {
    try {
      return visitors.get(what, instance.httpPort().orElseThrow(), "/v1/pools").statusCode() == 200;
    } catch (IOException refused) {
      return false;
    }
  }

  private void note(String port, Shows what, boolean allowed, boolean got) {
    if (got != allowed) {
      wrong.add(port + " " + what + (got ? " gets in" : " is refused"));
    }
  }

  private String page(LedgerNode instance) throws Exception {
    return visitors.get(Shows.INSTANCE, instance.httpPort().orElseThrow(), "/metrics").body();
  }
}
