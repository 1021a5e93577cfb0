package io.connectionledger.app.policy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.connectionledger.app.cli.FailedException;
import io.connectionledger.app.client.LedgerApi;
import io.connectionledger.app.client.OutputOption;
import io.connectionledger.app.client.ServerOption;
import io.connectionledger.app.client.Table;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code ledger policy}: shows and changes what a pool is decided by. */
@Command(
    name = "policy",
    description = "Shows or changes what a pool is decided by.",
    subcommands = {PolicyCommand.Get.class, PolicyCommand.Set.class, PolicyCommand.Reset.class})
public final class PolicyCommand implements Runnable {

  @Spec private CommandSpec spec;

  @SuppressWarnings("NullAway.Init") // picocli sets spec
  public PolicyCommand() {}

  @Override
  public void run() {
    throw new ParameterException(spec.commandLine(), "name get, set or reset");
  }

  /** What all three have. */
  private static final class Target {
    @Mixin private ServerOption server = new ServerOption();
    @Mixin private OutputOption output = new OutputOption();

    @Option(
        names = "--pool",
        paramLabel = "POOL",
        description = "The pool; needed only where there are several.")
    private @Nullable String pool;

    private String path(LedgerApi api) throws FailedException {
      if (pool != null) {
        return LedgerApi.ofPool(pool, "policy");
      }
      List<String> pools = api.pools();
      if (pools.size() != 1) {
        throw FailedException.wrongUsage(
            "--pool is missing: allowed is "
                + (pools.isEmpty() ? "a pool, and there is none" : String.join(" or ", pools)));
      }
      return LedgerApi.ofPool(pools.getFirst(), "policy");
    }

    /** Sends a change and prints what it changed. */
    private int change(CommandSpec spec, String method, String body) throws FailedException {
      LedgerApi api = server.connect();
      String path = path(api);
      JsonNode before = api.get(path).json();
      LedgerApi.Answer answer = api.send(method, path, body);
      PrintWriter out = spec.commandLine().getOut();
      (output.isJson() ? List.of(answer.text()) : changed(before, answer.json()))
          .forEach(out::println);
      out.flush();
      return 0;
    }

    private static List<String> changed(JsonNode before, JsonNode now) {
      List<PolicyPatch.Difference> differences = PolicyPatch.differences(before, now);
      String pool = now.path("pool").asText();
      if (differences.isEmpty()) {
        return List.of(pool + ": nothing changed");
      }
      Table table = new Table().text("KEY").text("BEFORE").text("NOW");
      differences.forEach(one -> table.row(one.key(), one.before(), one.now()));
      List<String> lines = new ArrayList<>(List.of(pool + ": changed"));
      lines.addAll(table.lines("  ", Integer.MAX_VALUE));
      return lines;
    }
  }

  /** {@code ledger policy get}. */
  @Command(name = "get", description = "Shows the policy of a pool.")
  public static final class Get implements Callable<Integer> {

    @Spec private CommandSpec spec;
    @Mixin private Target target = new Target();

    @SuppressWarnings("NullAway.Init") // picocli sets spec
    public Get() {}

    @Override
    public Integer call() throws FailedException {
      LedgerApi api = target.server.connect();
      LedgerApi.Answer answer = api.get(target.path(api));
      PrintWriter out = spec.commandLine().getOut();
      (target.output.isJson() ? List.of(answer.text()) : lines(answer.json()))
          .forEach(out::println);
      out.flush();
      return 0;
    }

    private static List<String> lines(JsonNode policy) {
      List<String> lines = new ArrayList<>();
      boolean ofApi = policy.path("source").asText().equals("api");
      lines.add(
          policy.path("pool").asText()
              + ": "
              + (ofApi ? "changed by the API ('ledger policy reset' undoes it)" : "as configured"));
      Table table = new Table().text("KEY").text("VALUE");
      PolicyPatch.entries(policy).stream()
          .filter(entry -> !entry.key().equals("pods"))
          .forEach(entry -> table.row(entry.key(), entry.value()));
      lines.addAll(table.lines("  ", Integer.MAX_VALUE));
      List<String> draining = new ArrayList<>();
      policy.path("draining").forEach(pod -> draining.add(pod.asText()));
      Table pods = new Table().text("POD").text("ADDRESS").text("");
      for (JsonNode pod : policy.path("pods")) {
        String address = pod.path("address").asText();
        pods.row(pod.path("name").asText(), address, draining.contains(address) ? "draining" : "");
      }
      lines.add("");
      lines.addAll(pods.lines("  ", Integer.MAX_VALUE));
      return lines;
    }
  }

  /** {@code ledger policy set}. */
  @Command(
      name = "set",
      description = "Changes keys of a pool's policy, on every instance and at once.",
      footer = {
        "",
        "Keys are those of the configuration: per-pod-max-connections=5, mode=shadow,",
        "connections-per-second=null (no rate limit), affinity.header=x-user. A value is JSON where",
        "it can be read so, else text. What is wrong changes nothing."
      })
  public static final class Set implements Callable<Integer> {

    @Spec private CommandSpec spec;
    @Mixin private Target target = new Target();

    @Option(
        names = "--file",
        paramLabel = "FILE",
        description = "Keys and values in YAML or JSON; - reads standard input.")
    private @Nullable Path file;

    @Parameters(paramLabel = "KEY=VALUE", arity = "0..*", description = "What changes.")
    private List<String> assignments = new ArrayList<>();

    @SuppressWarnings("NullAway.Init") // picocli sets spec
    public Set() {}

    @Override
    public Integer call() throws FailedException {
      if ((file == null) == assignments.isEmpty()) {
        throw new ParameterException(
            spec.commandLine(), "give either --file FILE or KEY=VALUE, and one of them");
      }
      ObjectNode patch =
          file == null
              ? PolicyPatch.ofAssignments(assignments)
              : PolicyPatch.ofYaml(read(file), "--file " + file);
      return target.change(spec, "PUT", patch.toString());
    }

    private static String read(Path file) throws FailedException {
      try {
        return file.toString().equals("-")
            ? new String(System.in.readAllBytes(), StandardCharsets.UTF_8)
            : Files.readString(file);
      } catch (IOException unreadable) {
        throw FailedException.wrongUsage(
                "--file is '" + file + "', which cannot be read (" + unreadable + ")")
            .by(unreadable);
      }
    }
  }

  /** {@code ledger policy reset}. */
  @Command(name = "reset", description = "Makes a pool's policy what the configuration says.")
  public static final class Reset implements Callable<Integer> {

    @Spec private CommandSpec spec;
    @Mixin private Target target = new Target();

    @SuppressWarnings("NullAway.Init") // picocli sets spec
    public Reset() {}

    @Override
    public Integer call() throws FailedException {
      return target.change(spec, "DELETE", "");
    }
  }
}
