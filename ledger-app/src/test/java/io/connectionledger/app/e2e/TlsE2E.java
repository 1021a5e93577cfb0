package io.connectionledger.app.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import io.connectionledger.app.config.ConfigLoader;
import io.connectionledger.app.config.LedgerConfig;
import io.connectionledger.app.config.Role;
import io.connectionledger.app.serve.LedgerNode;
import io.connectionledger.app.tls.TestAuthority;
import io.connectionledger.app.websocket.WebSocketClients.Connection;
import io.connectionledger.app.websocket.WebSocketPod;
import io.connectionledger.testkit.CheckRequests;
import io.envoyproxy.envoy.service.auth.v3.AuthorizationGrpc;
import io.grpc.ManagedChannel;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.TlsChannelCredentials;
import io.grpc.netty.shaded.io.grpc.netty.NettyChannelBuilder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManager;
import javax.net.ssl.X509TrustManager;
import org.awaitility.Awaitility;
import org.awaitility.core.ConditionFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The Envoy of {@code envoy/tls} and a ledger that know each other by their certificates. */
class TlsE2E {

  private static final int OPEN = Integer.getInteger("tls.connections", 200);
  private static final int AT_ONCE = 20;
  private static final Path TLS = Fleet.ROOT.resolve("envoy/tls");
  private static final String NODE = "envoy-chat-1";

  /** What is promised for a changed certificate. */
  private static final Duration SOON = Duration.ofSeconds(5);

  private final TestAuthority authority = new TestAuthority("mesh");

  @Test
  void shouldDifferFromThePlainFileInTlsAlone() throws IOException {
    YAMLMapper yaml = new YAMLMapper();
    JsonNode plain = yaml.readTree(Fleet.ROOT.resolve("envoy/envoy.yaml").toFile());
    JsonNode encrypted = yaml.readTree(TLS.resolve("envoy.yaml").toFile());
    int sockets = 0;
    for (JsonNode cluster : encrypted.at("/static_resources/clusters")) {
      sockets += ((ObjectNode) cluster).remove("transport_socket") == null ? 0 : 1;
    }

    assertThat(sockets).isEqualTo(3);
    assertThat(encrypted).isEqualTo(plain);
  }

  @Test
  void shouldGoOnWithEveryStreamWhileCertificatesChange(@TempDir Path folder) throws Exception {
    Path own = authority.issue(folder.resolve("ledger"), "ledger");
    Path envoy = authority.issue(folder.resolve("envoy"), NODE + ".envoys");
    List<WebSocketPod> pods = Fleet.pods(2);
    try (LedgerNode ledger = ledger(folder, own, pods);
        Fleet fleet = Fleet.start("chat", pods, 1, Fleet.ports(ledger), folder, bootstrap(envoy));
        ComingAndGoing others = new ComingAndGoing(fleet)) {
      Awaitility.await("ready").atMost(Duration.ofSeconds(60)).until(fleet::ready);
      List<Connection> open = new ArrayList<>();
      while (open.size() < OPEN) {
        open.addAll(fleet.open(Math.min(AT_ONCE, OPEN - open.size())));
      }
      fleet.awaitActive(OPEN);
      double streams = streams(fleet);
      X509Certificate before = shown(ledger);
      others.start();

      authority.certify(own, "ledger");
      Awaitility.await("the ledger shows the new certificate")
          .atMost(SOON)
          .until(() -> !shown(ledger).equals(before));
      showAnotherAuthoritysCertificate(folder, ledger, own, envoy, fleet);
      List<Connection> more = fleet.open(10);

      Files.writeString(
          own.resolve("tls.key"), "-----BEGIN PRIVATE KEY-----\nA\n-----END PRIVATE KEY-----\n");
      Awaitility.await("the wrong file is told")
          .atMost(SOON)
          .until(
              () ->
                  fleet
                      .text("/metrics")
                      .lines()
                      .anyMatch("ledger_certificates_refused_total 1.0"::equals));
      others.stop();
      assertThat(shown(ledger)).isNotEqualTo(before);
      assertThat(Fleet.opened(fleet.attempt(5, Map.of()))).hasSize(5);
      fleet.awaitActive(OPEN + 15);
      assertThat(streams(fleet)).isEqualTo(streams);
      assertThat(open).noneMatch(each -> each.ended().isDone());
      assertThat(more).noneMatch(each -> each.ended().isDone());
      assertThat(others.failed()).as("of %d", others.entered()).isZero();
    }
  }

