package io.connectionledger.app.serve;

import static org.assertj.core.api.Assertions.assertThat;

import io.connectionledger.app.demo.EmbeddedLedger;
import io.connectionledger.app.demo.LedgerPorts;
import io.connectionledger.app.demo.LedgerStarter.RunningLedger;
import io.connectionledger.app.e2e.Fleet;
import io.connectionledger.app.e2e.LedgerHttp;
import io.connectionledger.testkit.PolicyFixtures;
import io.grpc.ManagedChannel;
import io.grpc.health.v1.HealthCheckRequest;
import io.grpc.health.v1.HealthCheckResponse.ServingStatus;
import io.grpc.health.v1.HealthGrpc;
import io.grpc.netty.shaded.io.grpc.netty.NettyChannelBuilder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;

/** Every metric that the chart's alerts and dashboards ask for is on a running instance's page. */
class AlertMetricsIT {

  private static final Path FILES = Fleet.ROOT.resolve("k8s/chart/files");
  private static final Pattern NAME =
      Pattern.compile("\\b(ledger|websocket|jvm|process|kafka|grpc|http)_[a-z0-9_]+");

  /** Of an instance that asks Kubernetes: SliceDiscovery has them, and its test shows them. */
  private static final Set<String> IN_KUBERNETES =
      Set.of("ledger_endpoints_stale", "ledger_kubernetes_watch_up");

  @Test
  void shouldFindEveryMetricOnTheLivePage() throws Exception {
    Set<String> wanted = new TreeSet<>();
    for (Path file : files()) {
      wanted.addAll(names(Files.readString(file)));
    }
    wanted.removeAll(IN_KUBERNETES);
    assertThat(wanted).hasSizeGreaterThan(10);
    try (RunningLedger ledger =
        EmbeddedLedger.start(
            PolicyFixtures.limited("chat", 10, 10, 2, PolicyFixtures.pods(2)),
            Duration.ofSeconds(2))) {
      LedgerPorts ports = ledger.ports();
      checkHealth(ports.authz());
      try (LedgerHttp http = new LedgerHttp(ports.http(), Duration.ofSeconds(10))) {
        Awaitility.await("all metrics are there")
            .atMost(Duration.ofSeconds(30))
            .untilAsserted(
                () -> assertThat(names(http.find("/metrics").orElse(""))).containsAll(wanted));
      }
    }
  }

  /** As an Envoy does, since gRPC's meters are there only after the first call. */
  private static void checkHealth(int port) throws InterruptedException {
    ManagedChannel channel =
        NettyChannelBuilder.forAddress("127.0.0.1", port).usePlaintext().build();
    try {
      assertThat(
              HealthGrpc.newBlockingStub(channel)
                  .check(HealthCheckRequest.getDefaultInstance())
                  .getStatus())
          .isEqualTo(ServingStatus.SERVING);
    } finally {
      channel.shutdownNow().awaitTermination(10, TimeUnit.SECONDS);
    }
  }

  private static List<Path> files() throws IOException {
    try (Stream<Path> files = Files.walk(FILES)) {
      return files
          .filter(
              file ->
                  file.toString().contains("/rules/") || file.toString().contains("/dashboards/"))
          .filter(Files::isRegularFile)
          .toList();
    }
  }

  private static Set<String> names(String text) {
    return NAME.matcher(text).results().map(MatchResult::group).collect(Collectors.toSet());
  }
}
