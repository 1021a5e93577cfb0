package io.connectionledger.bench.load;

import io.connectionledger.bench.load.Soak.Minute;
import java.util.Formatter;
import java.util.List;
import java.util.Locale;
import java.util.function.ToDoubleFunction;

/** Draws what was held, minute by minute: one small plot each, from zero. */
final class SoakPicture {

  private static final int WIDTH = 200;
  private static final int HEIGHT = 110;
  private static final int GAP = 44;
  private static final int COLUMNS = 4;

  private record Plot(String title, ToDoubleFunction<Minute> value) {}

  private static final List<Plot> PLOTS =
      List.of(
          new Plot("heap after collection, MB", minute -> minute.use().heapMb()),
          new Plot("resident memory, MB", minute -> minute.use().rssMb()),
          new Plot("threads", minute -> minute.use().threads()),
          new Plot("file handles", minute -> minute.use().handles()),
          new Plot("state stores on disk, MB", minute -> minute.use().storesMb()),
          new Plot("topics on disk, MB", minute -> minute.use().topicsMb()),
          new Plot("a check's median, µs", Minute::p50),
          new Plot("its 99th percentile, µs", Minute::p99));

  private SoakPicture() {}

  /** An SVG, with {@code note} below. */
  static String of(List<Minute> minutes, String note) {
    int rows = Math.ceilDiv(PLOTS.size(), COLUMNS);
    Formatter svg = new Formatter(Locale.ROOT);
    svg.format(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\""
            + " font-family=\"sans-serif\" font-size=\"12\">%n"
            + "<rect width=\"100%%\" height=\"100%%\" fill=\"white\"/>%n",
        COLUMNS * (WIDTH + GAP) + GAP, rows * (HEIGHT + GAP) + 2 * GAP);
    for (int i = 0; i < PLOTS.size(); i++) {
      draw(
          svg,
          PLOTS.get(i),
          minutes,
          GAP + i % COLUMNS * (WIDTH + GAP),
          GAP + i / COLUMNS * (HEIGHT + GAP));
    }
    svg.format(
        "<text x=\"%d\" y=\"%d\" fill=\"#666\">%d minutes; %s</text>%n</svg>%n",
        GAP, rows * (HEIGHT + GAP) + GAP, minutes.size(), note);
    return svg.toString();
  }

  private static void draw(Formatter svg, Plot plot, List<Minute> minutes, int left, int top) {
    double most = Math.max(1, minutes.stream().mapToDouble(plot.value).max().orElse(1));
    svg.format(
        "<text x=\"%d\" y=\"%d\">%s: %.0f at first, %.0f at last</text>%n"
            + "<path d=\"M%d %dV%dH%d\" fill=\"none\" stroke=\"#999\"/>%n"
            + "<polyline fill=\"none\" stroke=\"#06c\" stroke-width=\"1.5\" points=\"",
        left,
        top - 6,
        plot.title,
        plot.value.applyAsDouble(minutes.getFirst()),
        plot.value.applyAsDouble(minutes.getLast()),
        left,
        top,
        top + HEIGHT,
        left + WIDTH);
    for (int i = 0; i < minutes.size(); i++) {
      svg.format(
          "%.1f,%.1f ",
          left + (double) WIDTH * i / Math.max(1, minutes.size() - 1),
          top + HEIGHT * (1 - plot.value.applyAsDouble(minutes.get(i)) / most));
    }
    svg.format("\"/>%n");
  }
}