  /** In the end the ledger takes no other, so whoever connects has shown it. */
  private void showAnotherAuthoritysCertificate(
      Path folder, LedgerNode ledger, Path own, Path envoy, Fleet fleet) throws Exception {
    TestAuthority next = new TestAuthority("next");
    Path old = authority.issue(folder.resolve("old"), NODE + ".envoys");
    Path late = next.certify(folder.resolve("late"), NODE + ".envoys");
    TestAuthority.trust(late.resolve("ca.crt"), authority);

    assertThat(answers(ledger, late)).isFalse();

    TestAuthority.trust(own.resolve("ca.crt"), authority, next);
    await("the ledger takes both").until(() -> answers(ledger, late));
    assertThat(answers(ledger, old)).isTrue();
    long updates = stat(fleet, "client_ssl_socket_factory.ssl_context_update_by_sds");
    next.certify(envoy, NODE + ".envoys");
    await("Envoy has read its new certificate")
        .until(() -> stat(fleet, "client_ssl_socket_factory.ssl_context_update_by_sds") > updates);
    TestAuthority.trust(own.resolve("ca.crt"), next);
    await("the ledger takes the new one alone").until(() -> !answers(ledger, old));

    long handshakes = stat(fleet, "ssl.handshake");
    await("Envoy has connected anew").until(() -> stat(fleet, "ssl.handshake") > handshakes + 1);
  }

  /** Longer than promised: it says what is waited for, and waits for more than the ledger. */
  private static ConditionFactory await(String what) {
    return Awaitility.await(what).atMost(Fleet.TIMEOUT);
  }

  /** Of Envoy's cluster of checks. */
  private static long stat(Fleet fleet, String name) throws Exception {
    String prefix = "cluster.authz." + name + ": ";
    return fleet
        .envoys
        .getFirst()
        .admin("/stats?filter=cluster.authz")
        .body()
        .lines()
        .filter(line -> line.startsWith(prefix))
        .mapToLong(line -> Long.parseLong(line.substring(prefix.length())))
        .sum();
  }

  /** Whether the ledger answers who shows the certificate of this folder. */
  private static boolean answers(LedgerNode ledger, Path own) throws Exception {
    ManagedChannel channel =
        NettyChannelBuilder.forAddress(
                "127.0.0.1",
                ledger.authzPort().orElseThrow(),
                TlsChannelCredentials.newBuilder()
                    .trustManager(own.resolve("ca.crt").toFile())
                    .keyManager(own.resolve("tls.crt").toFile(), own.resolve("tls.key").toFile())
                    .build())
            .overrideAuthority("ledger")
            .build();
    try {
      return AuthorizationGrpc.newBlockingStub(channel)
          .withDeadlineAfter(Fleet.TIMEOUT.toSeconds(), TimeUnit.SECONDS)
          .check(CheckRequests.webSocket("none", Map.of()))
          .hasDeniedResponse();
    } catch (StatusRuntimeException refused) {
      assertThat(refused.getStatus().getCode()).isEqualTo(Status.Code.UNAVAILABLE);
      return false;
    } finally {
      channel.shutdownNow();
    }
  }

  /** Clients that open a WebSocket and close it, one after the other. */
  private static final class ComingAndGoing implements AutoCloseable {

