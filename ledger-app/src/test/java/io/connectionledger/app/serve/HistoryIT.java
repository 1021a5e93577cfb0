package io.connectionledger.app.serve;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.connectionledger.app.cli.CommandLines;
import io.connectionledger.app.cli.CommandRuns;
import io.connectionledger.app.config.ConfigLoader;
import io.connectionledger.app.config.LedgerConfig;
import io.connectionledger.app.config.Role;
import io.connectionledger.app.history.ReplayCommand;
import io.connectionledger.app.history.SimulateCommand;
import io.connectionledger.model.PodAddress;
import io.connectionledger.model.Ticker;
import io.connectionledger.model.Topics;
import io.connectionledger.model.event.ConnectionEvent;
import io.connectionledger.model.event.Decision;
import io.connectionledger.model.event.RecordCodec;
import io.envoyproxy.envoy.service.auth.v3.CheckResponse;
import java.io.StringWriter;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

/** What happened to a real ledger, asked for afterwards. */
final class HistoryIT {

  private static final ObjectMapper JSON = new ObjectMapper();
  private static final String POOL = "chat";
  private static final String FLOOD = "flood";
  private static final int FLOOD_CHECKS = 5_001;

  @TempDir private static Path folder;

  private static Path file;
  private static LedgerNode ledger;

  private final Ticker ticker = Ticker.system();
  private final HttpClient http = HttpClient.newHttpClient();

  @BeforeAll
  static void start() throws Exception {
    file = Files.writeString(folder.resolve("ledger.yaml"), configuration());
    LedgerConfig config = ConfigLoader.load(file, Map.of());
    ledger = LedgerNode.start(config, Role.resolve(Optional.empty(), config.kafka()));
    Awaitility.await("ready")
        .atMost(Duration.ofSeconds(60))
        .until(() -> ledger.unready().isEmpty());
  }

  @AfterAll
  static void stop() {
    ledger.close();
  }

  @AfterEach
  void closeClient() {
    http.close();
  }

  /** However many there are, each is counted everywhere, and only some have a record. */
  @Test
  void shouldCountEveryRejectionOfAFlood() throws Exception {
    List<CheckResponse> answers = new ArrayList<>();
    Map<String, Decision> records = Map.of();
    // On a machine that is busy enough, the first ones may be no flood.
    for (int tries = 0; tries < 10 && records.size() == answers.size(); tries++) {
      try (Checks client = Checks.connect(ledger.authzPort().orElseThrow())) {
        answers.addAll(client.flood(Checks.webSocket(FLOOD), FLOOD_CHECKS));
      }
      int rejected = answers.size() - 1;
      Awaitility.await("all rejections in the windows")
          .atMost(Duration.ofSeconds(20))
          .until(() -> rejections("5m").path("pod_limit").asInt(), count -> count >= rejected);
      records = records();
    }

    int rejected = answers.size() - 1;
    for (String window : List.of("5m", "15m", "1h")) {
      assertThat(rejections(window))
          .as(window)
          .isEqualTo(JSON.createObjectNode().put("pod_limit", rejected));
    }
    assertThat(get("/metrics").body())
        .contains(
            "websocket_connections_rejected_total{pool=\"flood\",reason=\"pod_limit\"} "
                + rejected
                + ".0");
    assertThat(records.values().stream().mapToInt(Decision::attempts).sum())
        .isEqualTo(answers.size());
    long seconds = records.values().stream().map(one -> one.atMs() / 1_000).distinct().count();
    assertThat(records.values())
        .filteredOn(one -> one.attempts() == 1)
        .hasSizeLessThanOrEqualTo((int) (seconds + 1) * 1_000);
    assertThat(records.size()).isLessThan(answers.size());

    Map<String, Decision> known = records;
    String counted =
        answers.stream()
            .filter(answer -> answer.getStatus().getCode() != 0)
            .map(answer -> metadata(answer, "decision"))
            .filter(id -> !known.containsKey(id))
            .findFirst()
            .orElseThrow();
    assertThat(get("/v1/decisions/" + counted).body()).contains("\"status\":404", "only counted");
    Decision many =
        records.values().stream().filter(one -> one.attempts() > 1).findFirst().orElseThrow();
    assertThat(JSON.readTree(get("/v1/decisions/" + many.id()).body()).path("count").asInt())
        .isEqualTo(many.attempts());
    assertThat(simulate(FLOOD, "per-pod-max-connections=7").lines().map(HistoryIT::words))
        .contains(
            "attempts %1$d %1$d".formatted(answers.size()),
            "admitted 1 7",
            "pod_limit %d %d".formatted(rejected, answers.size() - 7));
  }

