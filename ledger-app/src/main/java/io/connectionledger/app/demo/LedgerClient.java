package io.connectionledger.app.demo;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Reads one pool from a ledger's HTTP port, as any outsider could. */
final class LedgerClient implements AutoCloseable {

  private static final ObjectMapper JSON = new ObjectMapper();
  private static final Pattern SAMPLE = Pattern.compile("(\\w+)\\{([^}]*)} (\\S+)");
  private static final Pattern REASON = Pattern.compile("reason=\"([^\"]*)\"");
  private static final Duration TIMEOUT = Duration.ofSeconds(5);

  private final HttpClient http = HttpClient.newBuilder().connectTimeout(TIMEOUT).build();
  private final String base;
  private final String pool;

  LedgerClient(int port, String pool) {
    this.base = "http://127.0.0.1:" + port;
    this.pool = pool;
  }

  LedgerState read() throws IOException, InterruptedException {
    return parse(get("/v1/pools/" + pool + "/connections"), get("/metrics"), pool);
  }

  private String get(String path) throws IOException, InterruptedException {
    HttpResponse<String> response =
        http.send(
            HttpRequest.newBuilder(URI.create(base + path)).timeout(TIMEOUT).build(),
            HttpResponse.BodyHandlers.ofString());
    if (response.statusCode() != 200) {
      throw new IOException(
          "the ledger answered " + path + " with " + response.statusCode() + " " + response.body());
    }
    return response.body();
  }

  static LedgerState parse(String connections, String metrics, String pool) throws IOException {
    Map<String, LedgerState.Pod> pods = new HashMap<>();
    for (JsonNode pod : JSON.readTree(connections).path("pods")) {
      pods.put(
          pod.path("address").asText(),
          new LedgerState.Pod(
              pod.path("active").asInt(), pod.path("reserved").asInt(), pod.path("limit").asInt()));
    }
    long attempted = 0;
    long established = 0;
    SortedMap<String, Long> rejected = new TreeMap<>();
    for (String line : metrics.split("\n", -1)) {
      Matcher sample = SAMPLE.matcher(line);
      if (sample.lookingAt() && sample.group(2).contains("pool=\"" + pool + "\"")) {
        long value = (long) Double.parseDouble(sample.group(3));
        switch (sample.group(1)) {
          case "websocket_connections_attempted_total" -> attempted += value;
          case "websocket_connections_established_total" -> established += value;
          case "websocket_connections_rejected_total" -> {
            Matcher reason = REASON.matcher(sample.group(2));
            if (reason.find() && value > 0) {
              rejected.merge(reason.group(1), value, Long::sum);
            }
          }
          default -> {
            // not of interest to the demo
          }
        }
      }
    }
    return new LedgerState(pods, attempted, established, rejected);
  }

  @Override
  public void close() {
    http.shutdownNow();
  }
}
