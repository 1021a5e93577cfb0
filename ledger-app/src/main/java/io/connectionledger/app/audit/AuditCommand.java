package io.connectionledger.app.audit;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.connectionledger.app.cli.FailedException;
import io.connectionledger.app.client.DurationConverter;
import io.connectionledger.app.client.LedgerApi;
import io.connectionledger.app.client.OutputOption;
import io.connectionledger.app.client.ServerOption;
import io.connectionledger.app.client.Table;
import io.connectionledger.app.client.UrlConverter;
import io.connectionledger.model.Ticker;
import io.connectionledger.model.policy.DurationText;
import java.io.PrintWriter;
import java.net.URI;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code ledger audit}: the ledger's counts beside the Envoys' own. */
@Command(
    name = "audit",
    description =
        "Compares the connections of each pod with what the Envoys themselves count. Exit code 1"
            + " when a pod's counts differ and stay so.",
    footer = {
      "",
      "Name the admin interface of every Envoy: what passes through one that is not asked counts as",
      "missing. The ledger is read before and after the Envoys; what is between its two answers,",
      "reservations included, is equal. Other requests that are under way to a pod at that moment,",
      "and are no WebSockets, are in the Envoys' count."
    })
public final class AuditCommand implements Callable<Integer> {

  private static final int DRIFTED = 1;
  private static final Duration BETWEEN_LOOKS = Duration.ofSeconds(1);
  private static final ObjectMapper JSON = new ObjectMapper();

  private final Ticker ticker = Ticker.system();

  @Spec private CommandSpec spec;
  @Mixin private ServerOption server = new ServerOption();
  @Mixin private OutputOption output = new OutputOption();

  @Option(
      names = "--envoy",
      required = true,
      arity = "1..*",
      split = ",",
      paramLabel = "ADMIN_URL",
      converter = UrlConverter.class,
      description = "The admin interface of each Envoy, as http://HOST:PORT.")
  private List<URI> envoys = new ArrayList<>();

  @Option(names = "--pool", paramLabel = "POOL", description = "Only this one; without it, all.")
  private @Nullable String pool;

  @Option(
      names = "--settle",
      paramLabel = "D",
      defaultValue = "10s",
      converter = DurationConverter.class,
      description = "How long a difference may last, as 10s or 1m (default: ${DEFAULT-VALUE}).")
  private Duration settle = Duration.ofSeconds(10);

  @SuppressWarnings("NullAway.Init") // picocli sets spec
  public AuditCommand() {}

  /**
   * All that one look brought.
   *
   * @param silent the Envoys that the ledger hears and that were not asked, with their connections
   * @param foreign pools that are a cluster of no Envoy
   */
  private record Seen(List<Audit.Look> looks, Map<String, Long> silent, List<String> foreign) {}

  @Override
  public Integer call() throws FailedException, InterruptedException {
    LedgerApi ledger = server.connect();
    List<LedgerApi> admins = envoys.stream().map(LedgerApi::new).toList();
    Set<String> asked = new HashSet<>();
    for (LedgerApi admin : admins) {
      asked.add(admin.get("/server_info").json().path("node").path("id").asText());
    }
    Audit audit = new Audit();
    long endNanos = ticker.nowNanos() + settle.toNanos();
    Seen seen = look(ledger, admins, asked);
    audit.add(seen.looks());
    while (audit.drifted() > 0 && ticker.nowNanos() < endNanos) {
      pause();
      seen = look(ledger, admins, asked);
      audit.add(seen.looks());
    }
    report(audit, seen);
    return audit.drifted() == 0 ? 0 : DRIFTED;
  }

  private static void pause() throws InterruptedException {
    new CountDownLatch(1).await(BETWEEN_LOOKS.toMillis(), TimeUnit.MILLISECONDS);
  }

  private Seen look(LedgerApi ledger, List<LedgerApi> admins, Set<String> asked)
      throws FailedException {
    List<String> pools = pool == null ? ledger.pools() : List.of(pool);
    Map<String, JsonNode> before = connections(ledger, pools);
    EnvoyCounts counts = new EnvoyCounts();
    for (LedgerApi admin : admins) {
      counts.add(admin.get("/clusters?format=json").json());
    }
    Map<String, JsonNode> after = connections(ledger, pools);
    List<Audit.Look> looks = new ArrayList<>();
    List<String> foreign = new ArrayList<>();
    Map<String, Long> silent = new TreeMap<>();
    for (String name : pools) {
      looks.add(
          new Audit.Look(
              name,
              before.getOrDefault(name, JSON.nullNode()),
              after.getOrDefault(name, JSON.nullNode()),
              counts.of(name)));
      if (!counts.has(name)) {
        foreign.add(name);
      }
      for (JsonNode envoy : ledger.get(LedgerApi.ofPool(name, "readiness")).json().path("envoys")) {
        String node = envoy.path("node").asText();
        if (!asked.contains(node)) {
          silent.merge(node, envoy.path("connections").asLong(), Long::sum);
        }
      }
    }
    return new Seen(looks, silent, foreign);
  }

  private static Map<String, JsonNode> connections(LedgerApi ledger, List<String> pools)
      throws FailedException {
    Map<String, JsonNode> answers = new LinkedHashMap<>();
    for (String name : pools) {
      answers.put(name, ledger.whole(LedgerApi.ofPool(name, "connections"), "pods"));
    }
    return answers;
  }

  private void report(Audit audit, Seen seen) {
    PrintWriter out = spec.commandLine().getOut();
    if (output.isJson()) {
      for (Audit.Row row : audit.rows()) {
        ObjectNode line = JSON.createObjectNode();
        line.put("pool", row.pool()).put("pod", row.pod()).put("address", row.address());
        line.put("ledger", row.open()).put("envoys", row.envoys()).put("drift", row.drift());
        out.println(line);
      }
    } else {
      lines(audit, seen).forEach(out::println);
    }
    out.flush();
  }

  private List<String> lines(Audit audit, Seen seen) {
    List<Audit.Row> rows = audit.rows();
    Table table =
        new Table()
            .text("POOL")
            .text("POD")
            .text("ADDRESS")
            .number("LEDGER")
            .number("ENVOYS")
            .number("DRIFT");
    for (Audit.Row row : rows) {
      table.row(
          row.pool(),
          row.pod(),
          row.address(),
          row.open(),
          row.envoys(),
          row.drift() == 0 ? "-" : String.format("%+d", row.drift()));
    }
    List<String> lines = new ArrayList<>(table.lines("", Integer.MAX_VALUE));
    seen.silent()
        .forEach(
            (node, connections) ->
                lines.add(
                    "Envoy " + node + " was not asked; the ledger has " + connections + " of it."));
    seen.foreign().forEach(name -> lines.add("Pool " + name + " is a cluster of no Envoy asked."));
    long drifted = audit.drifted();
    String pods = rows.size() + (rows.size() == 1 ? " pod" : " pods");
    lines.add(
        drifted == 0
            ? "No drift: " + sum(rows) + " connections on " + pods + " are equal."
            : "Drift on " + drifted + " of " + pods + ", for " + DurationText.of(settle) + ".");
    return lines;
  }

  private static long sum(List<Audit.Row> rows) {
    return rows.stream().mapToLong(Audit.Row::envoys).sum();
  }
}
