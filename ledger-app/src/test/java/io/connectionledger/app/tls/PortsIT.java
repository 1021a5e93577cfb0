package io.connectionledger.app.tls;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.Struct;
import com.google.protobuf.UInt32Value;
import com.google.protobuf.Value;
import io.connectionledger.admission.peer.proto.DecideRequest;
import io.connectionledger.admission.peer.proto.LendRequest;
import io.connectionledger.admission.peer.proto.PeerGrpc;
import io.connectionledger.admission.peer.proto.ReleaseRequest;
import io.connectionledger.app.config.ConfigLoader;
import io.connectionledger.app.config.LedgerConfig;
import io.connectionledger.app.config.Role;
import io.connectionledger.app.serve.LedgerNode;
import io.connectionledger.testkit.CheckRequests;
import io.envoyproxy.envoy.config.core.v3.Address;
import io.envoyproxy.envoy.config.core.v3.Node;
import io.envoyproxy.envoy.config.core.v3.SocketAddress;
import io.envoyproxy.envoy.data.accesslog.v3.AccessLogType;
import io.envoyproxy.envoy.data.accesslog.v3.HTTPAccessLogEntry;
import io.envoyproxy.envoy.service.accesslog.v3.AccessLogServiceGrpc;
import io.envoyproxy.envoy.service.accesslog.v3.StreamAccessLogsMessage;
import io.envoyproxy.envoy.service.accesslog.v3.StreamAccessLogsResponse;
import io.envoyproxy.envoy.service.auth.v3.AttributeContext;
import io.envoyproxy.envoy.service.auth.v3.AuthorizationGrpc;
import io.envoyproxy.envoy.service.auth.v3.CheckRequest;
import io.envoyproxy.envoy.service.discovery.v3.DiscoveryRequest;
import io.envoyproxy.envoy.service.discovery.v3.DiscoveryResponse;
import io.envoyproxy.envoy.service.endpoint.v3.EndpointDiscoveryServiceGrpc;
import io.grpc.ChannelCredentials;
import io.grpc.InsecureChannelCredentials;
import io.grpc.ManagedChannel;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.TlsChannelCredentials;
import io.grpc.netty.shaded.io.grpc.netty.NettyChannelBuilder;
import io.grpc.reflection.v1.ServerReflectionGrpc;
import io.grpc.reflection.v1.ServerReflectionRequest;
import io.grpc.reflection.v1.ServerReflectionResponse;
import io.grpc.stub.StreamObserver;
import java.io.File;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Function;
import java.util.stream.Stream;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;
import org.awaitility.Awaitility;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;

