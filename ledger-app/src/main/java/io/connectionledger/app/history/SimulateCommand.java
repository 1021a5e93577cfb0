package io.connectionledger.app.history;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.databind.node.TextNode;
import java.io.IOException;
import java.io.PrintWriter;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpTimeoutException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import java.util.regex.Pattern;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code ledger simulate}: what other limits would have done to the last minutes. */
@Command(
    name = "simulate",
    description = "What other limits of a pool would have admitted and rejected.",
    footer = {
      "",
      "For example: ledger simulate --pool chat --window 1h perPodMaxConnections=3 burstCapacity=20"
    })
public final class SimulateCommand implements Callable<Integer> {

  private static final int FAILED = 1;
  private static final int WRONG_USAGE = 2;
  private static final int BAD_REQUEST = 400;

  /** Longer than the server takes at most. */
  private static final Duration PATIENCE = Duration.ofSeconds(60);

  private static final Pattern DASH = Pattern.compile("-([a-z])");
  private static final ObjectMapper JSON =
      JsonMapper.builder().enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS).build();

  @Spec private CommandSpec spec;

  @Option(names = "--pool", required = true, paramLabel = "POOL", description = "The pool.")
  private String pool = "";

  @Option(
      names = "--window",
      paramLabel = "DURATION",
      defaultValue = "15m",
      description = "How much of the past, up to 1h (default: ${DEFAULT-VALUE}).")
  private String window = "15m";

  @Option(
      names = "--url",
      paramLabel = "URL",
      defaultValue = "http://127.0.0.1:8090",
      description = "The ledger's HTTP port (default: ${DEFAULT-VALUE}).")
  private URI url = URI.create("http://127.0.0.1:8090");

  @Option(
      names = "--output",
      paramLabel = "FORMAT",
      defaultValue = "table",
      description = "table or json (default: ${DEFAULT-VALUE}).")
  private String output = "table";

  @Parameters(
      paramLabel = "KEY=VALUE",
      description =
          "The other limits, by the keys of a policy: connectionsPerSecond (null for none),"
              + " burstCapacity, perPodMaxConnections, pods, placement, slowStart.")
  private List<String> limits = new ArrayList<>();

  @SuppressWarnings("NullAway.Init") // picocli sets spec
  public SimulateCommand() {}

  @Override
  public Integer call() throws InterruptedException {
    if (!output.equals("table") && !output.equals("json")) {
      throw wrong("--output is '" + output + "': allowed is table or json");
    }
    HttpRequest request = request();
    try (HttpClient http = HttpClient.newHttpClient()) {
      HttpResponse<String> answer = http.send(request, HttpResponse.BodyHandlers.ofString());
      if (answer.statusCode() != 200) {
        return failed(problem(answer), answer.statusCode() == BAD_REQUEST ? WRONG_USAGE : FAILED);
      }
      PrintWriter out = spec.commandLine().getOut();
      if (output.equals("json")) {
        out.println(answer.body());
      } else {
        lines(JSON.readTree(answer.body())).forEach(out::println);
      }
      out.flush();
      return 0;
    } catch (HttpTimeoutException late) {
      return failed(url + " does not answer", FAILED);
    } catch (IOException unreachable) {
      return failed(url + " cannot be asked: " + unreachable, FAILED);
    }
  }

  private HttpRequest request() {
    ObjectNode body = JSON.createObjectNode();
    for (String limit : limits) {
      int equals = limit.indexOf('=');
      if (equals < 1) {
        throw wrong("'" + limit + "': allowed is KEY=VALUE");
      }
      String key =
          DASH.matcher(limit.substring(0, equals))
              .replaceAll(found -> found.group(1).toUpperCase(Locale.ROOT));
      body.set(key, value(limit.substring(equals + 1)));
    }
    body.put("window", window);
    String path = "/v1/pools/" + pool + "/simulate";
    try {
      return HttpRequest.newBuilder(url.resolve(path))
          .timeout(PATIENCE)
          .header("content-type", "application/json")
          .POST(HttpRequest.BodyPublishers.ofString(body.toString()))
          .build();
    } catch (IllegalArgumentException invalid) {
      throw new ParameterException(
          spec.commandLine(),
          "--url is '"
              + url
              + "' and --pool '"
              + pool
              + "': allowed is http://HOST:PORT and a"
              + " pool's name",
          invalid);
    }
  }

  /** What is no JSON is a text. */
  private static JsonNode value(String written) {
    try {
      JsonNode json = JSON.readTree(written);
      return json == null || json.isMissingNode() ? TextNode.valueOf(written) : json;
    } catch (JsonProcessingException text) {
      return TextNode.valueOf(written);
    }
  }

  private ParameterException wrong(String message) {
    return new ParameterException(spec.commandLine(), message);
  }

  private static String problem(HttpResponse<String> answer) {
    try {
      return JSON.readTree(answer.body()).path("detail").asText("status " + answer.statusCode());
    } catch (JsonProcessingException notOurs) {
      return "status " + answer.statusCode();
    }
  }

  private int failed(String line, int code) {
    spec.commandLine().getErr().println("ledger: " + line);
    spec.commandLine().getErr().flush();
    return code;
  }

  /** The answer for people. */
  static List<String> lines(JsonNode answer) {
    JsonNode recorded = answer.path("recorded");
    JsonNode simulated = answer.path("simulated");
    List<String> lines = new ArrayList<>();
    lines.add(
        answer.path("pool").asText()
            + ", "
            + answer.path("from").asText()
            + " to "
            + answer.path("to").asText());
    lines.add(row("", "RECORDED", "SIMULATED"));
    for (String key : List.of("attempts", "admitted")) {
      lines.add(row(key, recorded.path(key).asText(), simulated.path(key).asText()));
    }
    for (String reason : names(recorded.path("rejected"), simulated.path("rejected"))) {
      lines.add(
          row(
              reason,
              recorded.path("rejected").path(reason).asText("0"),
              simulated.path("rejected").path(reason).asText("0")));
    }
    for (String pod : pods(recorded, simulated)) {
      lines.add(row("peak of " + pod, peak(recorded, pod), peak(simulated, pod)));
    }
    if (!answer.path("repeated").equals(recorded)) {
      lines.add(
          "The same calculation with the recorded limits admits "
              + answer.path("repeated").path("admitted").asText()
              + ": so far it may be off.");
    }
    answer.path("assumptions").forEach(line -> lines.add("- " + line.asText()));
    return lines;
  }

  private static List<String> names(JsonNode one, JsonNode other) {
    List<String> names = new ArrayList<>();
    for (JsonNode node : List.of(one, other)) {
      node.properties()
          .forEach(
              entry -> {
                if (!names.contains(entry.getKey())) {
                  names.add(entry.getKey());
                }
              });
    }
    return names;
  }

  private static List<String> pods(JsonNode one, JsonNode other) {
    List<String> names = new ArrayList<>();
    for (JsonNode outcome : List.of(one, other)) {
      for (JsonNode pod : outcome.path("pods")) {
        String name = pod.path("pod").asText();
        if (!names.contains(name)) {
          names.add(name);
        }
      }
    }
    return names;
  }

  private static String peak(JsonNode outcome, String name) {
    for (JsonNode pod : outcome.path("pods")) {
      if (pod.path("pod").asText().equals(name)) {
        return pod.path("peak").asText();
      }
    }
    return "0";
  }

  private static String row(String name, String recorded, String simulated) {
    return String.format(Locale.ROOT, "  %-28s %10s %10s", name, recorded, simulated);
  }
}
