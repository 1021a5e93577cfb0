package io.connectionledger.app.faults;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.OptionalDouble;

/** The table of all faults, in Markdown. */
final class Report {

  private final List<FaultRow> rows = new ArrayList<>();

  /**
   * What one fault did.
   *
   * @param connections open when it came
   * @param seconds until exact; empty when that never happened
   * @param freed the most connections at once that the ledger had forgotten
   * @param held the most connections at once that it had not let go
   * @param peak the most that a pod ever had, by its own count
   * @param target in seconds; empty when it is to be exact as soon as it is ready
   * @param seen what proves that the fault happened
   */
  record FaultRow(
      String fault,
      int connections,
      OptionalDouble seconds,
      int freed,
      int held,
      int peak,
      int limit,
      OptionalDouble target,
      List<String> seen) {

    private String markdown() {
      return String.format(
          Locale.ROOT,
          "| %s | %,d | %s | %d | %d | %d of %d | %s |",
          fault,
          connections,
          number(seconds, "%.1f", "never"),
          freed,
          held,
          peak,
          limit,
          number(target, "%.0f s", "when ready"));
    }

    private static String number(OptionalDouble value, String format, String none) {
      return value.isPresent() ? String.format(Locale.ROOT, format, value.getAsDouble()) : none;
    }
  }

  void add(FaultRow row) {
    rows.add(row);
    row.seen().forEach(line -> System.out.println("  " + line));
    System.out.println(row.markdown());
  }

  FaultRow row(String fault) {
    return rows.stream().filter(row -> row.fault().equals(fault)).findFirst().orElseThrow();
  }

  String markdown() {
    StringBuilder text = new StringBuilder();
    text.append(
        "| fault | connections | seconds until exact | wrongly freed | wrongly held "
            + "| peak of a pod | target |\n|---|---:|---:|---:|---:|---:|---:|\n");
    rows.forEach(row -> text.append(row.markdown()).append('\n'));
    text.append("\nThat each fault really happened:\n\n");
    rows.forEach(
        row ->
            text.append("- ")
                .append(row.fault())
                .append(": ")
                .append(String.join("; ", row.seen()))
                .append('\n'));
    return text.toString();
  }

  void write(Path file) throws IOException {
    Files.createDirectories(file.toAbsolutePath().getParent());
    Files.writeString(file, markdown());
    System.out.println(markdown());
  }
}