/** Who gets in at which port, by what they show. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class PortsIT {

  private static final Duration TIMEOUT = Duration.ofSeconds(20);
  private static final String NODE = "envoy-1";

  private LedgerNode ledger;
  private Path shown;
  private final List<String> wrong = new ArrayList<>();

  /** What a caller shows, in the columns of the table. */
  private enum Shows {
    PLAIN_TEXT,
    WRONG_AUTHORITY,
    NO_CERTIFICATE,
    OTHER_NAME,
    OWN_NAME,
    INSTANCE
  }

  @BeforeAll
  void start(@TempDir Path folder) throws Exception {
    shown = folder;
    TestAuthority authority = new TestAuthority("ledger");
    Path own = authority.issue(folder.resolve("INSTANCE"), "ledger", "localhost");
    authority.issue(folder.resolve("OWN_NAME"), NODE + ".envoys.test");
    authority.issue(folder.resolve("OTHER_NAME"), "envoy-2.envoys.test");
    Path wrongOne =
        new TestAuthority("stranger")
            .issue(folder.resolve("WRONG_AUTHORITY"), NODE + ".envoys.test");
    // It trusts the ledger, which does not trust it.
    Files.copy(
        own.resolve("ca.crt"), wrongOne.resolve("ca.crt"), StandardCopyOption.REPLACE_EXISTING);
    Path config =
        Files.writeString(
            folder.resolve("ledger.yaml"),
            """
            data-dir: %s
            kafka: { port: 0 }
            tls: { certificate: %s/tls.crt, key: %s/tls.key, client-ca: %s/ca.crt, client-auth: required }
            als: { port: 0, identity: "{node}.envoys.test" }
            authz: { port: 0 }
            http: { port: 0 }
            xds: { port: 0, identity: "{node}.envoys.test" }
            keda: { port: 0 }
            pools:
              chat: { per-pod-max-connections: 5, pods: [{ name: a, address: "10.0.0.1:80" }] }
            """
                .formatted(folder.resolve("data"), own, own, own));
    LedgerConfig loaded = ConfigLoader.load(config, Map.of());
    ledger = LedgerNode.start(loaded, Role.resolve(Optional.empty(), loaded.kafka()));
    Awaitility.await("ready")
        .atMost(Duration.ofSeconds(60))
        .until(() -> ledger.unready().isEmpty());
  }

  @AfterAll
  void stop() throws Exception {
    ledger.close();
  }

  @Test
  void shouldLetInWhoShowsWhatThePortAsksFor() throws Exception {
    expect("als", ledger.alsPort().orElseThrow(), PortsIT::report, Shows.OWN_NAME);
    expect("xds", ledger.xdsPort().orElseThrow(), PortsIT::discover, Shows.OWN_NAME);
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
        PortsIT::reflect,
        Shows.OWN_NAME,
        Shows.OTHER_NAME,
        Shows.INSTANCE);
    expect("peers", ledger.peersPort().orElseThrow(), PortsIT::decide, Shows.INSTANCE);
    for (Shows what : Shows.values()) {
      boolean allowed =
          what == Shows.OWN_NAME || what == Shows.OTHER_NAME || what == Shows.INSTANCE;
      note("http", what, allowed, get(what));
    }

    assertThat(wrong).isEmpty();
    assertThat(page()).containsPattern("ledger_callers_refused_total\\{port=\"als\"\\} [1-9]");
  }

  @Test
  void shouldRefuseWhatOnlyInstancesMayAsk() {
    for (Shows envoy : List.of(Shows.OWN_NAME, Shows.OTHER_NAME)) {
      ManagedChannel channel = channel(ledger.peersPort().orElseThrow(), credentials(envoy));
      PeerGrpc.PeerBlockingStub peer = PeerGrpc.newBlockingStub(channel);

      assertRefused(
          () -> peer.release(ReleaseRequest.getDefaultInstance()), Status.Code.PERMISSION_DENIED);
      assertRefused(
          () -> peer.lend(LendRequest.newBuilder().setPool("chat").setBorrower("x").build()),
          Status.Code.PERMISSION_DENIED);
      channel.shutdownNow();
    }
  }

  @Test
  void shouldNotAnswerInstancesOnThePortOfEnvoys() {
    ManagedChannel channel = channel(ledger.authzPort().orElseThrow(), credentials(Shows.INSTANCE));
    PeerGrpc.PeerBlockingStub peer = PeerGrpc.newBlockingStub(channel);

    assertRefused(
        () -> peer.decide(DecideRequest.newBuilder().setPool("chat").build()),
        Status.Code.UNIMPLEMENTED);
    assertRefused(
        () -> peer.release(ReleaseRequest.getDefaultInstance()), Status.Code.UNIMPLEMENTED);
    channel.shutdownNow();
  }

  /** It knows the id of the other's connection, which is more than it could find out. */
  @Test
  void shouldNotLetAnEnvoyEndAConnectionOfAnother() throws Exception {
    ManagedChannel authz = channel(ledger.authzPort().orElseThrow(), credentials(Shows.OWN_NAME));
    ManagedChannel als = channel(ledger.alsPort().orElseThrow(), credentials(Shows.OWN_NAME));
    ManagedChannel other = channel(ledger.alsPort().orElseThrow(), credentials(Shows.OTHER_NAME));
    String first = admitted(authz);
    String second = admitted(authz);
    StreamObserver<StreamAccessLogsMessage> log =
        AccessLogServiceGrpc.newStub(als).streamAccessLogs(new Ended<>());
    StreamObserver<StreamAccessLogsMessage> forged =
        AccessLogServiceGrpc.newStub(other).streamAccessLogs(new Ended<>());

    log.onNext(said(NODE, AccessLogType.DownstreamTunnelSuccessfullyEstablished, first));
    awaitActive(1);
    forged.onNext(said("envoy-2", AccessLogType.DownstreamEnd, first));
    forged.onNext(said("envoy-2", AccessLogType.DownstreamTunnelSuccessfullyEstablished, second));
    awaitActive(2);

    log.onNext(said(NODE, AccessLogType.DownstreamEnd, first));
    forged.onNext(said("envoy-2", AccessLogType.DownstreamEnd, second));
    awaitActive(0);
    Stream.of(authz, als, other).forEach(ManagedChannel::shutdownNow);
  }

  private static String admitted(ManagedChannel channel) {
    return AuthorizationGrpc.newBlockingStub(channel)
        .check(CheckRequests.webSocket("chat", Map.of()))
        .getDynamicMetadata()
        .getFieldsOrThrow("reservation")
        .getStringValue();
  }

  private void awaitActive(int count) {
    Awaitility.await(count + " are open")
        .atMost(TIMEOUT)
        .until(
            () ->
                send(Shows.INSTANCE, "/v1/pools/chat/connections")
                    .body()
                    .contains("\"active\":" + count + ",\"reserved\""));
  }

  private static StreamAccessLogsMessage said(String node, AccessLogType type, String reservation) {
    StreamAccessLogsMessage.Builder message = StreamAccessLogsMessage.newBuilder();
    message.getIdentifierBuilder().getNodeBuilder().setId(node);
    HTTPAccessLogEntry.Builder entry = message.getHttpLogsBuilder().addLogEntryBuilder();
    entry.getResponseBuilder().setResponseCode(UInt32Value.of(101));
    entry
        .getCommonPropertiesBuilder()
        .setAccessLogType(type)
        .setUpstreamCluster("chat")
        .setUpstreamRemoteAddress(
            Address.newBuilder()
                .setSocketAddress(
                    SocketAddress.newBuilder().setAddress("10.0.0.1").setPortValue(80)))
        .getMetadataBuilder()
        .putFilterMetadata(
            "envoy.filters.http.ext_authz",
            Struct.newBuilder()
                .putFields("pool", Value.newBuilder().setStringValue("chat").build())
                .putFields("reservation", Value.newBuilder().setStringValue(reservation).build())
                .build());
    return message.build();
  }

  private static void assertRefused(Runnable call, Status.Code code) {
    assertThatThrownBy(call::run)
        .isInstanceOfSatisfying(
            StatusRuntimeException.class,
            refused -> assertThat(refused.getStatus().getCode()).isEqualTo(code));
  }

  private void expect(
      String name, int port, Function<ManagedChannel, Boolean> call, Shows... allowed) {
    for (Shows what : Shows.values()) {
      ManagedChannel channel = channel(port, credentials(what));
      note(name, what, List.of(allowed).contains(what), call.apply(channel));
      channel.shutdownNow();
    }
  }

  private void note(String port, Shows what, boolean allowed, boolean got) {
    if (got != allowed) {
      wrong.add(port + " " + what + (got ? " gets in" : " is refused"));
    }
  }

  private static ManagedChannel channel(int port, ChannelCredentials credentials) {
    return NettyChannelBuilder.forAddress("127.0.0.1", port, credentials)
        .overrideAuthority("ledger")
        .build();
  }

  private ChannelCredentials credentials(Shows what) {
    File ca = shown.resolve("INSTANCE/ca.crt").toFile();
    Path own = shown.resolve(what.name());
    try {
      return switch (what) {
        case PLAIN_TEXT -> InsecureChannelCredentials.create();
        case NO_CERTIFICATE -> TlsChannelCredentials.newBuilder().trustManager(ca).build();
        default ->
            TlsChannelCredentials.newBuilder()
                .trustManager(ca)
                .keyManager(own.resolve("tls.crt").toFile(), own.resolve("tls.key").toFile())
                .build();
      };
    } catch (IOException unreadable) {
      throw new IllegalStateException(unreadable);
    }
  }

  /** Whether the one message of a stream is taken and the stream ends well. */
  private static boolean report(ManagedChannel channel) {
    Ended<StreamAccessLogsResponse> ended = new Ended<>();
    StreamObserver<StreamAccessLogsMessage> log =
        AccessLogServiceGrpc.newStub(channel).streamAccessLogs(ended);
    log.onNext(
        StreamAccessLogsMessage.newBuilder()
            .setIdentifier(
                StreamAccessLogsMessage.Identifier.newBuilder()
                    .setNode(Node.newBuilder().setId(NODE)))
            .build());
    log.onCompleted();
    return ended.well();
  }

  private static boolean discover(ManagedChannel channel) {
    Ended<DiscoveryResponse> ended = new Ended<>();
    StreamObserver<DiscoveryRequest> asked =
        EndpointDiscoveryServiceGrpc.newStub(channel).streamEndpoints(ended);
    asked.onNext(
        DiscoveryRequest.newBuilder()
            .setNode(Node.newBuilder().setId(NODE))
            .setTypeUrl("type.googleapis.com/envoy.config.endpoint.v3.ClusterLoadAssignment")
            .addResourceNames("chat")
            .build());
    return ended.answered();
  }

  private static boolean check(ManagedChannel channel) {
    return answers(
        () ->
            AuthorizationGrpc.newBlockingStub(channel)
                .withDeadlineAfter(TIMEOUT.toSeconds(), TimeUnit.SECONDS)
                .check(
                    CheckRequest.newBuilder()
                        .setAttributes(
                            AttributeContext.newBuilder()
                                .setRequest(
                                    AttributeContext.Request.newBuilder()
                                        .setHttp(
                                            AttributeContext.HttpRequest.getDefaultInstance())))
                        .build()));
  }

  private static boolean reflect(ManagedChannel channel) {
    Ended<ServerReflectionResponse> ended = new Ended<>();
    StreamObserver<ServerReflectionRequest> asked =
        ServerReflectionGrpc.newStub(channel).serverReflectionInfo(ended);
    asked.onNext(ServerReflectionRequest.newBuilder().setListServices("").build());
    return ended.answered();
  }

  private static boolean decide(ManagedChannel channel) {
    return answers(
        () ->
            PeerGrpc.newBlockingStub(channel)
                .withDeadlineAfter(TIMEOUT.toSeconds(), TimeUnit.SECONDS)
                .decide(DecideRequest.newBuilder().setPool("chat").build()));
  }

  private static boolean answers(Runnable call) {
    try {
      call.run();
      return true;
    } catch (StatusRuntimeException refused) {
      return false;
    }
  }

  private boolean get(Shows what) throws Exception {
    try {
      return send(what, "/v1/pools").statusCode() == 200;
    } catch (IOException refused) {
      return false;
    }
  }

  private String page() throws Exception {
    return send(Shows.INSTANCE, "/metrics").body();
  }

  private HttpResponse<String> send(Shows what, String path) throws Exception {
    HttpClient.Builder client = HttpClient.newBuilder();
    if (what != Shows.PLAIN_TEXT) {
      client.sslContext(context(what == Shows.NO_CERTIFICATE ? null : shown.resolve(what.name())));
    }
    try (HttpClient asking = client.build()) {
      return asking.send(
          HttpRequest.newBuilder(
                  URI.create(
                      (what == Shows.PLAIN_TEXT ? "http" : "https")
                          + "://localhost:"
                          + ledger.httpPort().orElseThrow()
                          + path))
              .build(),
          HttpResponse.BodyHandlers.ofString());
    }
  }

  private SSLContext context(@Nullable Path own) throws GeneralSecurityException, IOException {
    X509Certificate[] authorities =
        Pem.certificates(Files.readAllBytes(shown.resolve("INSTANCE/ca.crt")));
    KeyStore trusted = KeyStore.getInstance(KeyStore.getDefaultType());
    trusted.load(null, null);
    trusted.setCertificateEntry("ca", authorities[0]);
    TrustManagerFactory trust = TrustManagerFactory.getInstance("PKIX");
    trust.init(trusted);
    SSLContext context = SSLContext.getInstance("TLS");
    if (own == null) {
      context.init(null, trust.getTrustManagers(), null);
      return context;
    }
    X509Certificate[] chain = Pem.certificates(Files.readAllBytes(own.resolve("tls.crt")));
    KeyStore store = KeyStore.getInstance(KeyStore.getDefaultType());
    store.load(null, null);
    store.setKeyEntry(
        "own", Pem.key(Files.readAllBytes(own.resolve("tls.key")), chain[0]), new char[0], chain);
    KeyManagerFactory keys = KeyManagerFactory.getInstance("PKIX");
    keys.init(store, new char[0]);
    context.init(keys.getKeyManagers(), trust.getTrustManagers(), null);
    return context;
  }

  /** How a stream ended. */
  private static final class Ended<T> implements StreamObserver<T> {

    private final CompletableFuture<Boolean> answered = new CompletableFuture<>();
    private final CompletableFuture<Boolean> well = new CompletableFuture<>();

    @Override
    public void onNext(T answer) {
      answered.complete(true);
    }

    @Override
    public void onError(Throwable refused) {
      answered.complete(false);
      well.complete(false);
    }

    @Override
    public void onCompleted() {
      well.complete(true);
    }

    boolean answered() {
      return of(answered);
    }

    boolean well() {
      return of(well);
    }

    private static boolean of(CompletableFuture<Boolean> future) {
      try {
        return future.get(TIMEOUT.toSeconds(), TimeUnit.SECONDS);
      } catch (InterruptedException | ExecutionException | TimeoutException failed) {
        throw new IllegalStateException("neither answered nor refused", failed);
      }
    }
  }
}
