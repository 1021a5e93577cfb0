package io.connectionledger.app.tail;

import com.fasterxml.jackson.databind.JsonNode;
import java.time.Instant;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** One event or decision as one line. Pure. */
final class TailLine {

  /** What is shown of a record that has it, in this order, and how it is called. */
  private static final List<Map.Entry<String, String>> FIELDS =
      List.of(
          Map.entry("reason", "reason"),
          Map.entry("count", "count"),
          Map.entry("pod", "pod"),
          Map.entry("status", "status"),
          Map.entry("retryAfterSeconds", "retry-after"),
          Map.entry("durationMs", "lasted"),
          Map.entry("mode", "mode"),
          Map.entry("envoy", "envoy"));

  private TailLine() {}

  static String of(JsonNode value) {
    StringBuilder line =
        new StringBuilder()
            .append(String.format("%-24s", Instant.ofEpochMilli(value.path("atMs").asLong())))
            .append(' ')
            .append(value.path("pool").asText())
            .append(' ')
            .append(String.format("%-8s", value.path("type").asText()));
    String id = value.path("id").asText(value.path("connection").asText());
    if (!id.isEmpty()) {
      line.append(' ').append(id);
    }
    for (Map.Entry<String, String> field : FIELDS) {
      JsonNode shown = value.path(field.getKey());
      if (shown.isValueNode() && !shown.isNull()) {
        line.append(' ').append(field.getValue()).append('=').append(text(field.getKey(), shown));
      }
    }
    if (value.path("unleased").asBoolean()) {
      line.append(" unleased");
    }
    JsonNode pods = value.path("pods");
    if (pods.isObject()) {
      int connections = 0;
      for (JsonNode ofPod : pods) {
        connections += ofPod.size();
      }
      line.append(" connections=").append(connections).append(" pods=").append(pods.size());
    }
    return line.toString().replaceAll("\\p{Cntrl}", "?");
  }

  private static String text(String key, JsonNode value) {
    return switch (key) {
      case "durationMs" -> String.format(Locale.ROOT, "%.3fs", value.asLong() / 1000.0);
      case "retryAfterSeconds" -> value.asText() + "s";
      default -> value.asText();
    };
  }
}
