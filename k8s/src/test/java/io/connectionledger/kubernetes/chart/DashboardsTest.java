package io.connectionledger.kubernetes.chart;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The dashboards: what Grafana would not complain of, but only show wrong. */
class DashboardsTest {

  private static final Path FOLDER = Chart.FOLDER.resolve("files/dashboards");
  private static final Path RUNBOOK = Path.of("..", "docs", "runbook.md");
  private static final String TAG = "connection-ledger";
  private static final int COLUMNS = 24;

  /** Those that begin with two underscores are Grafana's own. */
  private static final Pattern VARIABLE = Pattern.compile("\\$\\{?(?!__)(\\w+)");

  private static final Pattern DATA_LINK = Pattern.compile("^/d/([a-z-]+)\\?");
  private static final Pattern ALERT = Pattern.compile("\\b(Ledger[A-Z]\\w+)");

  private static final JsonMapper JSON =
      JsonMapper.builder()
          .enable(DeserializationFeature.FAIL_ON_READING_DUP_TREE_KEY)
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
          .build();

  static List<Path> files() throws IOException {
    try (Stream<Path> files = Files.list(FOLDER)) {
      return files.sorted().toList();
    }
  }

  @Test
  void shouldHaveAnIdAndATitleOfItsOwn() throws IOException {
    Set<String> titles = new HashSet<>();

    for (Path file : files()) {
      JsonNode dashboard = JSON.readTree(file.toFile());
      assertThat(dashboard.path("uid").asText()).isEqualTo(uid(file));
      assertThat(titles.add(dashboard.path("title").asText())).as("title of %s", file).isTrue();
    }

    assertThat(titles).hasSize(4);
  }

  private static String uid(Path file) {
    return TAG + "-" + file.getFileName().toString().replace(".json", "");
  }

  @ParameterizedTest
  @MethodSource("files")
  void shouldLeadToTheOthers(Path file) throws IOException {
    JsonNode dashboard = JSON.readTree(file.toFile());
    List<String> uids = files().stream().map(DashboardsTest::uid).toList();

    assertThat(dashboard.at("/tags/0").asText()).isEqualTo(TAG);
    assertThat(dashboard.at("/links/0/type").asText()).isEqualTo("dashboards");
    assertThat(dashboard.at("/links/0/tags/0").asText()).isEqualTo(TAG);
    for (String url : dashboard.findValuesAsText("url")) {
      assertThat(found(DATA_LINK, url)).isSubsetOf(uids);
    }
  }

  @ParameterizedTest
  @MethodSource("files")
  void shouldSayOfEachPanelWhatItShows(Path file) throws IOException {
    String runbook = Files.readString(RUNBOOK);
    Set<Integer> ids = new HashSet<>();

    for (JsonNode panel : JSON.readTree(file.toFile()).path("panels")) {
      String title = panel.path("title").asText();
      String description = panel.path("description").asText();
      assertThat(title).isNotEmpty();
      assertThat(ids.add(panel.path("id").asInt())).as("id of %s", title).isTrue();
      assertThat(description).as(title).endsWith(".");
      assertThat(found(ALERT, description))
          .as(title)
          .allSatisfy(alert -> assertThat(runbook).contains("\n### " + alert + "\n"));
      assertThat(panel.at("/datasource/uid").asText()).as(title).isEqualTo("${datasource}");
      assertThat(panel.path("targets")).as(title).isNotEmpty();
    }
  }

  @ParameterizedTest
  @MethodSource("files")
  void shouldLayEachPanelWhereNoOtherIs(Path file) throws IOException {
    Set<List<Integer>> taken = new HashSet<>();

    for (JsonNode panel : JSON.readTree(file.toFile()).path("panels")) {
      JsonNode place = panel.path("gridPos");
      int right = place.path("x").asInt() + place.path("w").asInt();
      int bottom = place.path("y").asInt() + place.path("h").asInt();
      assertThat(right).isLessThanOrEqualTo(COLUMNS);
      for (int x = place.path("x").asInt(); x < right; x++) {
        for (int y = place.path("y").asInt(); y < bottom; y++) {
          assertThat(taken.add(List.of(x, y))).as(panel.path("title").asText()).isTrue();
        }
      }
    }
  }

  @ParameterizedTest
  @MethodSource("files")
  void shouldHaveTheVariablesThatItUses(Path file) throws IOException {
    List<String> variables =
        JSON.readTree(file.toFile()).at("/templating/list").findValuesAsText("name");

    assertThat(found(VARIABLE, Files.readString(file)))
        .containsExactlyInAnyOrderElementsOf(variables);
  }

  private static Set<String> found(Pattern pattern, String text) {
    return pattern
        .matcher(text)
        .results()
        .map((MatchResult result) -> result.group(1))
        .collect(Collectors.toSet());
  }
}
