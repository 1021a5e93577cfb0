package io.connectionledger.bench.process;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.connectionledger.model.Topics;
import java.io.IOException;
import java.net.BindException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.ThreadLocalRandom;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.apache.kafka.clients.CommonClientConfigs;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.common.TopicPartition;

/** {@code ledger serve} with every role and its embedded Kafka, as a process of its own. */
public final class LedgerProcess implements AutoCloseable {

  private static final int PARTITIONS = 12;
  private static final String HEAP = "3g";
  private static final ObjectMapper MAPPER = new ObjectMapper();

  private final HttpClient http =
      HttpClient.newBuilder().connectTimeout(Duration.ofSeconds(2)).build();
  private final Ports ports;
  private final Subprocess process;

  /** Where it listens. */
  public record Ports(int kafka, int als, int authz, int http, int xds) {

    /**
     * Ports that were free a moment ago, below those that systems hand out to connections: one of
     * these could be gone before the ledger listens.
     */
    public static Ports free() throws IOException {
      int[] free = new int[5];
      for (int found = 0; found < free.length; ) {
        int port = ThreadLocalRandom.current().nextInt(10_000, 30_000);
        if (isFree(port)) {
          free[found++] = port;
        }
      }
      return new Ports(free[0], free[1], free[2], free[3], free[4]);
    }

    private static boolean isFree(int port) throws IOException {
      try (ServerSocket probe = new ServerSocket(port, 1, InetAddress.getLoopbackAddress())) {
        return probe.isBound();
      } catch (BindException taken) {
        return false;
      }
    }
  }

  /**
   * What it serves.
   *
   * @param addresses of each pool's pods, ip:port
   * @param heartbeat long enough that no lease ends while it is measured
   */
  public record Shape(
      int pools, List<String> addresses, int perPodMax, Duration heartbeat, Duration reservation) {

    /** With so many pods that are not there. */
    public static Shape of(
        int pools, int podsPerPool, int perPodMax, Duration heartbeat, Duration reservation) {
      return new Shape(
          pools,
          IntStream.range(0, podsPerPool).mapToObj(i -> podIp(i) + ":8080").toList(),
          perPodMax,
          heartbeat,
          reservation);
    }
  }

  private LedgerProcess(Ports ports, Subprocess process) {
    this.ports = ports;
    this.process = process;
  }

  public static String pool(int index) {
    return "pool-" + index;
  }

  public static String podIp(int index) {
    return "10.0." + (index >> 8) + "." + (index & 255);
  }

  /** Starts it, with its own Kafka, on what {@code dir} holds. */
  public static LedgerProcess start(Path dir, Ports ports, Shape shape) throws IOException {
    return start(dir, ports, shape, Map.of());
  }

  /** The same, told more by its environment. */
  public static LedgerProcess start(
      Path dir, Ports ports, Shape shape, Map<String, String> environment) throws IOException {
    return start(dir, ports, "", shape, "kafka,ingest,admission,control-plane", environment);
  }

  /** Starts some of it on the Kafka at {@code kafka}; its own where that is empty. */
  public static LedgerProcess start(Path dir, Ports ports, String kafka, Shape shape, String roles)
      throws IOException {
    return start(dir, ports, kafka, shape, roles, Map.of());
  }

  private static LedgerProcess start(
      Path dir,
      Ports ports,
      String kafka,
      Shape shape,
      String roles,
      Map<String, String> environment)
      throws IOException {
    Path config = Files.writeString(dir.resolve("ledger.yaml"), yaml(dir, ports, kafka, shape));
    return new LedgerProcess(
        ports,
        Subprocess.ledger(
            dir.resolve("ledger.log"),
            HEAP,
            environment,
            "serve",
            "--config",
            config.toString(),
            "--roles",
            roles));
  }