    private final Fleet fleet;
    private final Thread thread = Thread.ofVirtual().unstarted(this::run);
    private final AtomicInteger entered = new AtomicInteger();
    private final AtomicInteger failed = new AtomicInteger();
    private volatile boolean stopped;

    ComingAndGoing(Fleet fleet) {
      this.fleet = fleet;
    }

    void start() {
      thread.start();
    }

    private void run() {
      while (!stopped) {
        List<Connection> in = Fleet.opened(fleet.attempt(1, Map.of()));
        entered.addAndGet(in.size());
        failed.addAndGet(1 - in.size());
        Fleet.close(in);
      }
    }

    int entered() {
      return entered.get();
    }

    int failed() {
      return failed.get();
    }

    void stop() throws InterruptedException {
      stopped = true;
      thread.join();
    }

    @Override
    public void close() throws InterruptedException {
      stop();
    }
  }

  private static double streams(Fleet fleet) {
    return fleet
        .text("/metrics")
        .lines()
        .filter(line -> line.startsWith("ledger_als_streams "))
        .mapToDouble(line -> Double.parseDouble(line.substring(line.indexOf(' '))))
        .sum();
  }

  /** What the port of the access logs shows to whoever connects. */
  private static X509Certificate shown(LedgerNode ledger) throws Exception {
    CompletableFuture<X509Certificate> shown = new CompletableFuture<>();
    SSLContext context = SSLContext.getInstance("TLS");
    context.init(
        null,
        new TrustManager[] {
          new X509TrustManager() {
            @Override
            public void checkClientTrusted(X509Certificate[] chain, String type) {}

            @Override
            public void checkServerTrusted(X509Certificate[] chain, String type) {
              shown.complete(chain[0]);
            }

            @Override
            public X509Certificate[] getAcceptedIssuers() {
              return new X509Certificate[0];
            }
          }
        },
        null);
    try (SSLSocket socket =
        (SSLSocket)
            context.getSocketFactory().createSocket("127.0.0.1", ledger.alsPort().orElseThrow())) {
      socket.startHandshake();
    } catch (IOException withoutOurOwn) {
      assertThat(shown).isDone();
    }
    return shown.join();
  }

  private static LedgerNode ledger(Path folder, Path own, List<WebSocketPod> pods)
      throws IOException, InterruptedException {
    String tls =
        "tls: { certificate: %s/tls.crt, key: %s/tls.key, client-ca: %s/ca.crt }"
            .formatted(own, own, own);
    Path config =
        Files.writeString(
            folder.resolve("ledger.yaml"),
            """
            data-dir: %s
            kafka: { port: 0 }
            als: { port: 0, identity: "{node}.envoys", %s }
            authz: { port: 0, %s }
            http: { port: 0 }
            xds: { port: 0, identity: "{node}.envoys", %s }
            lease: { heartbeat: 2s, reservation: 5s, unreported: 0s }
            pools:
              chat: { per-pod-max-connections: 1000, pods: [%s] }
            """
                .formatted(folder.resolve("data"), tls, tls, tls, Fleet.yaml(pods)));
    LedgerConfig loaded = ConfigLoader.load(config, Map.of());
    return LedgerNode.start(loaded, Role.resolve(Optional.empty(), loaded.kafka()));
  }

  /**
   * The files of {@code envoy/tls}, with the folder of this Envoy's certificate in them. It
   * connects anew each time that it asks whether the ledger is well, which is every second.
   */
  private static Path bootstrap(Path certificates) throws IOException {
    for (String file : List.of("envoy.yaml", "certificate.yaml", "authorities.yaml")) {
      Files.writeString(
          certificates.resolve(file),
          Files.readString(TLS.resolve(file))
              .replace("/etc/envoy/tls", certificates.toString())
              .replace(
                  "- grpc_health_check: {}",
                  "- grpc_health_check: {}\n      reuse_connection: false"));
    }
    return certificates.resolve("envoy.yaml");
  }
}
