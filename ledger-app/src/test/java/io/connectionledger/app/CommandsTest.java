package io.connectionledger.app;

import static org.assertj.core.api.Assertions.assertThat;

import io.connectionledger.app.cli.CommandRuns;
import io.connectionledger.app.client.StubLedger;
import io.connectionledger.testkit.FreePorts;
import java.io.IOException;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What the commands ask, print and end with. */
final class CommandsTest {

  /** The commands that have no {@code --url}. */
  private static final List<String> NOT_ASKING = List.of("tail", "completion");

  private static final String CONNECTIONS =
      """
      {"pool":"%s","asOf":"2026-11-21T12:00:00Z","mode":"enforce","active":%d,"reserved":0,\
      "pods":[{"pod":"one","address":"10.0.0.1:80","active":%2$d,"reserved":0,"limit":5,\
      "state":"available","overLimit":false}]}""";

  private final StringWriter out = new StringWriter();
  private final StringWriter err = new StringWriter();
  private StubLedger ledger;

  @BeforeEach
  void start() throws IOException {
    ledger = StubLedger.start();
    ledger.on("GET /v1/pools", 200, "{\"pools\":[{\"pool\":\"chat\"},{\"pool\":\"games\"}]}");
    for (String pool : List.of("chat", "games")) {
      ledger.on("GET /v1/pools/" + pool + "/policy", 200, policy(pool, "configuration", 3));
      ledger.on("GET /v1/pools/" + pool + "/connections", 200, CONNECTIONS.formatted(pool, 2));
    }
  }

  @AfterEach
  void stop() {
    ledger.close();
  }

  private static String policy(String pool, String source, int limit) {
    return """
        {"pool":"%s","asOf":"2026-11-21T12:00:00Z","source":"%s","connectionsPerSecond":null,\
        "perPodMaxConnections":%d,"pods":[{"name":"one","address":"10.0.0.1:80"},\
        {"name":"six","address":"[fd00::7]:80"}],"draining":["10.0.0.1:80"]}"""
        .formatted(pool, source, limit);
  }

  private int execute(String... args) {
    List<String> all = new ArrayList<>(List.of(args));
    if (!all.contains("--url") && !NOT_ASKING.contains(args[0]) && !all.equals(List.of("policy"))) {
      all.addAll(List.of("--url", ledger.url()));
    }
    return CommandRuns.execute(
        Main.commandLine(all.toArray(String[]::new)), out, err, all.toArray(String[]::new));
  }

  private List<String> printed() {
    assertThat(err.toString()).isEmpty();
    return out.toString().lines().toList();
  }

  @Test
  void shouldShowAllPools() {
    assertThat(execute("connections")).isZero();

    assertThat(printed())
        .containsExactly(
            "chat: 2 active, 0 reserved of 5 on 1 pod",
            "  POD  ADDRESS      ACTIVE  RESERVED  LIMIT  STATE",
            "  one  10.0.0.1:80       2         0      5  available",
            "",
            "games: 2 active, 0 reserved of 5 on 1 pod",
            "  POD  ADDRESS      ACTIVE  RESERVED  LIMIT  STATE",
            "  one  10.0.0.1:80       2         0      5  available");
  }

  @Test
  void shouldShowOnePoolAsTheServerSaidIt() {
    assertThat(execute("connections", "--pool", "games", "--output", "json")).isZero();

    assertThat(printed()).containsExactly(CONNECTIONS.formatted("games", 2));
    assertThat(ledger.requests()).containsExactly("GET /v1/pools/games/connections");
  }

  @Test
  void shouldAskWithTheTokenOfAFile(@TempDir Path directory) throws IOException {
    Path token = Files.writeString(directory.resolve("token"), "secret-token-0123456789\n");

    assertThat(execute("connections", "--token-file", token.toString())).isZero();

    assertThat(ledger.authorization()).isEqualTo("Bearer secret-token-0123456789");
  }

  @Test
  void shouldSayInALineThatTheTokenIsMissingOrDoesNotSuffice() {
    ledger.on("GET /v1/pools", 401, "{\"status\":401,\"detail\":\"a token is needed\"}");
    assertThat(execute("connections")).isEqualTo(1);
    ledger.on("GET /v1/pools", 403, "{\"status\":403,\"detail\":\"this needs the role read\"}");
    assertThat(execute("connections")).isEqualTo(1);
    assertThat(execute("connections", "--token-file", "none/such")).isEqualTo(2);

    assertThat(err.toString().lines())
        .containsExactly(
            "ledger: the server says 401: a token is needed (--token-file FILE or LEDGER_TOKEN)",
            "ledger: the server says 403: this needs the role read",
            "ledger: --token-file none/such cannot be read: allowed is a file with one token");
  }

