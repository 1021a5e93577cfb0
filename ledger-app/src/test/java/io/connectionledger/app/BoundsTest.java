package io.connectionledger.app;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/** The bounds of docs/security.md: each is a constant that exists and has tests that exist. */
class BoundsTest {

  private static final Pattern CODE = Pattern.compile("`([^`]+)`");
  private static final Pattern CONSTANT = Pattern.compile("(?:([A-Z]\\w*[a-z]\\w*)\\.?)?([A-Z_]*)");
  private static final Pattern TEST = Pattern.compile("[A-Z]\\w*(?:Test|IT|E2E)");

  @Test
  void shouldNameAConstantAndATestOfEachThatExist() throws IOException {
    List<Path> sources = JavaSources.main();
    List<Path> tests = JavaSources.tests();
    List<String> wrong = new ArrayList<>();
    int bounds = 0;
    for (List<String> table : tables()) {
      List<String> head = cells(table.getFirst());
      for (String row : table.subList(2, table.size())) {
        List<String> cells = cells(row);
        bounds++;
        wrong.addAll(constants(cells.get(head.indexOf("constant")), sources));
        wrong.addAll(tests(row, cells.get(head.indexOf("test")), tests));
      }
    }
    assertThat(wrong).isEmpty();
    assertThat(bounds).isGreaterThan(50);
  }

  /** A constant without a class is of the class before it. */
  private static List<String> constants(String cell, List<Path> sources) throws IOException {
    List<String> wrong = new ArrayList<>();
    String source = "";
    for (String name : codes(cell)) {
      MatchResult parts = CONSTANT.matcher(name).results().findFirst().orElseThrow();
      if (parts.group(1) != null) {
        source = read(sources, parts.group(1));
      }
      String constant = parts.group(2);
      boolean there =
          constant.isEmpty()
              ? !source.isEmpty()
              : Pattern.compile("static final [\\w.]+ " + constant + "\\b").matcher(source).find();
      if (!there) {
        wrong.add("no constant " + name);
      }
    }
    return codes(cell).isEmpty() ? List.of("no constant in " + cell) : wrong;
  }

  private static List<String> tests(String row, String cell, List<Path> sources)
      throws IOException {
    List<String> wrong = new ArrayList<>();
    for (String name : codes(cell)) {
      if (!TEST.matcher(name).matches() || read(sources, name).isEmpty()) {
        wrong.add("no test " + name);
      }
    }
    return codes(cell).isEmpty() ? List.of("no test in " + row) : wrong;
  }

  private static String read(List<Path> sources, String name) throws IOException {
    for (Path source : sources) {
      if (Objects.requireNonNull(source.getFileName()).toString().equals(name + ".java")) {
        return Files.readString(source);
      }
    }
    return "";
  }

  private static List<String> codes(String cell) {
    return CODE.matcher(cell).results().map(code -> code.group(1)).toList();
  }

  private static List<String> cells(String row) {
    return Arrays.stream(row.split("\\|", -1)).skip(1).map(String::strip).toList();
  }

  /** The tables that have a column for constants: their lines. */
  private static List<List<String>> tables() throws IOException {
    List<List<String>> tables = new ArrayList<>();
    List<String> table = new ArrayList<>();
    List<String> lines = new ArrayList<>(Files.readAllLines(Path.of("../docs/security.md")));
    lines.add("");
    for (String line : lines) {
      if (line.startsWith("|")) {
        table.add(line);
      } else {
        if (!table.isEmpty() && cells(table.getFirst()).contains("constant")) {
          tables.add(List.copyOf(table));
        }
        table.clear();
      }
    }
    assertThat(tables).hasSize(2);
    return tables;
  }
}
