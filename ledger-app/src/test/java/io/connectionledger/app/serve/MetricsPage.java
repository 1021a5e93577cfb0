package io.connectionledger.app.serve;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Judges a page of metrics by the rules that {@code promtool check metrics} has; {@code
 * bench/operators-day} asks promtool itself.
 */
public final class MetricsPage {

  private static final Pattern HELP = Pattern.compile("# HELP (\\S+) *(.*)");
  private static final Pattern TYPE = Pattern.compile("# TYPE (\\S+) (\\S+)");
  private static final Pattern SAMPLE = Pattern.compile("([a-zA-Z_:][\\w:]*)(?:\\{(.*)})? \\S+");
  private static final Pattern LABEL = Pattern.compile("(\\w+)=\"(?:[^\"\\\\]|\\\\.)*\"(?:,|$)");
  private static final Pattern HUMP = Pattern.compile("[a-z][A-Z]");
  private static final Pattern PARTS = Pattern.compile("_(?:bucket|sum|count)$");
  private static final Set<String> PARTED = Set.of("histogram", "summary");
  private static final Set<String> NO_BASE_UNITS =
      Set.of(
          "s",
          "ms",
          "us",
          "ns",
          "sec",
          "b",
          "kb",
          "mb",
          "gb",
          "tb",
          "pb",
          "m",
          "h",
          "d",
          "minutes",
          "hours",
          "days",
          "weeks",
          "milliseconds",
          "microseconds",
          "nanoseconds",
          "bits",
          "kilobytes",
          "megabytes",
          "kibibytes",
          "mebibytes");

  private final Map<String, String> types = new HashMap<>();
  private final Map<String, String> help = new HashMap<>();
  private final List<String> problems = new ArrayList<>();

  private MetricsPage() {}

  /** What is wrong with a page, a line each; empty when nothing is. */
  public static List<String> problems(String text) {
    MetricsPage page = new MetricsPage();
    text.lines().forEach(page::read);
    page.types.keySet().stream().sorted().forEach(page::judge);
    return page.problems.stream().distinct().toList();
  }

  private void read(String line) {
    Matcher helped = HELP.matcher(line);
    Matcher typed = TYPE.matcher(line);
    Matcher sample = SAMPLE.matcher(line);
    if (helped.matches()) {
      help.put(helped.group(1), helped.group(2));
    } else if (typed.matches()) {
      if (types.put(typed.group(1), typed.group(2)) != null) {
        problems.add(typed.group(1) + ": there twice");
      }
    } else if (sample.matches()) {
      judge(sample.group(1), sample.group(2));
    } else {
      problems.add("no line of a page: " + line);
    }
  }

  private void judge(String sample, @Nullable String labels) {
    String whole = PARTS.matcher(sample).replaceFirst("");
    if (!types.containsKey(sample) && !PARTED.contains(types.getOrDefault(whole, ""))) {
      problems.add(sample + ": no type before it");
    }
    if (labels != null) {
      Matcher label = LABEL.matcher(labels);
      int end = 0;
      while (label.find() && label.start() == end) {
        end = label.end();
        if (HUMP.matcher(label.group(1)).find()) {
          problems.add(sample + ": label " + label.group(1) + " has humps");
        }
      }
      if (end != labels.length()) {
        problems.add(sample + ": no labels: " + labels);
      }
    }
  }

  private void judge(String family) {
    String type = types.getOrDefault(family, "");
    if (help.getOrDefault(family, "").isBlank()) {
      problems.add(family + ": no help");
    }
    if (type.equals("counter") != family.endsWith("_total")) {
      problems.add(family + ": is a " + type);
    }
    if (!PARTED.contains(type) && PARTS.matcher(family).find()) {
      problems.add(family + ": ends like a part of a histogram");
    }
    if (HUMP.matcher(family).find()) {
      problems.add(family + ": has humps");
    }
    for (String word : family.split("_", -1)) {
      if (NO_BASE_UNITS.contains(word)) {
        problems.add(family + ": " + word + " is no base unit");
      }
      if (Stream.of("counter", "gauge", "summary", "histogram").anyMatch(word::equals)) {
        problems.add(family + ": has its type in the name");
      }
    }
  }
}
