package io.connectionledger.app.query;

import com.fasterxml.jackson.databind.JsonNode;
import io.connectionledger.app.client.Table;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** What can be asked about a pool, and how the answer reads. */
public enum Query {
  CONNECTIONS("Open and reserved connections and the limit of each pod.") {
    @Override
    String summary(JsonNode answer) {
      return AnswerTables.connections(answer);
    }

    @Override
    List<Table> tables(JsonNode answer) {
      return List.of(AnswerTables.pods(answer));
    }
  },
  REJECTIONS("Rejected connections by reason, in the last 5 and 15 minutes and the last hour.") {
    @Override
    String summary(JsonNode answer) {
      return AnswerTables.rejections(answer);
    }

    @Override
    List<Table> tables(JsonNode answer) {
      return List.of(AnswerTables.reasons(answer), AnswerTables.podReasons(answer));
    }
  },
  SCALING("How many pods there should be, and which should go first.") {
    @Override
    String summary(JsonNode answer) {
      return AnswerTables.scaling(answer);
    }

    @Override
    List<Table> tables(JsonNode answer) {
      return List.of(AnswerTables.priorities(answer));
    }
  },
  DETAILED("Everything that the ledger knows of a pool and its pods.") {
    @Override
    String summary(JsonNode answer) {
      return AnswerTables.detailed(answer);
    }

    @Override
    List<Table> tables(JsonNode answer) {
      return List.of(
          AnswerTables.details(answer),
          AnswerTables.reasons(answer),
          AnswerTables.podReasons(answer),
          AnswerTables.envoys(answer.path("readiness"), answer.path("asOf").asText()));
    }
  },
  READINESS("How complete the picture is, and the Envoys behind it.") {
    @Override
    String summary(JsonNode answer) {
      return AnswerTables.readiness(answer);
    }

    @Override
    List<Table> tables(JsonNode answer) {
      return List.of(AnswerTables.envoys(answer, answer.path("asOf").asText()));
    }
  };

  private final String description;

  Query(String description) {
    this.description = description;
  }

  /** The name as a command, and in the path of the HTTP API. */
  public String label() {
    return name().toLowerCase(Locale.ROOT);
  }

  /** The list of the answer, which may come in parts. */
  String list() {
    return this == SCALING ? "scaleDown" : "pods";
  }

  String description() {
    return description;
  }

  /** The most important in a line. */
  abstract String summary(JsonNode answer);

  /** The rest; empty tables are not shown. */
  abstract List<Table> tables(JsonNode answer);

  /**
   * Everything of one pool for people.
   *
   * @param width that lines should not pass
   */
  List<String> picture(JsonNode answer, int width) {
    List<String> lines = new ArrayList<>();
    lines.add(summary(answer));
    boolean first = true;
    for (Table table : tables(answer)) {
      if (!table.isEmpty()) {
        if (!first) {
          lines.add("");
        }
        lines.addAll(table.lines("  ", width));
        first = false;
      }
    }
    return lines;
  }
}
