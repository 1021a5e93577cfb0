package io.connectionledger.app.e2e;

import com.fasterxml.jackson.databind.JsonNode;
import io.connectionledger.app.demo.LedgerPorts;
import io.connectionledger.testkit.FreePorts;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.ToIntFunction;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.ConsumerGroupDescription;
import org.apache.kafka.common.GroupState;
import org.awaitility.Awaitility;
import org.awaitility.core.ConditionTimeoutException;

/** A broker and instances that share it, each a process of its own that can be killed. */
public final class Cluster implements AutoCloseable {

  /**
   * Kafka's own defaults. The embedded broker has shorter ones, so that a single process is soon
   * back; on a machine that starts instances meanwhile it would take itself for dead.
   */
  private static final String PATIENT_BROKER =
      "broker.session.timeout.ms: '9000', broker.heartbeat.interval.ms: '2000'";

  /** The application id of the topology. */
  private static final String GROUP = "connection-ledger";

  private static final Duration START = Duration.ofMinutes(2);

  private final List<ServeProcess> instances = new ArrayList<>();
  private final ServeProcess broker;
  private final int kafkaPort;

  private Cluster(ServeProcess broker, int kafkaPort) {
    this.broker = broker;
    this.kafkaPort = kafkaPort;
  }

  /**
   * What its instances have in common, as YAML in flow style.
   *
   * @param authz beside the port
   */
  public record ClusterSettings(String authz, String lease, String pools) {}

  /**
   * Starts it and waits until all instances are ready.
   *
   * @param limit of each pool, on its only pod
   */
  public static Cluster start(Path folder, int instances, int limit, List<String> pools)
      throws IOException {
    String flow =
        pools.stream()
            .map(
                pool ->
                    "%s: { per-pod-max-connections: %d, on-owner-loss: deny, pods: [{ name: p, address: '127.0.0.1:1' }] }"
                        .formatted(pool, limit))
            .collect(Collectors.joining(", "));
    return start(
        folder,
        instances,
        new ClusterSettings("durability: acknowledged", "reservation: 10m", flow));
  }

  /** Starts it and waits until all instances are ready. */
  public static Cluster start(Path folder, int instances, ClusterSettings settings)
      throws IOException {
    int kafkaPort = FreePorts.one();
    String broker = "port: %d, properties: { %s }".formatted(kafkaPort, PATIENT_BROKER);
    Cluster cluster = new Cluster(launch(folder, "kafka", broker, settings, "kafka"), kafkaPort);
    for (int i = 0; i < instances; i++) {
      cluster.instances.add(
          launch(
              folder,
              "instance-" + i,
              "bootstrap-servers: '" + cluster.bootstrapServers() + "'",
              settings,
              "ingest,admission,control-plane"));
    }
    IntStream.range(0, instances).forEach(cluster::awaitReady);
    return cluster;
  }

  private static ServeProcess launch(
      Path folder, String name, String kafka, ClusterSettings settings, String roles)
      throws IOException {
    Path home = Files.createDirectories(folder.resolve(name));
    List<Integer> free = FreePorts.some(4);
    LedgerPorts ports = new LedgerPorts(free.get(0), free.get(1), free.get(2), free.get(3));
    Path config =
        Files.writeString(
            home.resolve("ledger.yaml"),
            """
            data-dir: '%s'
            kafka: { partitions: 4, %s }
            als: { port: %d }
            authz: { port: %d, %s }
            xds: { port: %d }
            http: { port: %d }
            lease: { %s }
            pools: { %s }
            """
                .formatted(
                    home.resolve("data"),
                    kafka,
                    ports.als(),
                    ports.authz(),
                    settings.authz(),
                    ports.xds(),
                    ports.http(),
                    settings.lease(),
                    settings.pools()));
    return ServeProcess.start(home, config, ports, "--roles", roles);
  }

  /** How many instances it has, whether they run or not. */
  public int size() {
    return instances.size();
  }

