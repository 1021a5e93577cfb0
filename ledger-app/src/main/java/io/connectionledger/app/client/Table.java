package io.connectionledger.app.client;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;

/**
 * A table for people: a heading and rows, columns as wide as what is in them, numbers to the right.
 * Not thread-safe.
 */
public final class Table {

  private static final String GAP = "  ";

  /** Less than that of a name tells nothing. */
  private static final int NARROWEST = 12;

  private static final String ELLIPSIS = "..";

  private final List<Boolean> toTheRight = new ArrayList<>();
  private final List<List<String>> rows = new ArrayList<>(List.of(new ArrayList<>()));

  /** Adds a column of text. */
  public Table text(String heading) {
    return column(heading, false);
  }

  /** Adds a column of numbers. */
  public Table number(String heading) {
    return column(heading, true);
  }

  private Table column(String heading, boolean right) {
    rows.getFirst().add(heading);
    toTheRight.add(right);
    return this;
  }

  /**
   * Adds a row.
   *
   * @param cells one for each column; control characters, which could move a cursor, are not kept
   */
  public Table row(Object... cells) {
    List<String> row = new ArrayList<>();
    for (Object cell : cells) {
      row.add(String.valueOf(cell).replaceAll("\\p{Cntrl}", "?"));
    }
    if (row.size() != toTheRight.size()) {
      throw new IllegalArgumentException("a row has " + row.size() + " cells");
    }
    rows.add(row);
    return this;
  }

  /** Whether it has no rows but the heading. */
  public boolean isEmpty() {
    return rows.size() == 1;
  }

  /**
   * The lines, without blanks at their ends.
   *
   * @param indent before each line
   * @param width of the longest line where that can be had: the middle of long texts is left out,
   *     since names often differ at their ends
   */
  public List<String> lines(String indent, int width) {
    int[] widths =
        IntStream.range(0, toTheRight.size())
            .map(i -> rows.stream().mapToInt(row -> row.get(i).length()).max().orElse(0))
            .toArray();
    int available = width - indent.length() - GAP.length() * (widths.length - 1);
    narrow(widths, available);
    return rows.stream().map(row -> (indent + line(row, widths)).stripTrailing()).toList();
  }

  private void narrow(int[] widths, int available) {
    for (int excess = IntStream.of(widths).sum() - available; excess > 0; excess--) {
      int widest = -1;
      for (int i = 0; i < widths.length; i++) {
        if (!toTheRight.get(i)
            && widths[i] > NARROWEST
            && (widest < 0 || widths[i] > widths[widest])) {
          widest = i;
        }
      }
      if (widest < 0) {
        return;
      }
      widths[widest]--;
    }
  }

  private String line(List<String> row, int[] widths) {
    StringBuilder line = new StringBuilder();
    for (int i = 0; i < widths.length; i++) {
      String cell = shortened(row.get(i), widths[i]);
      String blanks = " ".repeat(widths[i] - cell.length());
      line.append(i == 0 ? "" : GAP).append(toTheRight.get(i) ? blanks + cell : cell + blanks);
    }
    return line.toString();
  }

  private static String shortened(String text, int width) {
    if (text.length() <= width) {
      return text;
    }
    int kept = width - ELLIPSIS.length();
    int end = kept / 2;
    return text.substring(0, kept - end) + ELLIPSIS + text.substring(text.length() - end);
  }
}
