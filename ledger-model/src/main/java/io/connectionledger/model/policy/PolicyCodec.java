package io.connectionledger.model.policy;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.exc.InputCoercionException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonMappingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.MapperFeature;
import com.fasterxml.jackson.databind.ObjectReader;
import com.fasterxml.jackson.databind.exc.InvalidFormatException;
import com.fasterxml.jackson.databind.exc.MismatchedInputException;
import com.fasterxml.jackson.databind.exc.PropertyBindingException;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.DoubleNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.connectionledger.model.PodAddress;
import io.connectionledger.model.Topics;
import io.connectionledger.model.UnreadableRecordException;
import java.io.IOException;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * The JSON form of a policy: the keys of the configuration in camelCase, and null for no rate
 * limit. Thread-safe.
 */
public final class PolicyCodec {

  private static final String POOL = "pool";
  private static final String PODS = "pods";
  private static final String PACES = "paces";
  private static final String RATE = "connectionsPerSecond";
  private static final Pattern DASH = Pattern.compile("-([a-z])");

  private static final JsonMapper MAPPER =
      JsonMapper.builder()
          .disable(MapperFeature.ALLOW_COERCION_OF_SCALARS)
          .disable(DeserializationFeature.ACCEPT_FLOAT_AS_INT)
          .disable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
          .build();

  /** Of a topic, where a later version may have added fields. */
  private static final ObjectReader LENIENT = MAPPER.readerFor(PoolPolicy.class);

  private static final ObjectReader STRICT =
      LENIENT.with(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES);

  private PolicyCodec() {}

  /** The keys of {@code policy} and their values, without the pool's name. */
  public static ObjectNode tree(PoolPolicy policy) {
    ObjectNode tree = MAPPER.valueToTree(policy);
    tree.remove(POOL);
    if (policy.connectionsPerSecond() == PoolPolicy.UNLIMITED_RATE) {
      tree.putNull(RATE);
    }
    return tree;
  }

  /**
   * Changes a policy as {@code json} says: the keys that it has, and no others.
   *
   * @param ignored keys that it may have although they are none of a policy's
   * @throws InvalidPolicyException when anything in it is wrong
   */
  public static PoolPolicy changed(PoolPolicy current, byte[] json, Set<String> ignored) {
    ObjectNode before = tree(current);
    ObjectNode merged = before.deepCopy();
    object(json)
        .properties()
        .forEach(
            entry -> {
              String key = entry.getKey();
              if (merged.has(key)) {
                merged.set(key, entry.getValue());
              } else if (!ignored.contains(key)) {
                throw new InvalidPolicyException(
                    key, entry.getValue(), "one of " + String.join(", ", names(merged)));
              }
            });
    for (Map.Entry<String, JsonNode> entry : merged.properties()) {
      String key = entry.getKey();
      if (entry.getValue().isNull() && !key.equals(RATE) && !before.path(key).isNull()) {
        throw new InvalidPolicyException(key, "null", "a value");
      }
    }
    JsonNode rate = merged.path(RATE);
    if (!rate.isNull() && !(rate.isNumber() && Double.isFinite(rate.asDouble()))) {
      throw new InvalidPolicyException(RATE, rate, "a number, or null for no limit");
    }
    refuseSecondSpellings(merged.path(PODS));
    try {
      return policy(current.pool(), merged, STRICT);
    } catch (JsonMappingException invalid) {
      throw refusal(merged, invalid);
    } catch (IOException impossible) {
      throw new IllegalStateException("a tree reads without I/O", impossible);
    }
  }

  /** The policy itself knows only the canonical form, which may be what nobody has written. */
  private static void refuseSecondSpellings(JsonNode pods) {
    Map<PodAddress, String> spellings = new HashMap<>();
    for (int i = 0; i < pods.size(); i++) {
      String written = pods.path(i).path("address").asText();
      String before =
          PodAddress.find(written).map(pod -> spellings.putIfAbsent(pod, written)).orElse(null);
      if (before != null && !before.equals(written)) {
        throw new InvalidPolicyException(
            PODS + "[" + i + "].address",
            written,
            "an address that no other pod has; another has it as '" + before + "'");
      }
    }
  }

  private static List<String> names(ObjectNode tree) {
    return tree.properties().stream().map(Map.Entry::getKey).toList();
  }

  private static ObjectNode object(byte[] json) {
    try {
      if (MAPPER.readTree(json) instanceof ObjectNode object) {
        return object;
      }
      throw new InvalidPolicyException("the body", "no object", "a JSON object");
    } catch (IOException invalid) {
      InvalidPolicyException refusal =
          new InvalidPolicyException("the body", "no JSON", "a JSON object");
      refusal.initCause(invalid);
      throw refusal;
    }
  }

  private static PoolPolicy policy(String pool, ObjectNode tree, ObjectReader reader)
      throws IOException {
    ObjectNode complete = tree.deepCopy();
    complete.put(POOL, pool);
    if (complete.path(RATE).isNull()) {
      complete.set(RATE, DoubleNode.valueOf(PoolPolicy.UNLIMITED_RATE));
    }
    return reader.readValue(complete);
  }

