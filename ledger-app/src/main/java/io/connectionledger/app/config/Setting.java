package io.connectionledger.app.config;

import io.connectionledger.model.policy.DurationText;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.yaml.snakeyaml.nodes.MappingNode;
import org.yaml.snakeyaml.nodes.Node;
import org.yaml.snakeyaml.nodes.NodeTuple;
import org.yaml.snakeyaml.nodes.ScalarNode;
import org.yaml.snakeyaml.nodes.SequenceNode;
import org.yaml.snakeyaml.nodes.Tag;

/**
 * One value as it was written, and where. Every reader refuses with a line for the operator.
 *
 * @param key the whole path
 * @param origin a file or a variable
 */
record Setting(String key, Node node, Origin origin) {

  static final Pattern INTEGER = Pattern.compile("[+-]?\\d{1,18}");
  static final Pattern DECIMAL = Pattern.compile("[+-]?\\d+(\\.\\d+)?([eE][+-]?\\d+)?");
  private static final Pattern BOOLEAN = Pattern.compile("true|false");
  private static final int SHOWN_LENGTH = 60;

  /**
   * Where settings are written.
   *
   * @param lines whether a line in it helps to find them
   */
  record Origin(String name, boolean lines) {
    String at(Node node) {
      return lines ? name + " line " + (node.getStartMark().getLine() + 1) : name;
    }
  }

  /** A key without a value is a key left out. */
  boolean isEmpty() {
    return node instanceof ScalarNode && node.getTag().equals(Tag.NULL);
  }

  boolean isScalar() {
    return node instanceof ScalarNode;
  }

  boolean isList() {
    return node instanceof SequenceNode;
  }

  String text() {
    if (node instanceof ScalarNode scalar) {
      return scalar.getValue();
    }
    throw refuse("a single value");
  }

  String matching(Pattern pattern, String allowed) {
    if (!pattern.matcher(text()).matches()) {
      throw refuse(allowed);
    }
    return text();
  }

  int integer(int min, int max) {
    return (int) number(min, max);
  }

  long number(long min, long max) {
    if (INTEGER.matcher(text()).matches()) {
      long value = Long.parseLong(text());
      if (value >= min && value <= max) {
        return value;
      }
    }
    throw refuse(min + " to " + max);
  }

  boolean bool() {
    return matching(BOOLEAN, "true or false").equals("true");
  }

  Duration duration(Duration min, Duration max, String allowed) {
    try {
      Duration value = DurationText.parse(text());
      if (value.compareTo(min) >= 0 && value.compareTo(max) <= 0) {
        return value;
      }
    } catch (IllegalArgumentException malformed) {
      throw refuse(allowed, malformed);
    }
    throw refuse(allowed);
  }

  <E extends Enum<E>> E oneOf(Class<E> type) {
    E[] values = type.getEnumConstants();
    return Arrays.stream(values)
        .filter(value -> label(value).equals(text()))
        .findFirst()
        .orElseThrow(
            () ->
                refuse(
                    Arrays.stream(values).map(Setting::label).collect(Collectors.joining(" or "))));
  }

  private static String label(Enum<?> value) {
    return value.name().toLowerCase(Locale.ROOT).replace('_', '-');
  }

  List<Setting> list() {
    if (isEmpty()) {
      return List.of();
    }
    refuseRecursion();
    if (node instanceof SequenceNode sequence) {
      List<Setting> elements = new ArrayList<>();
      for (Node element : sequence.getValue()) {
        elements.add(new Setting(key + "[" + elements.size() + "]", element, origin));
      }
      return elements;
    }
    throw refuse("a list");
  }

  /** YAML lets a value hold an alias of itself. */
  private void refuseRecursion() {
    if (node.isTwoStepsConstruction()) {
      throw new ConfigException(
          shownKey() + " holds itself (" + where() + "): allowed is a value without such an alias");
    }
  }

  /** The entries by their own name, none of them empty. */
  Map<String, Setting> map() {
    if (isEmpty()) {
      return Map.of();
    }
    refuseRecursion();
    if (!(node instanceof MappingNode mapping)) {
      throw refuse("a mapping of keys to values");
    }
    Map<String, Setting> entries = new LinkedHashMap<>();
    for (NodeTuple tuple : mapping.getValue()) {
      String name = new Setting("a key of " + shownKey(), tuple.getKeyNode(), origin).text();
      Setting entry =
          new Setting(key.isEmpty() ? name : key + "." + name, tuple.getValueNode(), origin);
      if (entries.put(name, entry) != null) {
        throw new ConfigException(
            entry.key + " is set twice (" + origin.at(tuple.getKeyNode()) + "): allowed is once");
      }
    }
    return entries;
  }

  /** {@link #map} when no other name than {@code known} may occur. */
  Map<String, Setting> map(List<String> known) {
    Map<String, Setting> entries = map();
    entries.forEach(
        (name, entry) -> {
          if (!known.contains(name)) {
            throw entry.unknown(key, known);
          }
        });
    return entries;
  }

  /**
   * There is no such key.
   *
   * @param within the key above it; empty at the top
   */
  ConfigException unknown(String within, List<String> known) {
    return new ConfigException(
        "unknown key "
            + shorten(key)
            + " ("
            + where()
            + "): "
            + (within.isEmpty() ? "allowed are " : "allowed in " + within + " are ")
            + String.join(", ", known));
  }

  String where() {
    return origin.at(node);
  }

  ConfigException refuse(String allowed) {
    return new ConfigException(refusal(allowed));
  }

  private ConfigException refuse(String allowed, Throwable cause) {
    return new ConfigException(refusal(allowed), cause);
  }

  private String refusal(String allowed) {
    String shown =
        node instanceof ScalarNode scalar
            ? "'" + shorten(scalar.getValue()) + "'"
            : node instanceof MappingNode ? "a mapping" : "a list";
    return shownKey() + " is " + shown + " (" + where() + "): allowed is " + allowed;
  }

  private String shownKey() {
    return key.isEmpty() ? "the configuration" : key;
  }

  private static String shorten(String text) {
    String line = text.replaceAll("[\\p{Cntrl}]+", " ");
    return line.length() > SHOWN_LENGTH ? line.substring(0, SHOWN_LENGTH) + "…" : line;
  }
}
