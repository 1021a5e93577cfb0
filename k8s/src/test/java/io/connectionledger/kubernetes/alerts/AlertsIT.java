package io.connectionledger.kubernetes.alerts;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Needs promtool, which Debian's package prometheus has. */
class AlertsIT {

  private static final Path RULES = Path.of("chart/files/rules/ledger.yaml");
  private static final Path DASHBOARDS = Path.of("chart/files/dashboards");
  private static final Path FOLDER = Path.of("src/test/resources/rules");
  private static final Path CASES = FOLDER.resolve("ledger_test.yaml");
  private static final Path RUNBOOK = Path.of("../docs/runbook.md");

  private final YAMLMapper yaml = new YAMLMapper();

  @Test
  void shouldBeRulesThatPrometheusTakes() throws Exception {
    promtool("check", "rules", RULES.toAbsolutePath().toString());
  }

  @Test
  void shouldFireAndClear() throws Exception {
    promtool("test", "rules", FOLDER.relativize(CASES).toString());
  }

  @Test
  void shouldHaveACaseAndASectionOfTheRunbookForEachAlert() throws IOException {
    String cases = Files.readString(CASES);
    String runbook = Files.readString(RUNBOOK);
    List<JsonNode> alerts = alerts();

    assertThat(alerts).hasSizeGreaterThan(10);
    assertThat(alerts)
        .allSatisfy(
            alert -> {
              String name = alert.path("alert").asText();
              assertThat(cases).contains("alertname=\"" + name + "\"");
              assertThat(runbook).contains("\n### " + name + "\n");
              assertThat(alert.at("/annotations/runbook_url").asText())
                  .endsWith("/docs/runbook.md#" + name.toLowerCase(Locale.ROOT));
              assertThat(alert.at("/annotations/summary").asText()).isNotEmpty();
              assertThat(alert.at("/labels/severity").asText()).isIn("warning", "critical");
            });
  }

  @Test
  void shouldAskOnDashboardsWhatPrometheusTakes(@TempDir Path folder) throws Exception {
    Set<String> expressions = expressions();
    assertThat(expressions).hasSizeGreaterThan(50);
    ObjectNode file = yaml.createObjectNode();
    ArrayNode rules = file.putArray("groups").addObject().put("name", "panels").putArray("rules");
    for (String expression : expressions) {
      String plain = expression.replaceAll("\\$__\\w+", "5m").replaceAll("\\$\\w+", "any");
      // promtool tells a wrong rule by its name.
      rules.addObject().put("alert", expression).put("expr", plain);
    }
    Path written = folder.resolve("panels.yaml");
    yaml.writeValue(written.toFile(), file);

    promtool("check", "rules", written.toAbsolutePath().toString());
  }

  private Set<String> expressions() throws IOException {
    Set<String> expressions = new TreeSet<>();
    try (Stream<Path> files = Files.list(DASHBOARDS)) {
      for (Path file : files.toList()) {
        expressions.addAll(yaml.readTree(file.toFile()).findValuesAsText("expr"));
      }
    }
    return expressions;
  }

  private List<JsonNode> alerts() throws IOException {
    List<JsonNode> alerts = new ArrayList<>();
    for (JsonNode group : yaml.readTree(RULES.toFile()).path("groups")) {
      group.path("rules").forEach(alerts::add);
    }
    return alerts;
  }

  /** Beside the cases, which name the rules from there. */
  private static void promtool(String... arguments) throws IOException, InterruptedException {
    List<String> line = new ArrayList<>(List.of("promtool"));
    line.addAll(List.of(arguments));
    Process process =
        new ProcessBuilder(line).directory(FOLDER.toFile()).redirectErrorStream(true).start();
    process.getOutputStream().close();
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(process.waitFor()).as(output).isZero();
  }
}
