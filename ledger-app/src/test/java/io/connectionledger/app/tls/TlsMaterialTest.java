package io.connectionledger.app.tls;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import io.connectionledger.admission.peer.proto.PeerGrpc;
import io.connectionledger.admission.peer.proto.ReleaseRequest;
import io.connectionledger.app.config.LedgerConfig.Tls;
import io.grpc.ManagedChannel;
import io.grpc.Server;
import io.grpc.Status;
import io.grpc.netty.shaded.io.grpc.netty.NettyChannelBuilder;
import io.grpc.netty.shaded.io.grpc.netty.NettyServerBuilder;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Files of certificates as they change, and whom one of them takes for an instance. */
class TlsMaterialTest {

  private final TestAuthority authority = new TestAuthority("ledger");
  @TempDir private Path folder;

  @Test
  void shouldCallNobodyWhoIsNoInstance() throws Exception {
    TlsMaterial ours = material(authority.issue(folder.resolve("ours"), "ledger", "localhost"));
    TlsMaterial instance =
        material(authority.issue(folder.resolve("instance"), "ledger", "localhost"));
    TlsMaterial envoy = material(authority.issue(folder.resolve("envoy"), "envoy-1", "localhost"));
    Path strange = new TestAuthority("stranger").issue(folder.resolve("stranger"), "ledger");
    // It believes us.
    TestAuthority.trust(strange.resolve("ca.crt"), authority);

    // There is nothing to ask for, but whoever is told so got through.
    assertThat(call(ours, instance)).isEqualTo(Status.Code.UNIMPLEMENTED);
    assertThat(call(ours, envoy)).isEqualTo(Status.Code.UNAVAILABLE);
    assertThat(call(ours, material(strange))).isEqualTo(Status.Code.UNAVAILABLE);
  }

  @Test
  void shouldSayOnceWhatIsWrongAndAgainWhenItIsNews() throws Exception {
    Path own = authority.issue(folder.resolve("own"), "ledger");
    TlsMaterial material = material(own);
    Path certificate = own.resolve("tls.crt");
    String before = Files.readString(certificate);

    Files.delete(certificate);
    assertThat(List.of(material.reload(), material.reload(), material.reload()))
        .containsExactly(false, true, true);

    Files.writeString(certificate, before);
    assertThat(material.reload()).isTrue();
    Files.delete(certificate);
    assertThat(List.of(material.reload(), material.reload())).containsExactly(false, true);

    Files.writeString(certificate, "no certificate");
    assertThat(List.of(material.reload(), material.reload())).containsExactly(false, true);
    assertThat(material.isInstance(Set.of("ledger"))).isTrue();
  }

  @Test
  void shouldTakeAnotherNameAloneForAnInstance() {
    TlsMaterial material = material(authority.issue(folder.resolve("own"), "ledger", "localhost"));

    assertThat(material.isInstance(Set.of("ledger", "other"))).isTrue();
    assertThat(material.isInstance(Set.of("localhost", "other"))).isFalse();
    assertThat(material.isInstance(Set.of())).isFalse();
  }

  /** The files are links into a folder that is a link, which alone is replaced. */
  @Test
  void shouldNoticeASecretOfKubernetesThatChanges() throws Exception {
    Path mounted = Files.createDirectory(folder.resolve("mounted"));
    Path first = authority.issue(mounted.resolve("..2026_1"), "before");
    link(mounted, first);
    for (String file : List.of("tls.crt", "tls.key", "ca.crt")) {
      Files.createSymbolicLink(mounted.resolve(file), Path.of("..data", file));
    }
    try (Certificates certificates =
        Certificates.load(Map.of("als", files(mounted)), new SimpleMeterRegistry())) {
      TlsMaterial material = Objects.requireNonNull(certificates.of("als"));
      assertThat(material.isInstance(Set.of("before"))).isTrue();

      link(mounted, authority.issue(mounted.resolve("..2026_2"), "after"));
      for (String file : List.of("tls.crt", "tls.key", "ca.crt")) {
        Files.delete(first.resolve(file));
      }

      Awaitility.await("it is noticed")
          .atMost(Duration.ofSeconds(10))
          .until(() -> material.isInstance(Set.of("after")));
      assertThat(material.isInstance(Set.of("before"))).isFalse();
    }
  }

  private static void link(Path mounted, Path target) throws IOException {
    Path link = Files.createSymbolicLink(mounted.resolve("..data_tmp"), target.getFileName());
    Files.move(
        link,
        mounted.resolve("..data"),
        StandardCopyOption.ATOMIC_MOVE,
        StandardCopyOption.REPLACE_EXISTING);
  }

  /** What one instance is answered that calls another. */
  private static Status.Code call(TlsMaterial caller, TlsMaterial called) throws Exception {
    Server server =
        NettyServerBuilder.forAddress(
                new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), called.peerServer())
            .build()
            .start();
    ManagedChannel channel =
        NettyChannelBuilder.forAddress("127.0.0.1", server.getPort(), caller.peerClient()).build();
    try {
      return Status.fromThrowable(
              catchThrowable(
                  () ->
                      PeerGrpc.newBlockingStub(channel)
                          .withDeadlineAfter(20, TimeUnit.SECONDS)
                          .release(ReleaseRequest.getDefaultInstance())))
          .getCode();
    } finally {
      channel.shutdownNow();
      server.shutdownNow();
    }
  }

  private static TlsMaterial material(Path own) {
    return TlsMaterial.load("tls", files(own));
  }

  private static Tls files(Path own) {
    return new Tls(
        own.resolve("tls.crt"),
        own.resolve("tls.key"),
        own.resolve("ca.crt"),
        Tls.ClientAuth.REQUIRED);
  }
}