  private static String yaml(Path dir, Ports ports, String kafka, Shape shape) {
    String pods =
        IntStream.range(0, shape.addresses.size())
            .mapToObj(i -> "{ name: pod-" + i + ", address: \"" + shape.addresses.get(i) + "\" }")
            .collect(Collectors.joining(", "));
    String pools =
        IntStream.range(0, shape.pools)
            .mapToObj(
                i ->
                    "  %s: { connections-per-second: 1000000, per-pod-max-connections: %d, pods: [%s] }\n"
                        .formatted(pool(i), shape.perPodMax, pods))
            .collect(Collectors.joining());
    return String.format(
        Locale.ROOT,
        """
        data-dir: %s
        kafka: { bootstrap-servers: "%s", port: %d, partitions: %d }
        als: { port: %d }
        authz: { port: %d }
        http: { port: %d }
        xds: { port: %d }
        lease: { heartbeat: %ds, missed: 3, reservation: %ds, unreported: 0s }
        pools:
        %s""",
        dir.resolve("data"),
        kafka,
        ports.kafka,
        PARTITIONS,
        ports.als,
        ports.authz,
        ports.http,
        ports.xds,
        shape.heartbeat.toSeconds(),
        shape.reservation.toSeconds(),
        pools);
  }

  public Subprocess process() {
    return process;
  }

  public void awaitReady(Duration limit) throws Exception {
    Wait.until("the ledger is ready", limit, this::isReady);
  }

  private boolean isReady() throws InterruptedException, IOException {
    if (!process.isAlive()) {
      throw new IOException("the ledger ended: " + process.answer());
    }
    try {
      return get("/health/ready").statusCode() == 200;
    } catch (IOException notListening) {
      return false;
    }
  }

  /** The sum of a count of {@code /v1/pools/{pool}/connections} over all pools. */
  public long count(String field, int pools) throws IOException, InterruptedException {
    long sum = 0;
    for (int i = 0; i < pools; i++) {
      JsonNode view = MAPPER.readTree(get("/v1/pools/" + pool(i) + "/connections").body());
      sum += view.path(field).asLong(-1);
    }
    return sum;
  }

  /** A sample of the metrics page. */
  public double metric(String sample) throws IOException, InterruptedException {
    return get("/metrics")
        .body()
        .lines()
        .filter(line -> line.startsWith(sample + " "))
        .mapToDouble(line -> Double.parseDouble(line.substring(sample.length() + 1)))
        .findFirst()
        .orElseThrow(() -> new IOException("no sample " + sample));
  }

  private HttpResponse<String> get(String path) throws IOException, InterruptedException {
    return http.send(
        HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + ports.http + path))
            .timeout(Duration.ofSeconds(10))
            .build(),
        HttpResponse.BodyHandlers.ofString());
  }

  public boolean isIdle() throws Exception {
    return lag() == 0;
  }

  /** Records of the ledger's input topics that its topology has not committed yet. */
  private long lag() throws Exception {
    try (Admin admin =
        Admin.create(
            Map.of(CommonClientConfigs.BOOTSTRAP_SERVERS_CONFIG, "127.0.0.1:" + ports.kafka))) {
      List<TopicPartition> inputs =
          Stream.of(Topics.CONNECTIONS, Topics.DECISIONS)
              .flatMap(
                  topic ->
                      IntStream.range(0, PARTITIONS).mapToObj(p -> new TopicPartition(topic, p)))
              .toList();
      var committed =
          admin.listConsumerGroupOffsets("connection-ledger").partitionsToOffsetAndMetadata().get();
      var ends =
          admin
              .listOffsets(
                  inputs.stream()
                      .collect(Collectors.toMap(Function.identity(), p -> OffsetSpec.latest())))
              .all()
              .get();
      long lag = 0;
      for (var end : ends.entrySet()) {
        var position = committed.get(end.getKey());
        lag += end.getValue().offset() - (position == null ? 0 : position.offset());
      }
      return lag;
    }
  }

  @Override
  public void close() throws IOException, InterruptedException {
    http.close();
    process.close();
  }
}