  @Test
  void shouldReadAnswersThatComeInParts() {
    ledger.on(
        "GET /v1/pools/chat/connections",
        200,
        "{\"pool\":\"chat\",\"pods\":[{\"pod\":\"a\",\"limit\":1}],\"next\":\"10.0.0.1:80\"}");
    ledger.on(
        "GET /v1/pools/chat/connections?after=10.0.0.1%3A80",
        200, "{\"pool\":\"chat\",\"pods\":[{\"pod\":\"b\",\"limit\":1}]}");

    assertThat(execute("connections", "--pool", "chat")).isZero();
    assertThat(execute("connections", "--pool", "chat", "--output", "json")).isZero();

    assertThat(printed())
        .hasSize(6)
        .startsWith("chat: 0 active, 0 reserved of 2 on 2 pods")
        .endsWith("{\"pool\":\"chat\",\"pods\":[{\"pod\":\"b\",\"limit\":1}]}");
  }

  @Test
  void shouldWatchInLinesWithoutATerminal() {
    assertThat(
            execute(
                "connections", "--pool", "chat", "--watch", "--interval", "100ms", "--count", "2"))
        .isZero();

    String line = "2026-11-21T12:00:00Z chat: 2 active, 0 reserved of 5 on 1 pod";
    assertThat(printed()).containsExactly(line, line);
  }

  @Test
  void shouldShowAllPoolsLive() {
    for (String pool : List.of("chat", "games")) {
      ledger.on("GET /v1/pools/" + pool + "/rejections", 200, "{\"windows\":{\"5m\":{}}}");
    }
    ledger.on("GET /metrics", 200, "websocket_connections_attempted_total{pool=\"chat\"} 20.0\n");

    assertThat(execute("top", "--interval", "100ms", "--count", "2")).isZero();

    assertThat(printed())
        .hasSize(4)
        .element(0)
        .asString()
        .endsWith("on 1 pod, - decisions/s, rejected in 5m: none");
    assertThat(printed().get(3)).startsWith("2026-11-21T12:00:00Z games:").contains(", 0.0 dec");
  }

  @Test
  void shouldSayInOneLineWhatTheServerSays() {
    ledger.on(
        "GET /v1/pools/nope/connections", 404, "{\"status\":404,\"detail\":\"no pool is named\"}");
    ledger.on(
        "GET /v1/pools/behind/connections",
        503,
        "{\"status\":503,\"detail\":\"not ready\",\"reasons\":[\"one\",\"two\"]}");

    assertThat(execute("connections", "--pool", "nope")).isEqualTo(1);
    assertThat(execute("connections", "--pool", "behind")).isEqualTo(1);

    assertThat(out.toString()).isEmpty();
    assertThat(err.toString().lines())
        .containsExactly(
            "ledger: the server says 404: no pool is named",
            "ledger: the server says 503: not ready: one; two");
  }

  @Test
  void shouldSayInOneLineThatNothingAnswers() throws IOException {
    int port = FreePorts.one();

    assertThat(execute("readiness", "--url", "127.0.0.1:" + port)).isEqualTo(1);

    assertThat(err.toString())
        .startsWith("ledger: nothing answers at http://127.0.0.1:" + port + ": ")
        .containsIgnoringCase("refused")
        .hasLineCount(1);
  }

