package io.connectionledger.app.query;

import com.fasterxml.jackson.databind.JsonNode;
import io.connectionledger.app.client.Table;
import java.time.DateTimeException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * Prints answers of the query API as tables. What an older server does not say is left out. Pure.
 *
 * @see Query
 */
final class AnswerTables {

  private static final String PODS = "pods";
  private static final String WINDOWS = "windows";

  private AnswerTables() {}

  static String connections(JsonNode answer) {
    long limit = 0;
    for (JsonNode pod : answer.path(PODS)) {
      limit += pod.path("state").asText().equals("gone") ? 0 : pod.path("limit").asLong();
    }
    int pods = answer.path(PODS).size();
    String shadow = answer.path("mode").asText().equals("shadow") ? ", shadow mode" : "";
    return answer.path("pool").asText()
        + ": "
        + answer.path("active").asLong()
        + " active, "
        + answer.path("reserved").asLong()
        + " reserved of "
        + limit
        + " on "
        + counted(pods, "pod")
        + shadow
        + asOf(answer);
  }

  static Table pods(JsonNode answer) {
    Table table =
        new Table()
            .text("POD")
            .text("ADDRESS")
            .number("ACTIVE")
            .number("RESERVED")
            .number("LIMIT")
            .text("STATE");
    for (JsonNode pod : answer.path(PODS)) {
      table.row(
          pod.path("pod").asText(),
          pod.path("address").asText(),
          pod.path("active").asLong(),
          pod.path("reserved").asLong(),
          pod.path("limit").asLong(),
          state(pod));
    }
    return table;
  }

  private static String state(JsonNode pod) {
    String state = pod.path("state").asText();
    StringBuilder all = new StringBuilder(state);
    if (pod.has("drainUntil")) {
      all.append(", 0 by ").append(time(pod.path("drainUntil").asText()));
    }
    if (pod.path("overLimit").asBoolean() && !state.equals("overLimit")) {
      all.append(", overLimit");
    }
    return all.toString();
  }

  /** Without the date, which is today's or tomorrow's. */
  private static String time(String instant) {
    return instant.substring(instant.indexOf('T') + 1);
  }

  static String rejections(JsonNode answer) {
    List<String> counts = new ArrayList<>();
    for (Map.Entry<String, JsonNode> window : windows(answer).entrySet()) {
      counts.add(sum(window.getValue()) + " in " + window.getKey());
    }
    return answer.path("pool").asText() + ": rejected " + String.join(", ", counts) + asOf(answer);
  }

  /** The pool's rejections by reason, and all together when there is more than one reason. */
  static Table reasons(JsonNode answer) {
    Map<String, JsonNode> windows = windows(answer);
    Table table = new Table().text("REJECTED");
    windows.keySet().forEach(table::number);
    List<String> reasons = reasonsOf(windows);
    for (String reason : reasons) {
      table.row(cells(windows, reason, reason));
    }
    if (reasons.size() > 1) {
      List<Object> all = new ArrayList<>(List.of("all"));
      windows.values().forEach(window -> all.add(sum(window)));
      table.row(all.toArray());
    }
    return table;
  }

  /** The rejections of each pod that has any. */
  static Table podReasons(JsonNode answer) {
    Map<String, JsonNode> poolWindows = windows(answer);
    Table table = new Table().text("POD").text("ADDRESS").text("REJECTED");
    poolWindows.keySet().forEach(table::number);
    for (JsonNode pod : answer.path(PODS)) {
      Map<String, JsonNode> windows = new LinkedHashMap<>();
      JsonNode own = pod.path(WINDOWS);
      poolWindows.keySet().forEach(name -> windows.put(name, own.path(name)));
      for (String reason : reasonsOf(windows)) {
        table.row(
            cells(windows, reason, pod.path("pod").asText(), pod.path("address").asText(), reason));
      }
    }
    return table;
  }

  private static Object[] cells(Map<String, JsonNode> windows, String reason, Object... first) {
    List<Object> cells = new ArrayList<>(List.of(first));
    windows.values().forEach(window -> cells.add(window.path(reason).asLong()));
    return cells.toArray();
  }

  private static Map<String, JsonNode> windows(JsonNode answer) {
    Map<String, JsonNode> windows = new LinkedHashMap<>();
    answer
        .path(WINDOWS)
        .properties()
        .forEach(window -> windows.put(window.getKey(), window.getValue()));
    return windows;
  }