  public ServeProcess broker() {
    return broker;
  }

  public String bootstrapServers() {
    return "127.0.0.1:" + kafkaPort;
  }

  public ServeProcess process(int instance) {
    return instances.get(instance);
  }

  public List<Integer> authzPorts() {
    return ports(LedgerPorts::authz);
  }

  public List<Integer> ports(ToIntFunction<LedgerPorts> service) {
    return instances.stream().map(each -> service.applyAsInt(each.ports())).toList();
  }

  public void awaitReady(int instance) {
    try {
      Awaitility.await("instance " + instance + " is ready")
          .atMost(START)
          .pollInterval(Duration.ofMillis(100))
          .until(() -> get(instance, "/health/ready").path("status").asText().equals("ready"));
    } catch (ConditionTimeoutException late) {
      throw new AssertionError(
          "instance %d is not ready, its log ends with%n%s"
              .formatted(instance, process(instance).logEnd()),
          late);
    }
  }

  /** The instances that say of themselves that they own the pool. */
  public List<Integer> ownersOf(String pool) {
    return IntStream.range(0, instances.size())
        .filter(
            instance ->
                text(instance, "/metrics")
                    .contains("websocket_connections_active_total{pool=\"" + pool + "\"}"))
        .boxed()
        .toList();
  }

  /**
   * The only one that does, once there is only one and the group rests. In the moment after a move
   * that is its old owner still, which hears of it a little later than the group's coordinator.
   */
  public int ownerOf(String pool) {
    try (Admin admin = Admin.create(Map.of("bootstrap.servers", bootstrapServers()))) {
      Awaitility.await("no partition moves")
          .atMost(Duration.ofSeconds(20))
          .until(() -> isBalanced(admin));
    }
    return Awaitility.await(pool + " has one owner")
        .atMost(Duration.ofSeconds(20))
        .until(() -> ownersOf(pool), owners -> owners.size() == 1)
        .getFirst();
  }

  /** An instance that is ready is a member, but may have to wait for its first partitions. */
  private static boolean isBalanced(Admin admin) throws Exception {
    ConsumerGroupDescription group =
        admin.describeConsumerGroups(List.of(GROUP)).all().get().get(GROUP);
    return group.groupState() == GroupState.STABLE
        && group.members().stream()
            .noneMatch(member -> member.assignment().topicPartitions().isEmpty());
  }

  /** What the owner counts as open or reserved, as every instance says once the pool rests. */
  public int held(String pool) {
    return Awaitility.await("the instances agree over " + pool)
        .atMost(Duration.ofSeconds(20))
        .until(() -> heldBy(pool), held -> held.size() == 1)
        .getFirst();
  }

  private List<Integer> heldBy(String pool) {
    return IntStream.range(0, instances.size())
        .mapToObj(instance -> get(instance, "/v1/pools/" + pool + "/connections"))
        .map(view -> view.path("active").asInt() + view.path("reserved").asInt())
        .distinct()
        .toList();
  }

  public void signal(int instance, String name) throws IOException, InterruptedException {
    new ProcessBuilder("kill", "-" + name, Long.toString(process(instance).pid()))
        .inheritIO()
        .start()
        .waitFor();
  }

  public JsonNode get(int instance, String path) {
    return LedgerHttp.json(text(instance, path));
  }

  private String text(int instance, String path) {
    return find(instance, path).orElse("{}");
  }

  /** The body of an answer with status 200; empty for any other, and when it does not answer. */
  public Optional<String> find(int instance, String path) {
    return process(instance).http().find(path);
  }

  /** Asks an instance for a change, which must succeed. */
  public void change(int instance, String method, String path, String body) {
    JsonNode unused = process(instance).http().change(method, path, body);
  }

  @Override
  public void close() throws InterruptedException {
    for (ServeProcess instance : instances) {
      instance.close();
    }
    broker.close();
  }
}
