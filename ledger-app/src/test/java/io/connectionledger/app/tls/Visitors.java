package io.connectionledger.app.tls;

import com.google.protobuf.Struct;
import com.google.protobuf.UInt32Value;
import com.google.protobuf.Value;
import io.connectionledger.admission.peer.proto.DecideRequest;
import io.connectionledger.admission.peer.proto.PeerGrpc;
import io.connectionledger.testkit.CheckRequests;
import io.envoyproxy.envoy.config.core.v3.Address;
import io.envoyproxy.envoy.config.core.v3.Node;
import io.envoyproxy.envoy.config.core.v3.SocketAddress;
import io.envoyproxy.envoy.data.accesslog.v3.AccessLogType;
import io.envoyproxy.envoy.data.accesslog.v3.HTTPAccessLogEntry;
import io.envoyproxy.envoy.service.accesslog.v3.AccessLogServiceGrpc;
import io.envoyproxy.envoy.service.accesslog.v3.StreamAccessLogsMessage;
import io.envoyproxy.envoy.service.accesslog.v3.StreamAccessLogsResponse;
import io.envoyproxy.envoy.service.auth.v3.AuthorizationGrpc;
import io.envoyproxy.envoy.service.auth.v3.CheckResponse;
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
import io.grpc.util.AdvancedTlsX509KeyManager;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import javax.net.ssl.KeyManager;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;

/**
 * Who comes to the ports of a ledger, each with a certificate of its own in a folder of its name.
 * All believe the ledger's authority, and those over gRPC heed which ones it names.
 */
final class Visitors {

  static final Duration TIMEOUT = Duration.ofSeconds(20);

  /** What a caller shows. */
  enum Shows {
    PLAIN_TEXT,
    WRONG_AUTHORITY,
    NO_CERTIFICATE,
    OTHER_NAME,
    OWN_NAME,
    INSTANCE
  }

  private final Path folder;

  Visitors(Path folder) {
    this.folder = folder;
  }

  Path of(Shows what) {
    return folder.resolve(what.name());
  }

  ManagedChannel channel(int port, Shows what) throws IOException {
    return NettyChannelBuilder.forAddress("127.0.0.1", port, credentials(what))
        .overrideAuthority("ledger")
        .build();
  }

  private ChannelCredentials credentials(Shows what) throws IOException {
    if (what == Shows.PLAIN_TEXT) {
      return InsecureChannelCredentials.create();
    }
    TlsChannelCredentials.Builder tls =
        TlsChannelCredentials.newBuilder()
            .trustManager(of(Shows.INSTANCE).resolve("ca.crt").toFile());
    return what == Shows.NO_CERTIFICATE
        ? tls.build()
        : tls.keyManager(of(what).resolve("tls.crt").toFile(), of(what).resolve("tls.key").toFile())
            .build();
  }

  private AdvancedTlsX509KeyManager keys(Shows what) throws GeneralSecurityException, IOException {
    X509Certificate[] chain = Pem.certificates(Files.readAllBytes(of(what).resolve("tls.crt")));
    AdvancedTlsX509KeyManager keys = new AdvancedTlsX509KeyManager();
    keys.updateIdentityCredentials(
        chain, Pem.key(Files.readAllBytes(of(what).resolve("tls.key")), chain[0]));
    return keys;
  }

  HttpResponse<String> get(Shows what, int port, String path) throws Exception {
    HttpClient.Builder client = HttpClient.newBuilder();
    if (what != Shows.PLAIN_TEXT) {
      client.sslContext(context(what));
    }
    String scheme = what == Shows.PLAIN_TEXT ? "http" : "https";
    try (HttpClient asking = client.build()) {
      return asking.send(
          HttpRequest.newBuilder(URI.create(scheme + "://localhost:" + port + path)).build(),
          HttpResponse.BodyHandlers.ofString());
    }
  }

