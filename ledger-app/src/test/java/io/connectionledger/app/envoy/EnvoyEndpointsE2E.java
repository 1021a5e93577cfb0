package io.connectionledger.app.envoy;

import static io.connectionledger.testkit.PolicyFixtures.record;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.connectionledger.model.PodAddress;
import io.connectionledger.model.policy.Pod;
import io.connectionledger.model.policy.PoolPolicy;
import io.envoyproxy.envoy.data.accesslog.v3.AccessLogType;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.InetAddress;
import java.net.NetworkInterface;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What the real Envoy makes of the addresses that the ledger sends it. */
final class EnvoyEndpointsE2E {

  @TempDir private Path folder;

  private final List<AutoCloseable> parts = new ArrayList<>();
  private LedgerStandIn ledger;

  @BeforeEach
  void start() throws IOException {
    ledger = part(new LedgerStandIn(List.of(pool())));
  }

  @AfterEach
  void stop() throws Exception {
    for (AutoCloseable part : parts.reversed()) {
      part.close();
    }
  }

  @Test
  void shouldWriteEveryAddressAsTheLedgerDoes() throws Exception {
    // Given
    String[] written = {
      "10.0.0.7:80",
      "0.0.0.0:80",
      "224.0.0.1:80",
      "255.255.255.255:65535",
      "[::]:80",
      "[fe80::1]:80",
      "[ff02::1]:80",
      "[0:0:0:0:0:0:0:1]:80",
      "[FD00::00AB]:80",
      "[0:0:0:0:0:FFFF:127.0.0.1]:80",
      "[2001:db8:0:0:1:0:0:1]:80",
      "[2001:0:0:1:0:0:0:1]:80",
      "[2001:db8::1:1:1:1:1]:80",
      "[1:2:3:4:5:6:7::]:80",
      "[64:ff9b::192.0.2.33]:80",
      "[::ffff:0:1.2.3.4]:80",
      "[::102:304]:80"
    };
    ledger.eds.update(List.of(record(pool(written))));
    // When
    EnvoyProcess envoy = envoy();
    // Then
    String[] canonical =
        Arrays.stream(written)
            .map(address -> PodAddress.parse(address).toString())
            .toArray(String[]::new);
    await().untilAsserted(() -> assertThat(addresses(envoy)).containsExactlyInAnyOrder(canonical));
    assertThat(EnvoyProbe.stat(envoy, "cluster.chat.update_rejected")).isZero();
  }

  /** Loopback addresses of this machine in a long form; not every machine has IPv6. */
  static Stream<String> longForms() throws SocketException {
    boolean hasIpv6 =
        NetworkInterface.networkInterfaces()
            .flatMap(NetworkInterface::inetAddresses)
            .anyMatch(address -> address.getHostAddress().startsWith("0:0:0:0:0:0:0:1"));
    String mapped = "[0:0:0:0:0:FFFF:7F00:0001]";
    return hasIpv6 ? Stream.of(mapped, "[0:0:0:0:0:0:0:1]") : Stream.of(mapped);
  }

  @ParameterizedTest
  @MethodSource("longForms")
  void shouldReachAPodHoweverItsAddressWasWritten(String written) throws Exception {
    // Given
    InetAddress host = InetAddress.getAllByName(written)[0];
    ServerSocket pod = part(new ServerSocket(0, 10, host));
    Thread.ofVirtual().start(() -> acceptHandshakes(pod));
    PodAddress address = PodAddress.parse(written + ":" + pod.getLocalPort());
    ledger.eds.update(List.of(record(pool(written + ":" + pod.getLocalPort()))));
    ledger.answer(() -> LedgerStandIn.place(address, "r-1"));
    EnvoyProcess envoy = envoy();
    await().untilAsserted(() -> assertThat(EnvoyProbe.podsOf(envoy)).containsExactly(address));
    // When
    List<String> handshake = EnvoyProbe.rawHandshake(envoy.listenerPort(), "Upgrade: websocket");
    // Then
    assertThat(handshake.getFirst()).startsWith("HTTP/1.1 101");
    await().until(() -> !ledger.entries(AccessLogType.DownstreamEnd).isEmpty());
    assertThat(ledger.entries)
        .isNotEmpty()
        .allSatisfy(entry -> assertThat(EnvoyProbe.upstream(entry)).isEqualTo(address));
  }

