package io.connectionledger.app.image;

import static org.assertj.core.api.Assertions.assertThat;

import com.github.dockerjava.api.model.AccessMode;
import com.github.dockerjava.api.model.Bind;
import com.github.dockerjava.api.model.Capability;
import com.github.dockerjava.api.model.HostConfig;
import com.github.dockerjava.api.model.Volume;
import io.connectionledger.app.e2e.Fleet;
import io.connectionledger.app.e2e.LedgerHttp;
import io.connectionledger.app.websocket.WebSocketClients;
import io.connectionledger.app.websocket.WebSocketClients.Attempt;
import io.connectionledger.app.websocket.WebSocketClients.Opened;
import io.connectionledger.app.websocket.WebSocketPod;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.testcontainers.DockerClientFactory;
import org.testcontainers.containers.GenericContainer;
import org.testcontainers.containers.Network;
import org.testcontainers.containers.wait.strategy.Wait;
import org.testcontainers.utility.DockerImageName;

/**
 * The images as a cluster runs them: broker, ledger and Envoy in containers of one network, as user
 * 1000, without a capability and on a root that cannot be written; and one WebSocket through all of
 * them. Needs a Docker engine on this machine.
 */
@Tag("docker")
final class ImageIT {

  private static final Duration START = Duration.ofMinutes(2);
  private static final Duration REPORTED = Duration.ofSeconds(30);

  @Test
  void shouldTakeAWebSocketThroughBrokerLedgerAndEnvoy(@TempDir Path folder) throws Exception {
    Images.build();
    try (Network network = Network.newNetwork();
        WebSocketPod pod = WebSocketPod.start(gateway(network), 0);
        GenericContainer<?> broker = broker(network, folder);
        GenericContainer<?> ledger = ledger(network, folder, pod);
        GenericContainer<?> envoy = envoy(network, folder);
        WebSocketClients clients = new WebSocketClients()) {
      broker.start();
      ledger.start();
      envoy.start();

      Attempt attempt =
          clients
              .open(
                  URI.create("ws://%s:%d/".formatted(envoy.getHost(), envoy.getMappedPort(10_000))),
                  Map.of())
              .join();

      assertThat(attempt).isInstanceOf(Opened.class);
      assertThat(pod.count().current()).isEqualTo(1);
      try (LedgerHttp http = new LedgerHttp(ledger.getMappedPort(8090), Duration.ofSeconds(5))) {
        Awaitility.await("the ledger counts it on its pod")
            .atMost(REPORTED)
            .until(() -> active(http, pod) == 1);
      }
      for (GenericContainer<?> container : List.of(broker, ledger, envoy)) {
        assertThat(userOf(container)).as(container.getDockerImageName()).isEqualTo("1000");
      }
    }
  }

  private static GenericContainer<?> broker(Network network, Path folder) throws IOException {
    return container(
            Images.LEDGER,
            network,
            "broker",
            Files.writeString(
                folder.resolve("broker.yaml"),
                """
                data-dir: /var/lib/ledger
                instance: { host: broker }
                kafka: { bind: 0.0.0.0, port: 9092 }
                insecure: true
                """),
            "/etc/ledger/ledger.yaml")
        .withCommand("serve", "--config", "/etc/ledger/ledger.yaml", "--roles", "kafka")
        // Without it Java would start without its cache where it cannot use it.
        .withEnv("JDK_JAVA_OPTIONS", "-XX:AOTMode=on -Xmx256m")
        .waitingFor(Wait.forLogMessage(".*Instance started.*", 1).withStartupTimeout(START));
  }

  private static GenericContainer<?> ledger(Network network, Path folder, WebSocketPod pod)
      throws IOException {
    return container(
            Images.LEDGER,
            network,
            "ledger",
            Files.writeString(
                folder.resolve("ledger.yaml"),
                """
                data-dir: /var/lib/ledger
                instance: { host: ledger }
                kafka: { bootstrap-servers: "broker:9092" }
                als: { bind: 0.0.0.0 }
                authz: { bind: 0.0.0.0 }
                http: { bind: 0.0.0.0 }
                xds: { bind: 0.0.0.0 }
                insecure: true
                pools: { chat: { per-pod-max-connections: 1, pods: [{ name: p, address: '%s' }] } }
                """
                    .formatted(pod.address())),
            "/etc/ledger/ledger.yaml")
        .withEnv("JDK_JAVA_OPTIONS", "-XX:AOTMode=on -Xmx256m")
        .withExposedPorts(8090)
        .waitingFor(Wait.forHttp("/health/ready").forPort(8090).withStartupTimeout(START));
  }

  /** Envoy with the file that everybody boots, told where the ledger is as k8s/README.md says. */
  private static GenericContainer<?> envoy(Network network, Path folder) throws IOException {
    String bootstrap =
        Files.readString(Fleet.ROOT.resolve("envoy/envoy.yaml"))
            .replace("type: STATIC", "type: STRICT_DNS")
            .replaceAll("127\\.0\\.0\\.1, port_value: (9001|9002|18000)", "ledger, port_value: $1")
            .replace("127.0.0.1, port_value: 10000", "0.0.0.0, port_value: 10000");
    return container(
            Images.ENVOY,
            network,
            "envoy",
            Files.writeString(folder.resolve("envoy.yaml"), bootstrap),
            "/etc/envoy/envoy.yaml")
        .withExposedPorts(10_000)
        // It listens only once it has its pods.
        .waitingFor(Wait.forLogMessage(".*all dependencies initialized. starting workers.*", 1));
  }

  private static GenericContainer<?> container(
      String image, Network network, String name, Path config, String at) {
    return new GenericContainer<>(DockerImageName.parse(image))
        .withNetwork(network)
        .withNetworkAliases(name)
        // As volumes of a cluster: libraries that are unpacked here must be executable.
        .withTmpFs(Map.of("/tmp", "rw,exec", "/var/lib/ledger", "rw"))
        .withCreateContainerCmdModifier(
            command -> {
              HostConfig host = command.getHostConfig();
              command.withHostConfig(
                  host.withReadonlyRootfs(true)
                      .withCapDrop(Capability.ALL)
                      .withSecurityOpts(List.of("no-new-privileges"))
                      .withBinds(new Bind(config.toString(), new Volume(at), AccessMode.ro)));
            });
  }

  /** The address of this machine in the network. */
  private static String gateway(Network network) {
    return DockerClientFactory.lazyClient()
        .inspectNetworkCmd()
        .withNetworkId(network.getId())
        .exec()
        .getIpam()
        .getConfig()
        .getFirst()
        .getGateway();
  }

  private static int active(LedgerHttp http, WebSocketPod pod) {
    return http.find("/v1/pools/chat/connections").map(LedgerHttp::json).stream()
        .flatMap(answer -> answer.path("pods").valueStream())
        .filter(each -> each.path("address").asText().equals(pod.address().toString()))
        .mapToInt(each -> each.path("active").asInt())
        .sum();
  }

  /** Whom its process runs as, by the kernel's account. */
  private static String userOf(GenericContainer<?> container) throws IOException {
    Long pid = container.getCurrentContainerInfo().getState().getPidLong();
    return Files.readAllLines(Path.of("/proc/" + pid + "/status")).stream()
        .filter(line -> line.startsWith("Uid:"))
        .map(line -> line.split("\\s+", -1)[1])
        .findFirst()
        .orElseThrow();
  }
}
