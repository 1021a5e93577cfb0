package io.connectionledger.app.query;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.Writer;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/**
 * Runs every command that asks a ledger once, against a ledger that is none, and the one that reads
 * Kafka against what it is given. The script {@code ledger} has the virtual machine keep the
 * classes that this needs: an archive that is made while a command of the user's runs has only what
 * that one needed, or little when it failed.
 */
@Command(name = "rehearse", hidden = true, description = "Prepares fast starts of the others.")
public final class RehearsalCommand implements Callable<Integer> {

  private static final int TAIL_SECONDS = 10;

  private static final String POD =
      "\"pod\":\"a\",\"name\":\"a\",\"address\":\"10.0.0.1:80\",\"active\":1,\"limit\":2,"
          + "\"priority\":1,\"state\":\"full\"";
  private static final String WINDOWS = "\"windows\":{\"5m\":{\"pod_limit\":1}}";

  /** Of every kind of answer something, as no path needs to be told from another. */
  private static final String ANSWER =
      """
      {"pool":"a","asOf":"2026-01-01T00:00:00Z","pools":[{"pool":"a"}],%s,"perPodMaxConnections":2,
       "pods":[{%s,%s}],"scaleDown":[{%s}],"desiredPods":1,"scaling":{"ready":true},
       "readiness":{"ready":true,"completeness":0.5},"completeness":0.5,"ready":true,
       "envoys":[{"node":"a","lastSeen":"2026-01-01T00:00:00Z","connections":1}],
       "id":"a","outcome":"rejected","state":{"tokens":1.5,"pods":1,"waitMs":1},
       "node":{"id":"a"},"cluster_statuses":[{"name":"a","host_statuses":[{"address":
       {"socket_address":{"address":"10.0.0.1","port_value":80}},
       "stats":[{"name":"rq_active","value":"1"}]}]}]}
      """
          .formatted(WINDOWS, POD, WINDOWS, POD)
          .replace("\n", "");

  private final Function<String[], CommandLine> commands;

  @Option(
      names = "--bootstrap-servers",
      paramLabel = "HOST:PORT",
      description = "The Kafka of a ledger that has started, for the commands that read it.")
  private @Nullable String bootstrapServers;

  /**
   * The command.
   *
   * @param commands makes the command line for arguments
   */
  public RehearsalCommand(Function<String[], CommandLine> commands) {
    this.commands = commands;
  }

  @Override
  public Integer call() throws IOException {
    HttpServer server =
        HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    server.createContext("/", RehearsalCommand::answer);
    server.start();
    try {
      String url = "http://127.0.0.1:" + server.getAddress().getPort();
      int worst = 0;
      for (Query query : Query.values()) {
        worst = Math.max(worst, ask(url, query.label()));
      }
      worst = Math.max(worst, ask(url, "connections", "--output", "json"));
      worst = Math.max(worst, ask(url, "top", "--count", "1"));
      worst = Math.max(worst, ask(url, "drain", "a"));
      worst = Math.max(worst, ask(url, "policy", "get"));
      worst = Math.max(worst, ask(url, "policy", "set", "perPodMaxConnections=2"));
      worst = Math.max(worst, ask(url, "explain", "a"));
      worst = Math.max(worst, ask(url, "audit", "--envoy", url));
      return bootstrapServers == null ? worst : Math.max(worst, tail(bootstrapServers));
    } finally {
      server.stop(0);
    }
  }

  /** A ledger whose warm-up could not record has nothing to show, which would be waited for. */
  private int tail(String servers) {
    return CompletableFuture.supplyAsync(
            () ->
                run(
                    "tail",
                    "--rehearsals",
                    "--from",
                    "beginning",
                    "--count",
                    "1",
                    "--bootstrap-servers",
                    servers))
        .completeOnTimeout(1, TAIL_SECONDS, TimeUnit.SECONDS)
        .join();
  }

  private int ask(String url, String... args) {
    List<String> all = new ArrayList<>(List.of(args));
    all.addAll(List.of("--url", url));
    return run(all.toArray(String[]::new));
  }

  private int run(String... line) {
    PrintWriter nowhere = new PrintWriter(Writer.nullWriter());
    return commands.apply(line).setOut(nowhere).execute(line);
  }

  private static void answer(HttpExchange exchange) throws IOException {
    byte[] bytes = ANSWER.getBytes(StandardCharsets.UTF_8);
    exchange.getRequestBody().readAllBytes();
    exchange.sendResponseHeaders(200, bytes.length);
    exchange.getResponseBody().write(bytes);
    exchange.close();
  }
}
