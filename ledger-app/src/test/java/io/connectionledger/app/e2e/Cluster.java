package io.connectionledger.app.e2e;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.awaitility.Awaitility;

/** A broker and instances that share it, each a process of its own that can be killed. */
final class Cluster implements AutoCloseable {

  private static final ObjectMapper JSON = new ObjectMapper();
  private static final Duration START = Duration.ofMinutes(2);
  private static final Duration TIMEOUT = Duration.ofSeconds(3);

  private final List<ServeProcess> instances = new ArrayList<>();
  private final HttpClient http = HttpClient.newHttpClient();
  private final ServeProcess broker;

  private Cluster(ServeProcess broker) {
    this.broker = broker;
  }

  /**
   * Starts it and waits until all instances are ready.
   *
   * @param limit of each pool, on its only pod
   */
  static Cluster start(Path folder, int instances, int limit, List<String> pools)
      throws IOException {
    int kafkaPort = ServeProcess.freePorts(1).getFirst();
    String flow =
        pools.stream()
            .map(
                pool ->
                    "%s: { per-pod-max-connections: %d, on-owner-loss: deny, pods: [{ name: p, address: '127.0.0.1:1' }] }"
                        .formatted(pool, limit))
            .collect(Collectors.joining(", "));
    Cluster cluster = new Cluster(launch(folder, "kafka", "port: " + kafkaPort, flow, "kafka"));
    for (int i = 0; i < instances; i++) {
      cluster.instances.add(
          launch(
              folder,
              "instance-" + i,
              "bootstrap-servers: '127.0.0.1:" + kafkaPort + "'",
              flow,
              "ingest,admission,control-plane"));
    }
    IntStream.range(0, instances).forEach(cluster::awaitReady);
    return cluster;
  }

  private static ServeProcess launch(
      Path folder, String name, String kafka, String pools, String roles) throws IOException {
    Path home = Files.createDirectories(folder.resolve(name));
    List<Integer> free = ServeProcess.freePorts(4);
    Fleet.Ports ports = new Fleet.Ports(free.get(0), free.get(1), free.get(2), free.get(3));
    Path config =
        Files.writeString(
            home.resolve("ledger.yaml"),
            """
            data-dir: '%s'
            kafka: { partitions: 4, %s }
            als: { port: %d }
            authz: { port: %d, durability: acknowledged }
            xds: { port: %d }
            http: { port: %d }
            lease: { reservation: 10m }
            pools: { %s }
            """
                .formatted(
                    home.resolve("data"),
                    kafka,
                    ports.als(),
                    ports.authz(),
                    ports.xds(),
                    ports.http(),
                    pools));
    return ServeProcess.start(home, config, ports, "--roles", roles);
  }

  ServeProcess process(int instance) {
    return instances.get(instance);
  }

  List<Integer> authzPorts() {
    return instances.stream().map(instance -> instance.ports().authz()).toList();
  }

  void awaitReady(int instance) {
    Awaitility.await("instance " + instance + " is ready")
        .atMost(START)
        .pollInterval(Duration.ofMillis(100))
        .until(() -> get(instance, "/health/ready").path("status").asText().equals("ready"));
  }

  /** The instances that say of themselves that they own the pool. */
  List<Integer> ownersOf(String pool) {
    return IntStream.range(0, instances.size())
        .filter(
            instance ->
                text(instance, "/metrics")
                    .contains("websocket_connections_active_total{pool=\"" + pool + "\"}"))
        .boxed()
        .toList();
  }

  /** The only one that does, once there is only one. */
  int ownerOf(String pool) {
    return Awaitility.await(pool + " has one owner")
        .atMost(Duration.ofSeconds(20))
        .until(() -> ownersOf(pool), owners -> owners.size() == 1)
        .getFirst();
  }

  /** What the owner counts as open or reserved, asked by way of every instance. */
  int held(String pool) {
    List<Integer> held =
        IntStream.range(0, instances.size())
            .mapToObj(instance -> get(instance, "/v1/pools/" + pool + "/connections"))
            .map(view -> view.path("active").asInt() + view.path("reserved").asInt())
            .distinct()
            .toList();
    if (held.size() != 1) {
      throw new AssertionError("the instances differ over " + pool + ": " + held);
    }
    return held.getFirst();
  }

  void signal(int instance, String name) throws IOException, InterruptedException {
    new ProcessBuilder("kill", "-" + name, Long.toString(process(instance).pid()))
        .inheritIO()
        .start()
        .waitFor();
  }

  JsonNode get(int instance, String path) {
    try {
      return JSON.readTree(text(instance, path));
    } catch (IOException notJson) {
      throw new IllegalStateException(path + " answered no JSON", notJson);
    }
  }

  private String text(int instance, String path) {
    URI uri = URI.create("http://127.0.0.1:" + process(instance).ports().http() + path);
    try {
      return http.send(
              HttpRequest.newBuilder(uri).timeout(TIMEOUT).build(),
              HttpResponse.BodyHandlers.ofString())
          .body();
    } catch (IOException away) {
      return "{}";
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException(interrupted);
    }
  }

  @Override
  public void close() throws InterruptedException {
    for (ServeProcess instance : instances) {
      instance.close();
    }
    broker.close();
    http.shutdownNow();
  }
}
