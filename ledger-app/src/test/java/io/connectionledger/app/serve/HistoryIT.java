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
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

/** What happened to a real ledger, asked for afterwards. */
final class HistoryIT {

  private static final ObjectMapper JSON = new ObjectMapper();
  private static final String POOL = "chat";

  @TempDir private Path folder;

  private final Ticker ticker = Ticker.system();
  private final HttpClient http = HttpClient.newHttpClient();

  @Test
  void shouldSayWhatWasAndWhatWouldHaveBeen() throws Exception {
    Path file = Files.writeString(folder.resolve("ledger.yaml"), configuration());
    LedgerConfig config = ConfigLoader.load(file, Map.of());
    try (LedgerNode ledger =
        LedgerNode.start(config, Role.resolve(Optional.empty(), config.kafka()))) {
      Awaitility.await("ready")
          .atMost(Duration.ofSeconds(60))
          .until(() -> ledger.unready().isEmpty());

      assertNoDecisions(ledger);
      List<CheckResponse> admitted = admit(ledger, 8);
      // Clocks of one machine may be a millisecond apart.
      long admittedMs = ticker.nowMs() + 5;
      JsonNode whenAdmitted = connections(ledger);
      Awaitility.await("another moment").until(() -> ticker.nowMs() > admittedMs + 5);
      becomeConnections(ledger.bootstrapServers(), admitted);
      Awaitility.await("what became of them")
          .atMost(Duration.ofSeconds(20))
          .until(() -> connections(ledger).path("active").asInt() == 2);
      JsonNode now = connections(ledger);

      assertNoDecisions(ledger);
      assertThat(admitted).hasSize(6);
      assertThat(now.path("reserved").asInt()).isEqualTo(3);
      assertThat(replay(file, ledger, "-0s")).isEqualTo(now);
      assertThat(replay(file, ledger, Instant.ofEpochMilli(admittedMs).toString()))
          .isEqualTo(whenAdmitted);

      String more = simulate(ledger, "per-pod-max-connections=4");
      assertThat(more.lines().map(line -> line.strip().replaceAll(" +", " ")))
          .contains(
              "attempts 8 8", "admitted 6 8", "pod_limit 2 0", "peak of one 3 4", "peak of two 3 4")
          .noneMatch(line -> line.contains("may be off"));
      JsonNode same = JSON.readTree(simulate(ledger, "--output=json"));
      assertThat(same.path("recorded").path("attempts").asInt()).isEqualTo(8);
      assertThat(same.path("repeated")).isEqualTo(same.path("recorded"));
      assertThat(same.path("simulated")).isEqualTo(same.path("recorded"));
    } finally {
      http.close();
    }
  }

  /** Ids that could be ours, of times of which Kafka knows nothing. */
  private void assertNoDecisions(LedgerNode ledger) throws Exception {
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
  private String configuration() {
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
        """
        .formatted(folder.resolve("data"));
  }

  private static List<CheckResponse> admit(LedgerNode ledger, int checks) throws Exception {
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

  private static String url(LedgerNode ledger) {
    return "http://127.0.0.1:" + ledger.httpPort().orElseThrow();
  }

  private JsonNode connections(LedgerNode ledger) throws Exception {
    URI uri = URI.create(url(ledger) + "/v1/pools/" + POOL + "/connections");
    HttpResponse<String> answer =
        http.send(HttpRequest.newBuilder(uri).build(), HttpResponse.BodyHandlers.ofString());
    return timeless(answer.body());
  }

  private static JsonNode timeless(String json) throws Exception {
    return ((ObjectNode) JSON.readTree(json)).without("asOf");
  }

  private static JsonNode replay(Path config, LedgerNode ledger, String at) throws Exception {
    return timeless(
        run(
            new ReplayCommand(),
            "--at=" + at,
            "--config=" + config,
            "--bootstrap-servers=" + ledger.bootstrapServers(),
            "--pool=" + POOL,
            "--output=json"));
  }

  private static String simulate(LedgerNode ledger, String argument) {
    return run(
        new SimulateCommand(), "--url=" + url(ledger), "--pool=" + POOL, "--window=10m", argument);
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
