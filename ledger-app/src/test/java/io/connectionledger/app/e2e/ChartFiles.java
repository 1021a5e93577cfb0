package io.connectionledger.app.e2e;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * The chart's alerts and dashboards, for a Prometheus that has seconds where others have minutes.
 */
final class ChartFiles {

  /** Of an instance that asks Kubernetes. */
  private static final Pattern IN_KUBERNETES =
      Pattern.compile("ledger_endpoints_stale|ledger_kubernetes_watch_up");

  private static final Path FILES = Fleet.ROOT.resolve("k8s/chart/files");
  private static final Path RULES = FILES.resolve("rules/ledger.yaml");

  private ChartFiles() {}

  /** The rules, which look back for seconds and wait for one. */
  static Path impatientRules(Path folder) throws IOException {
    String rules = Files.readString(RULES);
    return Files.writeString(
        folder.resolve("rules.yaml"),
        rules.replaceAll("(?m)^    for: \\d+m$", "    for: 1s").replaceAll("\\[\\d+m\\]", "[20s]"));
  }

  /** The names of all alerts. */
  static Set<String> alerts() throws IOException {
    Set<String> names = new TreeSet<>();
    for (JsonNode group : new YAMLMapper().readTree(RULES.toFile()).path("groups")) {
      group.path("rules").forEach(rule -> names.add(rule.path("alert").asText()));
    }
    return names;
  }

  /**
   * Every expression of the dashboards for a pod, with where it stands.
   *
   * @param kubernetes those that only an instance has which asks Kubernetes, or the others
   */
  static Map<String, String> panels(String pool, String pod, boolean kubernetes)
      throws IOException {
    Map<String, String> panels = new LinkedHashMap<>();
    JsonMapper json = new JsonMapper();
    try (Stream<Path> files = Files.list(FILES.resolve("dashboards"))) {
      for (Path file : files.toList()) {
        for (JsonNode panel : json.readTree(file.toFile()).path("panels")) {
          for (JsonNode target : panel.path("targets")) {
            String expression =
                target
                    .path("expr")
                    .asText()
                    .replace("$namespace", ".*")
                    .replace("$pool", pool)
                    .replace("$pod", pod)
                    .replace("$__rate_interval", "20s");
            if (IN_KUBERNETES.matcher(expression).find() == kubernetes) {
              panels.put(expression, file.getFileName() + ", " + panel.path("title").asText());
            }
          }
        }
      }
    }
    return panels;
  }
}
