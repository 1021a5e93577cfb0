package io.connectionledger.app.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import io.connectionledger.testkit.FreePorts;
import java.io.IOException;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.awaitility.Awaitility;

/** A real Prometheus, which Debian's package of that name has. */
final class PrometheusServer implements AutoCloseable {

  private static final JsonMapper JSON = new JsonMapper();

  private final Process process;
  private final HttpClient http = HttpClient.newHttpClient();
  private final int port;

  private PrometheusServer(Process process, int port) {
    this.process = process;
    this.port = port;
  }

  /**
   * Starts one that scrapes every second and judges by {@code rules}.
   *
   * @param ledgers the HTTP ports of instances, as the chart's ServiceMonitor has them scraped
   * @param envoys the admin ports of Envoys
   */
  static PrometheusServer start(
      Path folder, Path rules, List<Integer> ledgers, List<Integer> envoys) throws IOException {
    Path config =
        Files.writeString(
            folder.resolve("prometheus.yaml"),
            """
            global: { scrape_interval: 1s, evaluation_interval: 1s }
            rule_files: [ '%s' ]
            scrape_configs:
            - job_name: connection-ledger
              honor_labels: true
              static_configs: [ { targets: [ %s ] } ]
            - job_name: connection-ledger-envoy
              metrics_path: /stats/prometheus
              static_configs: [ { targets: [ %s ] } ]
            """
                .formatted(rules, targets(ledgers), targets(envoys)));
    int port = FreePorts.one();
    Process process =
        new ProcessBuilder(
                "prometheus",
                "--config.file=" + config,
                "--storage.tsdb.path=" + folder.resolve("prometheus"),
                "--web.listen-address=127.0.0.1:" + port)
            .redirectErrorStream(true)
            .redirectOutput(folder.resolve("prometheus.log").toFile())
            .start();
    PrometheusServer server = new PrometheusServer(process, port);
    Awaitility.await("Prometheus is ready")
        .atMost(Duration.ofSeconds(60))
        .ignoreExceptions()
        .until(() -> server.get("/-/ready").contains("Ready"));
    return server;
  }

  private static String targets(List<Integer> ports) {
    return ports.stream().map(port -> "'127.0.0.1:" + port + "'").collect(Collectors.joining(", "));
  }

  /** The result of an expression now; empty when there is none. */
  List<JsonNode> query(String expression) throws IOException, InterruptedException {
    String answer =
        get("/api/v1/query?query=" + URLEncoder.encode(expression, StandardCharsets.UTF_8));
    JsonNode result = JSON.readTree(answer);
    if (!result.path("status").asText().equals("success")) {
      throw new IllegalStateException(expression + ": " + answer);
    }
    JsonNode series = result.at("/data/result");
    return IntStream.range(0, series.size()).mapToObj(series::get).toList();
  }

  /** The names of the alerts that fire now. */
  Set<String> firing() throws IOException, InterruptedException {
    return query("ALERTS{alertstate=\"firing\"}").stream()
        .map(series -> series.at("/metric/alertname").asText())
        .collect(Collectors.toSet());
  }

  /** Fails unless each of these expressions has a result now. */
  void assertData(Map<String, String> panels) {
    assertThat(panels.entrySet())
        .isNotEmpty()
        .allSatisfy(
            panel ->
                assertThat(query(panel.getKey()))
                    .as("%s: %s", panel.getValue(), panel.getKey())
                    .isNotEmpty());
  }

  private String get(String path) throws IOException, InterruptedException {
    return http.send(
            HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + path)).build(),
            BodyHandlers.ofString())
        .body();
  }

  @Override
  public void close() throws InterruptedException {
    http.close();
    process.destroy();
    process.waitFor();
  }
}