  private SSLContext context(Shows what) throws GeneralSecurityException, IOException {
    KeyStore trusted = KeyStore.getInstance(KeyStore.getDefaultType());
    trusted.load(null, null);
    trusted.setCertificateEntry(
        "ca", Pem.certificates(Files.readAllBytes(of(Shows.INSTANCE).resolve("ca.crt")))[0]);
    TrustManagerFactory trust = TrustManagerFactory.getInstance("PKIX");
    trust.init(trusted);
    SSLContext context = SSLContext.getInstance("TLS");
    context.init(
        what == Shows.NO_CERTIFICATE ? null : new KeyManager[] {keys(what)},
        trust.getTrustManagers(),
        null);
    return context;
  }

  /** Whether a stream that begins with {@code first} is taken and ends well. */
  static boolean report(ManagedChannel channel, StreamAccessLogsMessage first) {
    End<StreamAccessLogsResponse> end = new End<>();
    StreamObserver<StreamAccessLogsMessage> log =
        AccessLogServiceGrpc.newStub(channel).streamAccessLogs(end);
    log.onNext(first);
    log.onCompleted();
    return end.code() == Status.Code.OK;
  }

  static StreamAccessLogsMessage from(String node) {
    StreamAccessLogsMessage.Builder message = StreamAccessLogsMessage.newBuilder();
    message.getIdentifierBuilder().getNodeBuilder().setId(node);
    return message.build();
  }

  /** What an Envoy says of a connection. */
  static StreamAccessLogsMessage said(String node, AccessLogType type, String reservation) {
    StreamAccessLogsMessage.Builder message = from(node).toBuilder();
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

  static boolean discover(ManagedChannel channel, Node node) {
    End<DiscoveryResponse> end = new End<>();
    discover(channel, node, end);
    return end.answered();
  }

  static void discover(ManagedChannel channel, Node node, End<DiscoveryResponse> end) {
    EndpointDiscoveryServiceGrpc.newStub(channel)
        .streamEndpoints(end)
        .onNext(
            DiscoveryRequest.newBuilder()
                .setNode(node)
                .setTypeUrl("type.googleapis.com/envoy.config.endpoint.v3.ClusterLoadAssignment")
                .addResourceNames("chat")
                .build());
  }

  static CheckResponse check(ManagedChannel channel, String pool) {
    return AuthorizationGrpc.newBlockingStub(channel)
        .withDeadlineAfter(TIMEOUT.toSeconds(), TimeUnit.SECONDS)
        .check(CheckRequests.webSocket(pool, Map.of()));
  }

  static boolean reflect(ManagedChannel channel) {
    End<ServerReflectionResponse> end = new End<>();
    ServerReflectionGrpc.newStub(channel)
        .serverReflectionInfo(end)
        .onNext(ServerReflectionRequest.newBuilder().setListServices("").build());
    return end.answered();
  }

  static boolean decide(ManagedChannel channel) {
    return answers(
        () ->
            PeerGrpc.newBlockingStub(channel)
                .withDeadlineAfter(TIMEOUT.toSeconds(), TimeUnit.SECONDS)
                .decide(DecideRequest.newBuilder().setPool("chat").build()));
  }

  static boolean answers(Runnable call) {
    try {
      call.run();
      return true;
    } catch (StatusRuntimeException refused) {
      return false;
    }
  }

  /** How a stream ends. */
  static final class End<T> implements StreamObserver<T> {

    private final CompletableFuture<Boolean> answered = new CompletableFuture<>();
    private final CompletableFuture<Status.Code> ended = new CompletableFuture<>();

    @Override
    public void onNext(T answer) {
      answered.complete(true);
    }

    @Override
    public void onError(Throwable refused) {
      answered.complete(false);
      ended.complete(Status.fromThrowable(refused).getCode());
    }

    @Override
    public void onCompleted() {
      answered.complete(false);
      ended.complete(Status.Code.OK);
    }

    boolean answered() {
      return of(answered);
    }

    Status.Code code() {
      return of(ended);
    }

    boolean isOpen() {
      return !ended.isDone();
    }

    private static <V> V of(CompletableFuture<V> future) {
      try {
        return future.get(TIMEOUT.toSeconds(), TimeUnit.SECONDS);
      } catch (InterruptedException | ExecutionException | TimeoutException failed) {
        throw new IllegalStateException("neither answered nor refused", failed);
      }
    }
  }
}
