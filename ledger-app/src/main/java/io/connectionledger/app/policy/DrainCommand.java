package io.connectionledger.app.policy;

import com.fasterxml.jackson.databind.JsonNode;
import io.connectionledger.app.cli.FailedException;
import io.connectionledger.app.client.DurationConverter;
import io.connectionledger.app.client.LedgerApi;
import io.connectionledger.app.client.OutputOption;
import io.connectionledger.app.client.ServerOption;
import io.connectionledger.model.PodAddress;
import io.connectionledger.model.policy.DurationText;
import java.io.PrintWriter;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code ledger drain}: has a pod take no new connections, or take them again. */
@Command(
    name = "drain",
    description = "Has a pod take no new connections; those that it holds go on.")
public final class DrainCommand implements Callable<Integer> {

  @Spec private CommandSpec spec;
  @Mixin private ServerOption server = new ServerOption();
  @Mixin private OutputOption output = new OutputOption();

  @Parameters(paramLabel = "POD", description = "Its name, or its address as ip:port.")
  private @Nullable String pod;

  @Option(
      names = "--pool",
      paramLabel = "POOL",
      description = "The pod's pool; needed only where several have such a pod.")
  private @Nullable String pool;

  @Option(names = "--undo", description = "Let it take new connections again.")
  private boolean undo;

  @Option(
      names = "--within",
      paramLabel = "D",
      converter = DurationConverter.class,
      description = "The time by which it should be empty, as 30s, 10m or 1h.")
  private @Nullable Duration within;

  @SuppressWarnings("NullAway.Init") // picocli sets spec
  public DrainCommand() {}

  /** A pod of a pool's policy. */
  private record Found(String pool, String pod, String address) {
    @Override
    public String toString() {
      return pod + " (" + address + ") of pool " + pool;
    }
  }

  @Override
  public Integer call() throws FailedException {
    if (undo && within != null) {
      throw new ParameterException(
          spec.commandLine(), "--undo and --within exclude each other: give one of them");
    }
    LedgerApi api = server.connect();
    Found found = find(api, Objects.requireNonNull(pod));
    String path =
        LedgerApi.ofPool(found.pool(), "pods/" + LedgerApi.segment(found.address()) + "/drain")
            + (within == null ? "" : "?within=" + DurationText.of(within));
    LedgerApi.Answer answer = api.send(undo ? "DELETE" : "PUT", path, "");
    PrintWriter out = spec.commandLine().getOut();
    out.println(output.isJson() ? answer.text() : told(api, found));
    out.flush();
    return 0;
  }

  private String told(LedgerApi api, Found found) throws FailedException {
    if (undo) {
      return found + " takes new connections";
    }
    JsonNode connections = api.whole(LedgerApi.ofPool(found.pool(), "connections"), "pods");
    for (JsonNode view : connections.path("pods")) {
      if (view.path("address").asText().equals(found.address())) {
        return found
            + " takes no new connections and holds "
            + (view.path("active").asLong() + view.path("reserved").asLong())
            + (view.has("drainUntil") ? ", until " + view.path("drainUntil").asText() : "");
      }
    }
    return found + " takes no new connections";
  }

  private Found find(LedgerApi api, String wanted) throws FailedException {
    List<String> pools = pool == null ? api.pools() : List.of(pool);
    List<Found> there = new ArrayList<>();
    for (String name : pools) {
      for (JsonNode candidate : api.get(LedgerApi.ofPool(name, "policy")).json().path("pods")) {
        there.add(
            new Found(name, candidate.path("name").asText(), candidate.path("address").asText()));
      }
    }
    String address = PodAddress.find(wanted).map(PodAddress::toString).orElse(wanted);
    List<Found> matching =
        there.stream()
            .filter(found -> found.pod().equals(wanted) || found.address().equals(address))
            .toList();
    if (matching.size() == 1) {
      return matching.getFirst();
    }
    if (matching.isEmpty()) {
      throw FailedException.failed(
          "no pod of "
              + (pool == null ? "any pool" : "pool " + pool)
              + " is '"
              + wanted
              + "': there "
              + listed(there));
    }
    throw FailedException.wrongUsage(
        "POD is '"
            + wanted
            + "', and each of the pools "
            + matching.stream().map(Found::pool).collect(Collectors.joining(", "))
            + " has one: name one with --pool");
  }

  private static String listed(List<Found> pods) {
    int shown = 10;
    String names =
        pods.stream()
            .limit(shown)
            .map(found -> found.pod() + " (" + found.address() + ")")
            .collect(Collectors.joining(", "));
    if (pods.isEmpty()) {
      return "is none";
    }
    return (pods.size() == 1 ? "is " : "are ")
        + names
        + (pods.size() > shown ? " and " + (pods.size() - shown) + " more" : "");
  }
}