  private static String words(String line) {
    return line.strip().replaceAll(" +", " ");
  }

  private JsonNode rejections(String window) throws Exception {
    return JSON.readTree(get("/v1/pools/" + FLOOD + "/rejections").body())
        .path("windows")
        .path(window);
  }

  private HttpResponse<String> get(String path) throws Exception {
    return http.send(
        HttpRequest.newBuilder(URI.create(url() + path)).build(),
        HttpResponse.BodyHandlers.ofString());
  }

  /** What the topic has of the flooded pool, by id. */
  private static Map<String, Decision> records() throws Exception {
    Map<String, Decision> found = new HashMap<>();
    ByteArrayDeserializer bytes = new ByteArrayDeserializer();
    try (KafkaConsumer<byte[], byte[]> consumer =
        new KafkaConsumer<>(Map.of("bootstrap.servers", ledger.bootstrapServers()), bytes, bytes)) {
      List<TopicPartition> all =
          consumer.partitionsFor(Topics.DECISIONS).stream()
              .map(one -> new TopicPartition(one.topic(), one.partition()))
              .toList();
      consumer.assign(all);
      consumer.seekToBeginning(all);
      Map<TopicPartition, Long> ends = consumer.endOffsets(all);
      while (all.stream().anyMatch(one -> consumer.position(one) < ends.getOrDefault(one, 0L))) {
        for (ConsumerRecord<byte[], byte[]> record : consumer.poll(Duration.ofMillis(100))) {
          Decision decision = RecordCodec.decodeDecision(record.value());
          if (decision.pool().equals(FLOOD)) {
            found.put(decision.id(), decision);
          }
        }
      }
    }
    return found;
  }

  @Test
  void shouldSayWhatWasAndWhatWouldHaveBeen() throws Exception {
    assertNoDecisions();
    List<CheckResponse> admitted = admit(8);
    // Clocks of one machine may be a millisecond apart.
    long admittedMs = ticker.nowMs() + 5;
    JsonNode whenAdmitted = connections();
    Awaitility.await("another moment").until(() -> ticker.nowMs() > admittedMs + 5);
    becomeConnections(ledger.bootstrapServers(), admitted);
    Awaitility.await("what became of them")
        .atMost(Duration.ofSeconds(20))
        .until(() -> connections().path("active").asInt() == 2);
    JsonNode now = connections();

    assertNoDecisions();
    assertThat(admitted).hasSize(6);
    assertThat(now.path("reserved").asInt()).isEqualTo(3);
    assertThat(replay("-0s")).isEqualTo(now);
    assertThat(replay(Instant.ofEpochMilli(admittedMs).toString())).isEqualTo(whenAdmitted);

    String more = simulate(POOL, "per-pod-max-connections=4");
    assertThat(more.lines().map(HistoryIT::words))
        .contains(
            "attempts 8 8", "admitted 6 8", "pod_limit 2 0", "peak of one 3 4", "peak of two 3 4")
        .noneMatch(line -> line.contains("may be off"));
    JsonNode same = JSON.readTree(simulate(POOL, "--output=json"));
    assertThat(same.path("recorded").path("attempts").asInt()).isEqualTo(8);
    assertThat(same.path("repeated")).isEqualTo(same.path("recorded"));
    assertThat(same.path("simulated")).isEqualTo(same.path("recorded"));
  }

  /** Ids that could be ours, of times of which Kafka knows nothing. */
  private void assertNoDecisions() throws Exception {
    for (String id : List.of("AAAAAAAAAAAAAAAA", "________________", "AAAAAAAAAAAAAAA-")) {
      String url = "http://127.0.0.1:" + ledger.httpPort().orElseThrow() + "/v1/decisions/" + id;
      HttpResponse<String> none =
          http.send(
              HttpRequest.newBuilder(URI.create(url)).build(),
              HttpResponse.BodyHandlers.ofString());
      assertThat(none.statusCode()).as(none.body()).isEqualTo(404);
    }
  }