  private static InvalidPolicyException refusal(ObjectNode tree, JsonMappingException invalid) {
    if (invalid.getCause() instanceof InvalidPolicyException cause) {
      return cause.named(camelCase(cause.key()));
    }
    StringBuilder key = new StringBuilder();
    JsonNode value = tree;
    for (JsonMappingException.Reference step : invalid.getPath()) {
      if (step.getFieldName() == null) {
        key.append('[').append(step.getIndex()).append(']');
        value = value.path(step.getIndex());
      } else {
        key.append(key.isEmpty() ? "" : ".").append(step.getFieldName());
        value = value.path(step.getFieldName());
      }
    }
    InvalidPolicyException refusal =
        new InvalidPolicyException(
            key.isEmpty() ? "the body" : key.toString(), value, allowed(invalid));
    refusal.initCause(invalid);
    return refusal;
  }

  private static String allowed(JsonMappingException invalid) {
    if (invalid instanceof PropertyBindingException unknown
        && unknown.getKnownPropertyIds() != null) {
      return "one of "
          + unknown.getKnownPropertyIds().stream()
              .map(Object::toString)
              .collect(Collectors.joining(", "));
    }
    if (invalid.getCause() instanceof InputCoercionException) {
      return "a whole number";
    }
    if (invalid.getCause() instanceof IllegalArgumentException cause) {
      return String.valueOf(cause.getMessage());
    }
    if (invalid instanceof InvalidFormatException format) {
      Class<?> type = format.getTargetType();
      if (type.isEnum()) {
        return Arrays.stream(type.getEnumConstants())
            .map(constant -> MAPPER.convertValue(constant, String.class))
            .collect(Collectors.joining(" or "));
      }
    }
    return invalid instanceof MismatchedInputException mismatch
        ? described(mismatch.getTargetType())
        : "what the configuration allows";
  }

  private static String described(@Nullable Class<?> type) {
    if (type == int.class || type == long.class) {
      return "a whole number";
    }
    if (type == double.class || type == Double.class) {
      return "a number";
    }
    if (type != null && Iterable.class.isAssignableFrom(type)) {
      return "a list";
    }
    return type == String.class ? "text" : "what the configuration allows";
  }

  private static String camelCase(String key) {
    return DASH.matcher(key).replaceAll(found -> found.group(1).toUpperCase(Locale.ROOT));
  }

  /** A value of {@link Topics#POLICIES}. */
  public static byte[] encode(PolicyRecord record) {
    ObjectNode tree = MAPPER.createObjectNode();
    tree.put(POOL, record.pool());
    tree.set("policy", tree(record.policy()));
    tree.set("base", tree(record.base()));
    ArrayNode draining = tree.putArray("draining");
    record.draining().stream().sorted().forEach(pod -> draining.add(pod.toString()));
    if (!record.paces().isEmpty()) {
      tree.set(PACES, MAPPER.valueToTree(new TreeMap<>(record.paces())));
    }
    tree.put("atMs", record.atMs());
    try {
      return MAPPER.writeValueAsBytes(tree);
    } catch (JsonProcessingException impossible) {
      throw new IllegalStateException("trees of plain values always encode", impossible);
    }
  }

  private static Map<PodAddress, DrainPace> paces(JsonNode tree) throws JsonProcessingException {
    Map<PodAddress, DrainPace> paces = new HashMap<>();
    for (Map.Entry<String, JsonNode> entry : tree.properties()) {
      if (entry.getValue() instanceof ObjectNode pace) {
        paces.put(PodAddress.parse(entry.getKey()), MAPPER.treeToValue(pace, DrainPace.class));
      }
    }
    return paces;
  }

  /**
   * Reads a value of {@link Topics#POLICIES}.
   *
   * @throws UnreadableRecordException when {@code json} is none
   */
  public static PolicyRecord decode(byte[] json) throws UnreadableRecordException {
    try {
      JsonNode tree = MAPPER.readTree(json);
      if (!(tree.path("policy") instanceof ObjectNode policy
          && tree.path("base") instanceof ObjectNode base
          && tree.path("atMs").isIntegralNumber())) {
        throw new UnreadableRecordException("a required field is missing");
      }
      String pool = tree.path(POOL).asText();
      Set<PodAddress> draining = new HashSet<>();
      for (JsonNode pod : tree.path("draining")) {
        draining.add(PodAddress.parse(pod.asText()));
      }
      return new PolicyRecord(
          policy(pool, policy, LENIENT),
          policy(pool, base, LENIENT),
          draining,
          paces(tree.path(PACES)),
          tree.path("atMs").asLong());
    } catch (JsonProcessingException invalid) {
      throw new UnreadableRecordException(invalid.getOriginalMessage(), invalid);
    } catch (IllegalArgumentException invalid) {
      throw new UnreadableRecordException(String.valueOf(invalid.getMessage()), invalid);
    } catch (IOException impossible) {
      throw new IllegalStateException("a byte array reads without I/O", impossible);
    }
  }
}