  /** In the order of the answer, which is that of the ledger's rules. */
  private static List<String> reasonsOf(Map<String, JsonNode> windows) {
    List<String> reasons = new ArrayList<>();
    for (JsonNode window : windows.values()) {
      window
          .properties()
          .forEach(
              count -> {
                if (count.getValue().asLong() > 0 && !reasons.contains(count.getKey())) {
                  reasons.add(count.getKey());
                }
              });
    }
    return reasons;
  }

  static long sum(JsonNode window) {
    long sum = 0;
    for (JsonNode count : window) {
      sum += count.asLong();
    }
    return sum;
  }

  static String scaling(JsonNode answer) {
    return answer.path("pool").asText()
        + ": "
        + counted(answer.path("desiredPods").asInt(), "pod")
        + " desired, "
        + answer.path("scaleDown").size()
        + " there, "
        + ready(answer)
        + asOf(answer);
  }

  static Table priorities(JsonNode answer) {
    Table table = new Table().number("PRIORITY").text("POD").text("ADDRESS").number("ACTIVE");
    for (JsonNode pod : answer.path("scaleDown")) {
      table.row(
          pod.path("priority").asText(),
          pod.path("pod").asText(),
          pod.path("address").asText(),
          pod.path("active").asLong());
    }
    return table;
  }

  static String readiness(JsonNode answer) {
    return answer.path("pool").asText()
        + ": "
        + ready(answer)
        + ", "
        + percent(answer.path("completeness").asDouble())
        + " complete, "
        + counted(answer.path("envoys").size(), "Envoy")
        + asOf(answer);
  }

  static Table envoys(JsonNode readiness, String asOf) {
    Table table = new Table().text("ENVOY").number("CONNECTIONS").number("LAST SEEN");
    for (JsonNode envoy : readiness.path("envoys")) {
      table.row(
          envoy.path("node").asText(),
          envoy.path("connections").asLong(),
          ago(envoy.path("lastSeen").asText(), asOf));
    }
    return table;
  }

  static String detailed(JsonNode answer) {
    return connections(answer)
        + "; "
        + counted(answer.path("desiredPods").asInt(), "pod")
        + " desired, scaling "
        + ready(answer.path("scaling"))
        + "; counts "
        + ready(answer.path("readiness"))
        + ", "
        + percent(answer.path("readiness").path("completeness").asDouble())
        + " complete";
  }

  static Table details(JsonNode answer) {
    Table table =
        new Table()
            .text("POD")
            .text("ADDRESS")
            .number("ACTIVE")
            .number("RESERVED")
            .number("LIMIT")
            .text("STATE")
            .number("SCALE DOWN");
    for (JsonNode pod : answer.path(PODS)) {
      table.row(
          pod.path("pod").asText(),
          pod.path("address").asText(),
          pod.path("active").asLong(),
          pod.path("reserved").asLong(),
          pod.path("limit").asLong(),
          state(pod),
          pod.path("priority").asText("-"));
    }
    return table;
  }

  private static String ready(JsonNode answer) {
    if (answer.path("ready").asBoolean()) {
      return "ready";
    }
    List<String> reasons = new ArrayList<>();
    answer.path("reasons").forEach(reason -> reasons.add(reason.asText()));
    return reasons.isEmpty() ? "not ready" : "not ready (" + String.join("; ", reasons) + ")";
  }

  /** When it was so, where the answer is older than its way here. */
  private static String asOf(JsonNode answer) {
    long staleMs = answer.path("staleMillis").asLong();
    return staleMs > 0 ? " (" + seconds(Duration.ofMillis(staleMs)) + " ago)" : "";
  }

  static String counted(long count, String what) {
    return count + " " + what + (count == 1 ? "" : "s");
  }

  private static String percent(double share) {
    // Never 100 while something is missing.
    return share >= 1
        ? "100 %"
        : String.format(Locale.ROOT, "%.1f %%", Math.floor(share * 1000) / 10);
  }

  private static String ago(String then, String now) {
    try {
      Duration age = Duration.between(Instant.parse(then), Instant.parse(now));
      return seconds(age.isNegative() ? Duration.ZERO : age) + " ago";
    } catch (DateTimeException notOurs) {
      return then;
    }
  }

  static String seconds(Duration duration) {
    return duration.compareTo(Duration.ofMinutes(2)) < 0
        ? String.format(Locale.ROOT, "%.1f s", duration.toMillis() / 1000.0)
        : duration.toMinutes() + " min";
  }
}
