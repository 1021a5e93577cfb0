package io.connectionledger.app.faults;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.MissingNode;
import io.connectionledger.app.demo.LedgerPorts;
import io.connectionledger.app.e2e.LedgerHttp;
import io.connectionledger.app.e2e.ServeProcess;
import io.connectionledger.app.faults.CountWatch.LedgerCounts;
import io.connectionledger.model.Topics;
import io.connectionledger.testkit.FreePorts;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.ListOffsetsOptions;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.common.TopicPartition;
import org.awaitility.Awaitility;

/** The ledger under test: one {@code serve}, or several that have a share of the roles each. */
final class LedgerProcesses implements AutoCloseable {

  static final String POOL = "chat";

  private static final Duration TIMEOUT = Duration.ofSeconds(2);

  /** The default of {@code kafka.partitions}. */
  private static final int PARTITIONS = 12;

  private static final ListOffsetsOptions WITHIN_A_SECOND =
      new ListOffsetsOptions().timeoutMs(1_000);

  private final LedgerHttp http;
  private final List<ServeProcess> processes = new ArrayList<>();
  private final Path folder;
  private final LedgerPorts ports;
  private final int kafkaPort;

  private LedgerProcesses(Path folder, LedgerPorts ports, int kafkaPort) {
    this.folder = folder;
    this.ports = ports;
    this.kafkaPort = kafkaPort;
    this.http = new LedgerHttp(ports.http(), TIMEOUT);
  }

  /**
   * Starts it and waits until it is ready.
   *
   * @param pools as {@link ServeProcess#pool} writes them
   * @param roles of each process, the one with Kafka first; none for one process with all
   */
  static LedgerProcesses start(Path folder, Duration heartbeat, String pools, String... roles)
      throws IOException {
    List<Integer> free = FreePorts.some(5);
    LedgerProcesses ledger =
        new LedgerProcesses(
            folder,
            new LedgerPorts(free.get(0), free.get(1), free.get(2), free.get(3)),
            free.get(4));
    if (roles.length == 0) {
      ledger.launch("port: " + ledger.kafkaPort, heartbeat, pools);
    }
    for (String share : roles) {
      ledger.launch(
          share.contains("kafka")
              ? "port: " + ledger.kafkaPort
              : "bootstrap-servers: '" + ledger.bootstrapServers() + "'",
          heartbeat,
          pools,
          "--roles",
          share);
      ledger.awaitKafka();
    }
    ledger.awaitReady();
    return ledger;
  }

  private void launch(String kafka, Duration heartbeat, String pools, String... arguments)
      throws IOException {
    Path home = Files.createDirectories(folder.resolve("ledger-" + (processes.size() + 1)));
    Path config =
        Files.writeString(
            home.resolve("ledger.yaml"),
            """
            data-dir: '%s'
            kafka: { %s }
            als: { port: %d }
            authz: { port: %d }
            xds: { port: %d }
            http: { port: %d }
            lease: { heartbeat: %ds }
            pools: { %s }
            """
                .formatted(
                    home.resolve("data"),
                    kafka,
                    ports.als(),
                    ports.authz(),
                    ports.xds(),
                    ports.http(),
                    heartbeat.toSeconds(),
                    pools));
    processes.add(ServeProcess.start(home, config, ports, arguments));
  }

  /** The first has Kafka, if they are several. */
  ServeProcess process(int index) {
    return processes.get(index);
  }

  /** Where the stores of the first process are. */
  Path stores() {
    return folder.resolve("ledger-1/data/streams");
  }

  LedgerPorts ports() {
    return ports;
  }

  String bootstrapServers() {
    return "127.0.0.1:" + kafkaPort;
  }

  /** Waits until the broker leads its partitions; its port takes connections long before. */
  void awaitKafka() {
    Map<TopicPartition, OffsetSpec> ends =
        IntStream.range(0, PARTITIONS)
            .mapToObj(partition -> new TopicPartition(Topics.CONNECTIONS, partition))
            .collect(Collectors.toMap(Function.identity(), partition -> OffsetSpec.latest()));
    Awaitility.await("Kafka listens").atMost(Duration.ofMinutes(1)).until(this::kafkaListens);
    try (Admin admin = Admin.create(Map.of("bootstrap.servers", bootstrapServers()))) {
      Awaitility.await("Kafka leads its partitions")
          .atMost(Duration.ofMinutes(1))
          .pollInterval(Duration.ofMillis(50))
          .ignoreException(ExecutionException.class)
          .until(
              () ->
                  admin.listTopics().names().get().contains(Topics.CONNECTIONS)
                      && admin.listOffsets(ends, WITHIN_A_SECOND).all().get() != null);
    }
  }

  void awaitAls() {
    Awaitility.await("the access-log service listens on " + ports.als())
        .atMost(Duration.ofMinutes(1))
        .pollInterval(Duration.ofMillis(50))
        .until(this::alsListens);
  }

  boolean kafkaListens() {
    return listens(kafkaPort);
  }

  boolean alsListens() {
    return listens(ports.als());
  }

  private static boolean listens(int port) {
    try (Socket socket = new Socket()) {
      socket.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), 1_000);
      return true;
    } catch (IOException refused) {
      return false;
    }
  }

  void awaitReady() {
    Awaitility.await("the ledger in " + folder + " is ready")
        .atMost(Duration.ofMinutes(2))
        .pollInterval(Duration.ofMillis(50))
        .until(() -> http.find("/health/ready").isPresent() && alsListens());
  }

  /** What it says of the pool's pods; empty while it does not answer. */
  Optional<LedgerCounts> counts() {
    return http.find("/v1/pools/" + POOL + "/connections").map(LedgerCounts::parse);
  }

  /** How far it says that the pool can be relied on; a missing node while it does not answer. */
  JsonNode readiness() {
    return http.find("/v1/pools/" + POOL + "/readiness")
        .map(LedgerHttp::json)
        .orElse(MissingNode.getInstance());
  }

  /** The sum of the samples of a metric whose name and labels begin so; 0 without any. */
  double metric(String prefix) {
    return http.find("/metrics")
        .orElse("")
        .lines()
        .filter(line -> line.startsWith(prefix))
        .mapToDouble(line -> Double.parseDouble(line.substring(line.lastIndexOf(' ') + 1)))
        .sum();
  }

  @Override
  public void close() throws InterruptedException {
    for (ServeProcess process : processes.reversed()) {
      process.close();
    }
    http.close();
  }
}