  /** Nothing ends by itself within the test. */
  private static String configuration() {
    return """
        data-dir: '%s'
        kafka: { port: 0, partitions: 3 }
        als: { port: 0 }
        authz: { port: 0 }
        http: { port: 0 }
        xds: { port: 0 }
        lease: { heartbeat: 5m, missed: 3, reservation: 5m }
        pools:
          chat:
            per-pod-max-connections: 3
            pods: [ { name: one, address: "10.0.0.1:80" }, { name: two, address: "10.0.0.2:80" } ]
          flood:
            per-pod-max-connections: 1
            pods: [ { name: three, address: "10.0.0.3:80" } ]
        """
        .formatted(folder.resolve("data"));
  }

  private static List<CheckResponse> admit(int checks) throws Exception {
    List<CheckResponse> admitted = new ArrayList<>();
    try (Checks client = Checks.connect(ledger.authzPort().orElseThrow())) {
      for (int i = 0; i < checks; i++) {
        CheckResponse answer = client.send(Checks.webSocket(POOL));
        if (answer.getStatus().getCode() == 0) {
          admitted.add(answer);
        }
      }
    }
    return admitted;
  }

  /** Three of them open, and one of those closes again. */
  private void becomeConnections(String bootstrapServers, List<CheckResponse> admitted) {
    ByteArraySerializer bytes = new ByteArraySerializer();
    try (KafkaProducer<byte[], byte[]> producer =
        new KafkaProducer<>(Map.of("bootstrap.servers", bootstrapServers), bytes, bytes)) {
      for (int i = 0; i < 3; i++) {
        String id = metadata(admitted.get(i), "reservation");
        PodAddress pod = PodAddress.parse(metadata(admitted.get(i), "pod"));
        long nowMs = ticker.nowMs();
        send(producer, new ConnectionEvent.Opened(POOL, id, pod, "envoy-1", nowMs, nowMs));
        if (i == 2) {
          send(
              producer,
              new ConnectionEvent.Closed(POOL, id, pod, "envoy-1", "via_upstream", 1L, nowMs));
        }
      }
      producer.flush();
    }
  }

  private static String metadata(CheckResponse answer, String key) {
    return answer.getDynamicMetadata().getFieldsOrThrow(key).getStringValue();
  }

  private static void send(KafkaProducer<byte[], byte[]> producer, ConnectionEvent event) {
    var unused =
        producer.send(
            new ProducerRecord<>(
                Topics.CONNECTIONS, POOL.getBytes(UTF_8), RecordCodec.encode(event)));
  }

  private static String url() {
    return "http://127.0.0.1:" + ledger.httpPort().orElseThrow();
  }

  private JsonNode connections() throws Exception {
    URI uri = URI.create(url() + "/v1/pools/" + POOL + "/connections");
    HttpResponse<String> answer =
        http.send(HttpRequest.newBuilder(uri).build(), HttpResponse.BodyHandlers.ofString());
    return timeless(answer.body());
  }

  private static JsonNode timeless(String json) throws Exception {
    return ((ObjectNode) JSON.readTree(json)).without("asOf");
  }

  private static JsonNode replay(String at) throws Exception {
    return timeless(
        run(
            new ReplayCommand(),
            "--at=" + at,
            "--config=" + file,
            "--bootstrap-servers=" + ledger.bootstrapServers(),
            "--pool=" + POOL,
            "--output=json"));
  }

  private static String simulate(String pool, String argument) {
    return run(new SimulateCommand(), "--url=" + url(), "--pool=" + pool, "--window=10m", argument);
  }

  private static String run(Object command, String... args) {
    StringWriter out = new StringWriter();
    StringWriter err = new StringWriter();
    assertThat(CommandRuns.execute(CommandLines.of(new CommandLine(command)), out, err, args))
        .as("%s", err)
        .isZero();
    assertThat(err.toString()).isEmpty();
    return out.toString();
  }
}
