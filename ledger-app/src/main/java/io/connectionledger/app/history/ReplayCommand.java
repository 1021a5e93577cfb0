package io.connectionledger.app.history;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import io.connectionledger.model.Ticker;
import io.connectionledger.model.policy.DurationText;
import io.connectionledger.model.policy.PoolPolicy;
import io.connectionledger.model.view.PoolView;
import io.connectionledger.streams.history.HistoryUnavailableException;
import io.connectionledger.streams.history.Replay;
import io.connectionledger.streams.history.TopicHistory;
import io.connectionledger.streams.history.TopicHistory.Gaps;
import java.io.PrintWriter;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import org.apache.kafka.common.KafkaException;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code ledger replay}: the pools as they were, rebuilt from the topics. */
@Command(
    name = "replay",
    description = "Rebuilds the pools as they were at a past moment from the records in Kafka.",
    footer = {
      "",
      "It reads what was written in the time before that moment (--warm-up) and applies it by the",
      "ledger's own rules. A longer warm-up finds what was heard less lately, for example when",
      "the access-log service had been away."
    })
public final class ReplayCommand implements Callable<Integer> {

  private static final int FAILED = 1;

  private final Ticker ticker = Ticker.system();

  @Spec private CommandSpec spec;
  @Mixin private KafkaOptions kafka = new KafkaOptions();

  @Option(
      names = "--at",
      required = true,
      paramLabel = "MOMENT",
      converter = PointInTime.Converter.class,
      description = "When: 2026-11-21T12:00:00Z, or how long ago: -30s, -15m, -1h.")
  private PointInTime at = new PointInTime(null, 0);

  @Option(names = "--pool", paramLabel = "POOL", description = "Only this pool; all by default.")
  private @Nullable String pool;

  @Option(
      names = "--warm-up",
      paramLabel = "DURATION",
      defaultValue = "15m",
      description = "How much of the time before is read (default: ${DEFAULT-VALUE}).")
  private String warmUp = "15m";

  @Option(
      names = "--output",
      paramLabel = "FORMAT",
      defaultValue = "table",
      description = "table or json (default: ${DEFAULT-VALUE}).")
  private String output = "table";

  @SuppressWarnings("NullAway.Init") // picocli sets spec
  public ReplayCommand() {}

  @Override
  public Integer call() {
    check();
    KafkaOptions.Resolved where = kafka.resolve();
    long nowMs = ticker.nowMs();
    long atMs = at.atMs(nowMs);
    if (atMs > nowMs) {
      throw wrong(
          "--at is " + Instant.ofEpochMilli(atMs) + ": allowed is a moment that has passed");
    }
    Replay replay = new Replay(where.terms());
    ProgressBar progress = new ProgressBar(err(), ProgressBar.isTerminal(), ticker);
    try (TopicHistory history = TopicHistory.over(where.kafka())) {
      Gaps gaps = history.read(pool, atMs - warmUp().toMillis(), atMs, replay, progress::show);
      tell(gaps, atMs);
    } catch (HistoryUnavailableException | KafkaException unavailable) {
      return failed(String.valueOf(unavailable.getMessage()));
    }
    return answer(replay, atMs);
  }

  private void check() {
    if (pool != null && !PoolPolicy.isValidName(pool)) {
      throw wrong(
          "--pool is '" + pool + "': allowed are 1 to 128 letters, digits, '.', '_' and '-'");
    }
    if (!output.equals("table") && !output.equals("json")) {
      throw wrong("--output is '" + output + "': allowed is table or json");
    }
    warmUp();
  }

  private Duration warmUp() {
    try {
      return DurationText.parse(warmUp);
    } catch (IllegalArgumentException invalid) {
      throw wrong("--warm-up is '" + warmUp + "': allowed is " + invalid.getMessage());
    }
  }

  private ParameterException wrong(String message) {
    return new ParameterException(spec.commandLine(), message);
  }

  private PrintWriter err() {
    return spec.commandLine().getErr();
  }

  private int failed(String line) {
    err().println("ledger: " + line);
    err().flush();
    return FAILED;
  }

  private void tell(Gaps gaps, long atMs) {
    gaps.reachBackTo()
        .forEach(
            (topic, fromMs) ->
                err()
                    .println(
                        fromMs >= atMs
                            ? topic + " has nothing from so long ago any more"
                            : topic
                                + " reaches back to "
                                + Instant.ofEpochMilli(fromMs)
                                + " only"));
    gaps.laterPolicies()
        .forEach(
            (name, fromMs) ->
                err()
                    .println(
                        "the policy that pool '"
                            + name
                            + "' had is not kept any more: shown by that of "
                            + Instant.ofEpochMilli(fromMs)));
    gaps.presentPods()
        .forEach(
            name ->
                err()
                    .println("pool '" + name + "' is shown with the pods that Kubernetes has now"));
    if (gaps.unreadable() > 0) {
      err().println(gaps.unreadable() + " unreadable records are left out");
    }
    err().flush();
  }

  private int answer(Replay replay, long atMs) {
    List<PoolView> views = new ArrayList<>();
    for (String name : pool == null ? List.copyOf(replay.pools()) : List.of(pool)) {
      replay.connections(name, atMs).ifPresent(views::add);
    }
    if (views.isEmpty()) {
      return failed(pool == null ? "there is no pool" : "no pool is named '" + pool + "'");
    }
    PrintWriter out = spec.commandLine().getOut();
    if (output.equals("json")) {
      if (pool == null) {
        ArrayNode all = JsonNodeFactory.instance.arrayNode();
        views.forEach(view -> all.add(PoolText.json(view)));
        out.println(all);
      } else {
        out.println(PoolText.json(views.get(0)));
      }
    } else {
      views.forEach(view -> PoolText.lines(view).forEach(out::println));
    }
    out.flush();
    return 0;
  }
}
