package io.connectionledger.app.policy;

import com.fasterxml.jackson.core.JacksonException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.databind.node.TextNode;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import io.connectionledger.app.cli.FailedException;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.regex.Pattern;

/**
 * A change of a policy as it is typed or written, and what it changed. Keys may have the form of
 * the configuration or of the HTTP API; the ledger judges their values. Pure.
 */
final class PolicyPatch {

  private static final JsonMapper JSON =
      JsonMapper.builder().enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS).build();
  private static final Pattern DASH = Pattern.compile("-([a-z])");

  /** What an answer has beside a policy's keys. */
  private static final Set<String> BESIDE = Set.of("pool", "asOf", "source", "draining");

  private PolicyPatch() {}

  /**
   * Reads what is typed: {@code per-pod-max-connections=5}, {@code affinity.header=x-user}. A value
   * is JSON where it can be read so, else text.
   */
  static ObjectNode ofAssignments(List<String> assignments) throws FailedException {
    ObjectNode patch = JSON.createObjectNode();
    for (String assignment : assignments) {
      int equals = assignment.indexOf('=');
      if (equals < 1) {
        throw FailedException.wrongUsage("'" + assignment + "': allowed is KEY=VALUE");
      }
      List<String> path = List.of(assignment.substring(0, equals).split("\\.", -1));
      ObjectNode in = patch;
      for (String key : path.subList(0, path.size() - 1)) {
        in =
            in.get(camelCase(key)) instanceof ObjectNode known
                ? known
                : in.putObject(camelCase(key));
      }
      in.set(camelCase(path.getLast()), value(assignment.substring(equals + 1)));
    }
    return patch;
  }

  private static JsonNode value(String written) {
    try {
      JsonNode value = JSON.readTree(written);
      return value.isMissingNode() ? TextNode.valueOf(written) : value;
    } catch (JacksonException text) {
      return TextNode.valueOf(written);
    }
  }

  /**
   * Reads the keys of a pool in YAML, which JSON is, too.
   *
   * @param source for errors
   */
  static ObjectNode ofYaml(String yaml, String source) throws FailedException {
    try {
      if (named(new YAMLMapper().readTree(yaml)) instanceof ObjectNode keys) {
        return keys;
      }
    } catch (JacksonException invalid) {
      throw FailedException.wrongUsage(source + " is no YAML: " + invalid.getOriginalMessage())
          .by(invalid);
    }
    throw FailedException.wrongUsage(source + ": allowed are the keys of a pool and their values");
  }

  private static JsonNode named(JsonNode written) {
    if (written instanceof ObjectNode object) {
      ObjectNode named = object.objectNode();
      object
          .properties()
          .forEach(entry -> named.set(camelCase(entry.getKey()), named(entry.getValue())));
      return named;
    }
    if (written instanceof ArrayNode array) {
      ArrayNode named = array.arrayNode();
      array.forEach(element -> named.add(named(element)));
      return named;
    }
    return written;
  }

  private static String camelCase(String key) {
    return DASH.matcher(key).replaceAll(found -> found.group(1).toUpperCase(Locale.ROOT));
  }

  /**
   * A key and its value.
   *
   * @param value as it would be typed
   */
  record Entry(String key, String value) {}

  /** The keys of a policy. */
  static List<Entry> entries(JsonNode policy) {
    List<Entry> entries = new ArrayList<>();
    policy
        .properties()
        .forEach(
            entry -> {
              if (!BESIDE.contains(entry.getKey())) {
                entries.add(new Entry(entry.getKey(), typed(entry.getValue())));
              }
            });
    return entries;
  }

  /**
   * A key whose value is not the same any more.
   *
   * @param before {@code -} when it had none
   * @param now likewise
   */
  record Difference(String key, String before, String now) {}

  static List<Difference> differences(JsonNode before, JsonNode now) {
    Set<String> keys = new LinkedHashSet<>();
    entries(before).forEach(entry -> keys.add(entry.key()));
    entries(now).forEach(entry -> keys.add(entry.key()));
    return keys.stream()
        .map(key -> new Difference(key, typed(before.path(key)), typed(now.path(key))))
        .filter(difference -> !difference.before().equals(difference.now()))
        .toList();
  }

  private static String typed(JsonNode value) {
    if (value.isMissingNode()) {
      return "-";
    }
    return value.isTextual() ? value.asText() : value.toString();
  }
}
