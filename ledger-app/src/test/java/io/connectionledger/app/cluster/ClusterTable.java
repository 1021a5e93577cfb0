package io.connectionledger.app.cluster;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** What a cluster showed, in Markdown. Written anew with each row, so that a broken run has one. */
final class ClusterTable {

  private final List<Row> rows = new ArrayList<>();
  private final Path file;

  ClusterTable(Path file) {
    this.file = file;
  }

  /**
   * One experiment.
   *
   * @param seen what proves that it happened as it should
   */
  record Row(String what, String showed, String wanted, List<String> seen) {}

  void add(Row row) throws IOException {
    rows.add(row);
    Files.createDirectories(file.toAbsolutePath().getParent());
    Files.writeString(file, markdown());
    System.out.println("| %s | %s | %s |".formatted(row.what(), row.showed(), row.wanted()));
    row.seen().forEach(line -> System.out.println("  " + line));
  }

  String markdown() {
    StringBuilder text = new StringBuilder("| what | showed | wanted |\n|---|---|---|\n");
    rows.forEach(
        row -> text.append("| %s | %s | %s |%n".formatted(row.what(), row.showed(), row.wanted())));
    text.append("\nThat it really happened:\n\n");
    rows.forEach(
        row -> text.append("- %s: %s%n".formatted(row.what(), String.join("; ", row.seen()))));
    return text.toString();
  }
}
