package io.connectionledger.app.query;

import com.fasterxml.jackson.databind.JsonNode;
import io.connectionledger.app.cli.FailedException;
import io.connectionledger.app.client.LedgerApi;
import io.connectionledger.app.client.OutputOption;
import io.connectionledger.app.client.ServerOption;
import io.connectionledger.app.client.Table;
import java.io.PrintWriter;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code ledger explain}: why a check was answered as it was. */
@Command(
    name = "explain",
    description = "Why a connection was admitted or rejected.",
    footer = {
      "",
      "The id is in every answer: the response header x-ledger-decision, the dynamic metadata",
      "'decision', and in what 'ledger tail' prints."
    })
public final class ExplainCommand implements Callable<Integer> {

  @Spec private CommandSpec spec;
  @Mixin private ServerOption server = new ServerOption();
  @Mixin private OutputOption output = new OutputOption();

  @Parameters(paramLabel = "DECISION", description = "The decision's id.")
  private @Nullable String decision;

  @SuppressWarnings("NullAway.Init") // picocli sets spec
  public ExplainCommand() {}

  @Override
  public Integer call() throws FailedException {
    LedgerApi api = server.connect();
    LedgerApi.Answer answer =
        api.get("/v1/decisions/" + LedgerApi.segment(Objects.requireNonNull(decision)));
    PrintWriter out = spec.commandLine().getOut();
    (output.isJson() ? List.of(answer.text()) : lines(answer.json())).forEach(out::println);
    out.flush();
    return 0;
  }

  /** The decision in words. */
  static List<String> lines(JsonNode decision) {
    List<String> lines = new ArrayList<>();
    boolean allowed = decision.path("outcome").asText().equals("allowed");
    lines.add(
        decision.path("id").asText()
            + " of pool "
            + decision.path("pool").asText()
            + ", "
            + decision.path("at").asText());
    lines.add(
        allowed
            ? "admitted to " + decision.path("pod").asText()
            : "rejected with "
                + decision.path("reason").asText()
                + " ("
                + decision.path("status").asText()
                + "), to come back after "
                + decision.path("retryAfterSeconds").asText()
                + " s");
    lines.add("because " + decision.path("rule").asText());
    if (decision.path("mode").asText().equals("shadow")) {
      lines.add("in shadow mode: it was recorded, and the request passed as it came");
    }
    if (decision.has("count")) {
      lines.add(
          "in a flood: it was the last of "
              + decision.path("count").asText()
              + " checks since "
              + decision.path("from").asText()
              + ", of which the others were only counted");
    }
    JsonNode state = decision.path("state");
    if (state.isMissingNode() || state.isNull()) {
      lines.add("No pool's state was looked at.");
      return lines;
    }
    lines.add("");
    lines.add("The pool at that moment, before the decision:");
    Table table = new Table().text("").number("");
    row(table, "tokens in the bucket", state.path("tokens"));
    row(table, "pods that connections may be placed on", state.path("pods"));
    row(table, "of them with room, but an open circuit", state.path("tripped"));
    row(table, "open connections", state.path("active"));
    row(table, "reserved connections", state.path("reserved"));
    row(table, "limit of each pod", state.path("limit"));
    row(table, "held by the chosen pod", state.path("held"));
    if (state.has("waitMs")) {
      table.row(
          "until a client that is alone gets in",
          AnswerTables.seconds(Duration.ofMillis(state.path("waitMs").asLong())));
    }
    List<String> rows = table.lines("  ", Integer.MAX_VALUE);
    lines.addAll(rows.subList(1, rows.size()));
    return lines;
  }

  private static void row(Table table, String name, JsonNode value) {
    if (value.isFloatingPointNumber()) {
      table.row(name, String.format(Locale.ROOT, "%.2f", value.asDouble()));
    } else if (value.isNumber()) {
      table.row(name, value.asText());
    }
  }
}
