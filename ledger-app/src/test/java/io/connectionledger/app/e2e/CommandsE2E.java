package io.connectionledger.app.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.connectionledger.app.Main;
import io.connectionledger.app.cli.CommandRuns;
import io.connectionledger.app.envoy.EnvoyProcess;
import io.connectionledger.app.serve.LedgerNode;
import io.connectionledger.app.websocket.WebSocketClients.Connection;
import io.connectionledger.app.websocket.WebSocketPod;
import java.io.StringWriter;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Collectors;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** An operator's day at the command line, with everything real. */
class CommandsE2E {

  private static final Duration PATIENCE = Duration.ofSeconds(30);

  @TempDir private Path folder;
  private LedgerNode ledger;
  private Fleet fleet;

  /** What a command printed. */
  private record Ran(int exitCode, String out, String err) {

    private List<String> lines() {
      return out.lines().toList();
    }
  }

  @BeforeEach
  void start() throws Exception {
    List<WebSocketPod> pods = Fleet.pods(3);
    ledger =
        Fleet.ledger(
            folder,
            """
            chat:
              per-pod-max-connections: 2
              pods: [%s]
            """
                .formatted(Fleet.yaml(pods)));
    fleet = Fleet.start("chat", pods, 2, Fleet.ports(ledger), folder);
    Awaitility.await("ready").atMost(Duration.ofSeconds(60)).until(fleet::ready);
  }

  @AfterEach
  void stop() {
    fleet.close();
    ledger.close();
  }

  private Ran run(String... args) {
    StringWriter out = new StringWriter();
    StringWriter err = new StringWriter();
    int exitCode = CommandRuns.execute(Main.commandLine(args), out, err, args);
    return new Ran(exitCode, out.toString(), err.toString());
  }

  /** Runs a command that asks the ledger, and must succeed. */
  private List<String> ask(String... args) {
    Ran ran = askAnyhow(args);
    assertThat(ran.err()).isEmpty();
    assertThat(ran.exitCode()).isZero();
    return ran.lines();
  }

  private Ran askAnyhow(String... args) {
    List<String> all = new ArrayList<>(List.of(args));
    all.addAll(List.of("--url", "http://127.0.0.1:" + ledger.httpPort().orElseThrow()));
    return run(all.toArray(String[]::new));
  }

  private List<String> tail(String... args) {
    List<String> all = new ArrayList<>(List.of("tail", "--bootstrap-servers"));
    all.add(ledger.bootstrapServers());
    all.addAll(List.of(args));
    Ran ran = run(all.toArray(String[]::new));
    assertThat(ran.err()).isEmpty();
    assertThat(ran.exitCode()).isZero();
    return ran.lines();
  }

  private static String[] envoys(List<EnvoyProcess> processes, String... further) {
    List<String> args = new ArrayList<>(List.of("audit", "--envoy"));
    args.add(
        processes.stream()
            .map(envoy -> "http://127.0.0.1:" + envoy.adminPort())
            .collect(Collectors.joining(",")));
    args.addAll(List.of(further));
    return args.toArray(String[]::new);
  }

  @Test
  void shouldServeAnOperatorsDay() throws Exception {
    // Six are in, two too many were tried.
    List<Connection> in = Fleet.opened(fleet.attempt(8, Map.of()));
    fleet.awaitActive(6);
    assertThat(in).hasSize(6);

    assertThat(ask("connections"))
        .hasSize(5)
        .startsWith("chat: 6 active, 0 reserved of 6 on 3 pods")
        .element(2)
        .asString()
        .matches("  pod-1  127\\.0\\.0\\.1:\\d+ +2 +0 +2  full");
    JsonNode said = new ObjectMapper().readTree(ask("connections", "--output", "json").getFirst());
    assertThat(said.path("active").asInt()).isEqualTo(6);
    Awaitility.await("the rejections are counted")
        .atMost(PATIENCE)
        .until(
            () -> ask("rejections").getFirst().equals("chat: rejected 2 in 5m, 2 in 15m, 2 in 1h"));
    assertThat(ask("readiness").getFirst()).startsWith("chat: ready, 100 % complete, 2 Envoys");
    assertThat(ask("top", "--count", "2")).hasSize(2).last().asString().contains("pod_limit 2");

    // Why was one rejected?
    List<String> rejected = tail("--from", "beginning", "--type", "rejected", "--count", "2");
    assertThat(rejected).allMatch(line -> line.contains(" chat rejected "));
    String id = rejected.getFirst().split(" +", -1)[3];
    assertThat(ask("explain", id))
        .contains("because every pod held its limit, open and reserved together");
    assertThat(tail("--from", "5m", "--type", "opened", "--pool", "chat", "--count", "6"))
        .allMatch(line -> line.contains(" chat opened   "));

    // The Envoys say the same, and one of them alone does not.
    assertThat(ask(envoys(fleet.envoys)))
        .last()
        .isEqualTo("No drift: 6 connections on 3 pods are equal.");
    Ran half = askAnyhow(envoys(fleet.envoys.subList(0, 1), "--settle", "1s"));
    assertThat(half.exitCode()).isEqualTo(1);
    assertThat(half.out())
        .contains("Envoy envoy-chat-2 was not asked; the ledger has ")
        .containsPattern("Drift on \\d of 3 pods, for 1s\\.");

    // A drained pod shows, and takes connections again.
    assertThat(ask("drain", "pod-2").getFirst())
        .startsWith("pod-2 (")
        .endsWith(") of pool chat takes no new connections and holds 2");
    assertThat(ask("connections").get(3)).endsWith("draining");
    ask("drain", fleet.pods.get(1).address().toString(), "--undo");
    assertThat(ask("connections").get(3)).endsWith("full");

    // A higher limit lets more in, and a tail that waits sees them.
    CompletableFuture<List<String>> coming =
        CompletableFuture.supplyAsync(() -> tail("--type", "allowed", "--count", "1"));
    assertThat(ask("policy", "set", "per-pod-max-connections=3"))
        .contains("chat: changed", "  perPodMaxConnections  2       3");
    Awaitility.await("the tail saw one more")
        .atMost(PATIENCE)
        .until(
            () -> {
              Fleet.close(Fleet.opened(fleet.attempt(1, Map.of())));
              return coming.isDone();
            });
    assertThat(coming.join()).hasSize(1);
    assertThat(ask("policy", "get").getFirst()).contains("changed by the API");
    ask("policy", "reset");
    assertThat(ask("policy", "get").getFirst()).isEqualTo("chat: as configured");

    Fleet.close(in);
    fleet.awaitActive(0);
    assertThat(ask(envoys(fleet.envoys))).last().asString().startsWith("No drift: 0 ");
  }
}