  @Test
  void shouldSayInOneLineThatThisIsNoLedger() {
    ledger.on("GET /v1/pools", 200, "<html>");

    assertThat(execute("scaling")).isEqualTo(1);

    assertThat(err.toString())
        .isEqualTo(
            "ledger: "
                + ledger.url()
                + "/v1/pools answered something that is no JSON: is it the right port?"
                + System.lineSeparator());
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "connections --output xml | Invalid value for option '--output': 'xml': allowed is"
            + " table or json; see ledger connections --help",
        "top --interval 1 | Invalid value for option '--interval': '1': allowed is a duration,"
            + " written as 500ms, 10s, 5m or 1h; see ledger top --help",
        "top --interval 1ms | --interval is below 100ms: allowed is 100ms or more",
        "top --count 0 | --count is 0: allowed is 1 or more",
        "connections --url ftp://x | Invalid value for option '--url': 'ftp://x': allowed is"
            + " http://HOST:PORT or https://HOST:PORT; see ledger connections --help",
        "policy | name get, set or reset; see ledger policy --help",
        "policy get | --pool is missing: allowed is chat or games",
        "policy set --pool chat | give either --file FILE or KEY=VALUE, and one of them; see ledger"
            + " policy set --help",
        "policy set --pool chat mode | 'mode': allowed is KEY=VALUE",
        "drain one --undo --within 5m | --undo and --within exclude each other: give one of them;"
            + " see ledger drain --help",
        "drain one | POD is 'one', and each of the pools chat, games has one: name one with --pool",
        "tail --type opened,lost | --type is 'lost': allowed are opened, alive, closed, failed,"
            + " allowed, rejected; see ledger tail --help",
        "tail --from yesterday | Invalid value for option '--from': 'yesterday': allowed is"
            + " beginning, now or a duration, written as 500ms, 10s, 5m or 1h; see ledger tail"
            + " --help",
        "audit | Missing required option: '--envoy=ADMIN_URL'; see ledger audit --help",
      })
  void shouldEndWith2AndOneLineForWrongUsage(String args, String line) {
    assertThat(execute(args.split(" "))).isEqualTo(2);

    assertThat(err.toString()).isEqualTo("ledger: " + line + System.lineSeparator());
    assertThat(out.toString()).isEmpty();
  }

  @Test
  void shouldDrainAPodByItsName() {
    ledger.on("PUT /v1/pools/chat/pods/10.0.0.1%3A80/drain", 200, "{\"draining\":true}");

    assertThat(execute("drain", "one", "--pool", "chat")).isZero();

    assertThat(printed())
        .containsExactly("one (10.0.0.1:80) of pool chat takes no new connections and holds 2");
  }

  @ParameterizedTest
  @ValueSource(strings = {"[fd00::7]:80", "[FD00:0:0::0007]:80"})
  void shouldDrainAPodByItsAddressWithinATime(String address) {
    ledger.on("PUT /v1/pools/chat/pods/%5Bfd00%3A%3A7%5D%3A80/drain?within=600s", 200, "{\"a\":1}");

    assertThat(execute("drain", address, "--pool", "chat", "--within", "10m", "--output", "json"))
        .isZero();

    assertThat(printed()).containsExactly("{\"a\":1}");
  }

  @Test
  void shouldUndoADrain() {
    ledger.on("DELETE /v1/pools/chat/pods/10.0.0.1%3A80/drain", 200, "{\"draining\":false}");

    assertThat(execute("drain", "one", "--pool", "chat", "--undo")).isZero();

    assertThat(printed()).containsExactly("one (10.0.0.1:80) of pool chat takes new connections");
  }

  @Test
  void shouldNameThePodsThatThereAre() {
    assertThat(execute("drain", "two", "--pool", "chat")).isEqualTo(1);

    assertThat(err.toString())
        .isEqualTo(
            "ledger: no pod of pool chat is 'two': there are one (10.0.0.1:80), six ([fd00::7]:80)"
                + System.lineSeparator());
  }

  @Test
  void shouldShowAPolicy() {
    assertThat(execute("policy", "get", "--pool", "chat")).isZero();

    assertThat(printed())
        .containsExactly(
            "chat: as configured",
            "  KEY                   VALUE",
            "  connectionsPerSecond  null",
            "  perPodMaxConnections  3",
            "",
            "  POD  ADDRESS",
            "  one  10.0.0.1:80   draining",
            "  six  [fd00::7]:80");
  }

  @Test
  void shouldChangeAPolicyAndShowWhatChanged() {
    ledger.on("PUT /v1/pools/chat/policy", 200, policy("chat", "api", 5));

    assertThat(execute("policy", "set", "--pool", "chat", "per-pod-max-connections=5")).isZero();

    assertThat(printed())
        .containsExactly(
            "chat: changed",
            "  KEY                   BEFORE  NOW",
            "  perPodMaxConnections  3       5");
    assertThat(ledger.requests())
        .last()
        .isEqualTo("PUT /v1/pools/chat/policy {\"perPodMaxConnections\":5}");
  }

  @Test
  void shouldChangeAPolicyFromAFileAndSayThatNothingChanged(@TempDir Path temp) throws IOException {
    ledger.on("PUT /v1/pools/chat/policy", 200, policy("chat", "api", 3));
    Path file = Files.writeString(temp.resolve("p.yaml"), "per-pod-max-connections: 3\n");

    assertThat(execute("policy", "set", "--pool", "chat", "--file", file.toString())).isZero();

    assertThat(printed()).containsExactly("chat: nothing changed");
    assertThat(ledger.requests()).last().asString().endsWith(" {\"perPodMaxConnections\":3}");
  }

  @Test
  void shouldEndWith2ForAPolicyThatTheServerRefuses() {
    ledger.on(
        "PUT /v1/pools/chat/policy",
        400,
        "{\"status\":400,\"detail\":\"perPodMaxConnections is 0: allowed is 1 to 10000000\"}");

    assertThat(execute("policy", "set", "--pool", "chat", "perPodMaxConnections=0")).isEqualTo(2);

    assertThat(err.toString())
        .isEqualTo(
            "ledger: the server says 400: perPodMaxConnections is 0: allowed is 1 to 10000000"
                + System.lineSeparator());
  }

  @Test
  void shouldUndoChangesOfAPolicy() {
    ledger.on("DELETE /v1/pools/chat/policy", 200, policy("chat", "configuration", 4));

    assertThat(execute("policy", "reset", "--pool", "chat")).isZero();

    assertThat(printed()).contains("  perPodMaxConnections  3       4");
  }

  private void envoy(int connections) {
    ledger.on("GET /server_info", 200, "{\"node\":{\"id\":\"envoy-1\"}}");
    ledger.on(
        "GET /clusters?format=json",
        200,
        """
        {"cluster_statuses":[{"name":"chat","host_statuses":[{"address":{"socket_address":
        {"address":"10.0.0.1","port_value":80}},"stats":[{"name":"rq_active","value":"%d"}]}]}]}
        """
            .formatted(connections));
    ledger.on(
        "GET /v1/pools/chat/readiness",
        200,
        "{\"envoys\":[{\"node\":\"envoy-1\",\"connections\":2},{\"node\":\"envoy-2\",\"connections\":1}]}");
  }

  @Test
  void shouldFindNoDriftWhereCountsAreEqual() {
    envoy(2);

    assertThat(execute("audit", "--envoy", ledger.url(), "--pool", "chat")).isZero();

    assertThat(printed())
        .containsExactly(
            "POOL  POD  ADDRESS      LEDGER  ENVOYS  DRIFT",
            "chat  one  10.0.0.1:80       2       2      -",
            "Envoy envoy-2 was not asked; the ledger has 1 of it.",
            "No drift: 2 connections on 1 pod are equal.");
  }

  @Test
  void shouldEndWith1AndATableWhereCountsStayDifferent() {
    envoy(5);

    assertThat(execute("audit", "--envoy", ledger.url(), "--pool", "chat", "--settle", "500ms"))
        .isEqualTo(1);

    assertThat(printed())
        .contains(
            "chat  one  10.0.0.1:80       2       5     +3", "Drift on 1 of 1 pod, for 500ms.");
  }

  @Test
  void shouldPrintAnAuditForPrograms() {
    envoy(2);

    assertThat(execute("audit", "--envoy", ledger.url(), "--pool", "chat", "--output", "json"))
        .isZero();

    assertThat(printed())
        .containsExactly(
            "{\"pool\":\"chat\",\"pod\":\"one\",\"address\":\"10.0.0.1:80\",\"ledger\":2,"
                + "\"envoys\":2,\"drift\":0}");
  }

  @Test
  void shouldCompleteCommandsAndOptions(@TempDir Path temp) throws Exception {
    assertThat(execute("completion", "bash")).isZero();
    assertThat(err.toString()).isEmpty();
    Path script = Files.writeString(temp.resolve("completion"), out.toString());

    assertThat(completed(script, "conn")).isEqualTo("connections");
    assertThat(completed(script, "policy", "re")).isEqualTo("reset");
    assertThat(completed(script, "top", "--int")).isEqualTo("--interval");
    assertThat(completed(script, "tail", "--output", "")).isEqualTo("table json");
    assertThat(completed(script, "rehe")).isEmpty();
  }

  /** What a real bash offers after these words; it has no completion under way, and says so. */
  private static String completed(Path script, String... words) throws Exception {
    String line =
        "source '%s'; COMP_WORDS=(ledger %s); COMP_CWORD=%d; _complete_ledger; echo ${COMPREPLY[*]}"
            .formatted(
                script,
                Stream.of(words).map(word -> "'" + word + "'").collect(Collectors.joining(" ")),
                words.length);
    Process bash =
        new ProcessBuilder("bash", "-c", line)
            .redirectError(ProcessBuilder.Redirect.DISCARD)
            .start();
    try (var reader = bash.inputReader()) {
      return reader.lines().collect(Collectors.joining("\n"));
    }
  }

  @Test
  void shouldEndWith2ForAShellWithoutCompletion() {
    assertThat(execute("completion", "fish")).isEqualTo(2);

    assertThat(err.toString())
        .isEqualTo("ledger: SHELL is 'fish': allowed is bash or zsh" + System.lineSeparator());
  }
}
