package io.connectionledger.app.query;

import com.fasterxml.jackson.databind.JsonNode;
import io.connectionledger.app.cli.FailedException;
import io.connectionledger.app.client.LedgerApi;
import io.connectionledger.app.client.OutputOption;
import io.connectionledger.app.client.ServerOption;
import io.connectionledger.app.client.Watch;
import io.connectionledger.app.terminal.Terminal;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code ledger connections} and its sisters: one {@link Query} about one pool or all. */
@Command
public final class QueryCommand implements Callable<Integer> {

  /** What no terminal is narrower than, but by intent. */
  private static final int USUAL_WIDTH = 80;

  private final Query query;

  @Spec private CommandSpec spec;

  @Mixin private ServerOption server = new ServerOption();
  @Mixin private OutputOption output = new OutputOption();
  @Mixin private Watch watch = new Watch();

  @Option(names = "--pool", paramLabel = "POOL", description = "Only this one; without it, all.")
  private @Nullable String pool;

  @Option(
      names = "--watch",
      description = "Look again and again: in place on a terminal, else a line for each pool.")
  private boolean watching;

  @SuppressWarnings("NullAway.Init") // picocli sets spec
  private QueryCommand(Query query) {
    this.query = query;
  }

  /** The command for {@code query}, under its name. */
  public static CommandLine commandLine(Query query) {
    CommandLine line = new CommandLine(new QueryCommand(query));
    line.getCommandSpec().name(query.label()).usageMessage().description(query.description());
    return line;
  }

  @Override
  public Integer call() throws FailedException, InterruptedException {
    PrintWriter out = spec.commandLine().getOut();
    LedgerApi api = server.connect();
    if (watching) {
      return watch.run(
          out, spec.commandLine().getErr(), !output.isJson(), terminal -> look(api, terminal));
    }
    (output.isJson() ? texts(api) : fitting(ask(api))).forEach(out::println);
    out.flush();
    return 0;
  }

  private List<String> look(LedgerApi api, Optional<Terminal> terminal) throws FailedException {
    if (output.isJson()) {
      return texts(api);
    }
    List<JsonNode> answers = ask(api);
    return terminal.isPresent()
        ? pictures(answers, terminal.get().columns())
        : answers.stream().map(this::line).toList();
  }

  private List<JsonNode> ask(LedgerApi api) throws FailedException {
    List<JsonNode> answers = new ArrayList<>();
    for (String path : paths(api)) {
      answers.add(api.whole(path, query.list()));
    }
    return answers;
  }

  private List<String> texts(LedgerApi api) throws FailedException {
    List<String> texts = new ArrayList<>();
    for (String path : paths(api)) {
      api.pages(path).forEach(page -> texts.add(page.text()));
    }
    return texts;
  }

  private List<String> paths(LedgerApi api) throws FailedException {
    List<String> pools = pool == null ? api.pools() : List.of(pool);
    return pools.stream().map(name -> LedgerApi.ofPool(name, query.label())).toList();
  }

  private String line(JsonNode answer) {
    return answer.path("asOf").asText() + " " + query.summary(answer);
  }

  /** As wide as it is, unless a terminal is narrower than that. */
  private List<String> fitting(List<JsonNode> answers) {
    List<String> lines = pictures(answers, Integer.MAX_VALUE);
    if (lines.stream().allMatch(line -> line.length() <= USUAL_WIDTH)) {
      return lines;
    }
    return Terminal.ofStandardOutput()
        .map(terminal -> pictures(answers, terminal.columns()))
        .orElse(lines);
  }

  private List<String> pictures(List<JsonNode> answers, int width) {
    List<String> lines = new ArrayList<>();
    for (JsonNode answer : answers) {
      if (!lines.isEmpty()) {
        lines.add("");
      }
      lines.addAll(query.picture(answer, width));
    }
    return lines.isEmpty() ? List.of("There are no pools.") : lines;
  }
}