  @Test
  void shouldBeLeftAloneWithWhatItRefused() throws Exception {
    // Given: the first assignment is one that it cannot take
    ledger.eds.update(List.of(record(pool("127.0.0.1:1"))));
    ledger.spoiler.spoil(true);
    EnvoyProcess envoy = envoy();
    assertIsLeftAloneAfter(1, envoy);

    // When: another comes
    ledger.spoiler.spoil(false);
    ledger.eds.update(List.of(record(pool("127.0.0.1:2"))));
    // Then
    await().untilAsserted(() -> assertThat(addresses(envoy)).containsExactly("127.0.0.1:2"));

    // When: a change that it cannot take either
    ledger.spoiler.spoil(true);
    ledger.eds.update(List.of(record(pool("127.0.0.1:3"))));
    // Then
    assertIsLeftAloneAfter(2, envoy);
    assertThat(addresses(envoy)).containsExactly("127.0.0.1:2");

    // When: what it has had all the time
    ledger.spoiler.spoil(false);
    ledger.eds.update(List.of(record(pool("127.0.0.1:2"))));
    // Then
    await().until(() -> ledger.spoiler.responses.get() == 4);
    assertThat(EnvoyProbe.stat(envoy, "cluster.chat.update_rejected")).isEqualTo(2);
  }

  /** It has refused so many, and is sent none of them again. */
  private void assertIsLeftAloneAfter(int refused, EnvoyProcess envoy) {
    await().until(() -> EnvoyProbe.stat(envoy, "cluster.chat.update_rejected") >= refused);
    int sent = ledger.spoiler.responses.get();
    await()
        .during(Duration.ofSeconds(1))
        .untilAsserted(
            () -> {
              assertThat(EnvoyProbe.stat(envoy, "cluster.chat.update_rejected")).isEqualTo(refused);
              assertThat(ledger.spoiler.responses).hasValue(sent);
            });
    assertThat(ledger.registry.get("ledger.eds.nacks").counter().count()).isEqualTo(refused);
  }

  private static void acceptHandshakes(ServerSocket pod) {
    try {
      while (true) {
        try (Socket client = pod.accept()) {
          BufferedReader in =
              new BufferedReader(
                  new InputStreamReader(client.getInputStream(), StandardCharsets.US_ASCII));
          String line = in.readLine();
          while (line != null && !line.isEmpty()) {
            line = in.readLine();
          }
          client
              .getOutputStream()
              .write(
                  "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"
                      .getBytes(StandardCharsets.US_ASCII));
        }
      }
    } catch (IOException closed) {
      assertThat(pod.isClosed()).isTrue();
    }
  }

  private static List<String> addresses(EnvoyProcess envoy)
      throws IOException, InterruptedException {
    return envoy
        .admin("/clusters")
        .body()
        .lines()
        .filter(line -> line.startsWith("chat::") && line.endsWith("::cx_active::0"))
        .map(line -> line.substring("chat::".length(), line.length() - "::cx_active::0".length()))
        .toList();
  }

  private EnvoyProcess envoy() throws Exception {
    EnvoyOptions options =
        EnvoyOptions.of("envoy-test", ledger.port(), ledger.port(), ledger.port())
            .withHeartbeat(Duration.ofSeconds(1));
    return part(
        EnvoyProcess.start(
            EnvoyBinary.system().locate(),
            Path.of("..", "envoy", "envoy.yaml"),
            options,
            Files.createTempDirectory(folder, "envoy-")));
  }

  private <T extends AutoCloseable> T part(T part) {
    parts.add(part);
    return part;
  }

  private static PoolPolicy pool(String... addresses) {
    return new PoolPolicy(
        "chat",
        1,
        10,
        2,
        PoolPolicy.Mode.ENFORCE,
        PoolPolicy.OnOwnerLoss.SHARE,
        Stream.of(addresses).map(text -> new Pod("at " + text, PodAddress.parse(text))).toList());
  }
}
