package io.connectionledger.model.policy;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.exc.InputCoercionException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonMappingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.MapperFeature;
import com.fasterxml.jackson.databind.ObjectReader;
import com.fasterxml.jackson.databind.PropertyNamingStrategies;
import com.fasterxml.jackson.databind.exc.InvalidFormatException;
import com.fasterxml.jackson.databind.exc.MismatchedInputException;
import com.fasterxml.jackson.databind.exc.PropertyBindingException;
import com.fasterxml.jackson.databind.exc.ValueInstantiationException;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.connectionledger.model.JsonBounds;
import io.connectionledger.model.PodAddress;
import io.connectionledger.model.Topics;
import io.connectionledger.model.UnreadableRecordException;
import java.io.IOException;
import java.lang.reflect.RecordComponent;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.function.UnaryOperator;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Policies as they are written: in JSON for the policy API and {@link Topics#POLICIES}, where null
 * is no rate limit, and in the configuration, with the same keys in kebab-case. Thread-safe.
 */
public final class PolicyCodec {

  private static final String POOL = "pool";
  private static final String PODS = "pods";
  private static final String KUBERNETES = "kubernetes";
  private static final String PACES = "paces";
  private static final String RATE = "connectionsPerSecond";
  private static final Pattern CAPITAL = Pattern.compile("[A-Z]");

  private static final JsonMapper MAPPER =
      JsonMapper.builder(JsonBounds.factory())
          .disable(MapperFeature.ALLOW_COERCION_OF_SCALARS)
          .disable(DeserializationFeature.ACCEPT_FLOAT_AS_INT)
          .enable(DeserializationFeature.FAIL_ON_NUMBERS_FOR_ENUMS)
          .disable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
          .build();

  /** Of a topic, where a later version may have added fields. */
  private static final ObjectReader LENIENT = MAPPER.readerFor(PoolPolicy.class);

  private static final Form API =
      new Form(
          LENIENT.with(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES),
          UnaryOperator.identity(),
          PolicyCodec::allowed);
  private static final Form CONFIGURATION =
      new Form(
          MAPPER
              .rebuild()
              .propertyNamingStrategy(PropertyNamingStrategies.KEBAB_CASE)
              .build()
              .readerFor(PoolPolicy.class)
              .with(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES),
          PolicyCodec::kebabCase,
          PolicyCodec::allowedInConfiguration);

  /** How the names of the components are spelt as keys, and what is said of a malformed value. */
  private record Form(
      ObjectReader reader,
      UnaryOperator<String> spelling,
      Function<JsonMappingException, String> allowed) {

    List<String> keys() {
      return keys(PoolPolicy.class).filter(key -> !key.equals(POOL)).toList();
    }

    /** The keys of a record, in its order. */
    Stream<String> keys(Class<?> type) {
      return Arrays.stream(type.getRecordComponents()).map(RecordComponent::getName).map(spelling);
    }
  }

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

  /** The keys that a pool may have in the configuration. */
  public static List<String> configurationKeys() {
    return CONFIGURATION.keys();
  }

  /**
   * Makes the policy that a configuration has for a pool.
   *
   * @param written what stands below the pool's name, without keys that have no value
   * @throws InvalidPolicyException when anything in it is wrong
   */
  public static PoolPolicy configured(String pool, ObjectNode written) {
    return policy(pool, written, CONFIGURATION);
  }

  /**
   * Makes the policy of a pool that is written with the keys of the policy API.
   *
   * @param written the keys and their values, without the pool's name
   * @throws InvalidPolicyException when anything in it is wrong
   */
  public static PoolPolicy written(String pool, ObjectNode written) {
    return policy(pool, written, API);
  }

  /** What a key of the configuration may be; empty when that is not a matter of its range. */
  public static Optional<String> rangeInConfiguration(String key) {
    return Arrays.stream(PoolPolicy.class.getRecordComponents())
        .map(RecordComponent::getName)
        .filter(name -> kebabCase(name).equals(key))
        .findFirst()
        .map(PoolPolicy::allowed);
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
              if (before.has(entry.getKey()) || !ignored.contains(entry.getKey())) {
                merged.set(entry.getKey(), entry.getValue());
              }
            });
    for (Map.Entry<String, JsonNode> entry : merged.properties()) {
      String key = entry.getKey();
      if (entry.getValue().isNull() && !key.equals(RATE) && before.hasNonNull(key)) {
        throw new InvalidPolicyException(key, "null", "a value");
      }
    }
    return policy(current.pool(), merged, API);
  }

  private static PoolPolicy policy(String pool, ObjectNode tree, Form form) {
    List<String> keys = form.keys();
    tree.properties()
        .forEach(
            entry -> {
              if (!keys.contains(entry.getKey())) {
                throw InvalidPolicyException.unknownKey(entry.getKey(), entry.getValue(), keys);
              }
            });
    String rateKey = form.spelling.apply(RATE);
    JsonNode rate = tree.path(rateKey);
    if (tree.hasNonNull(rateKey) && !(rate.isNumber() && Double.isFinite(rate.asDouble()))) {
      throw new InvalidPolicyException(rateKey, rate, "a number, or null for no limit");
    }
    refuseSecondSpellings(tree.path(PODS));
    try {
      PoolPolicy policy = form.reader.readValue(tree.deepCopy().put(POOL, pool));
      if (policy.kubernetes() != null && !policy.pods().isEmpty()) {
        throw new InvalidPolicyException(
            KUBERNETES, "set beside pods", KubernetesPods.ALLOWED + ", in place of pods");
      }
      return policy;
    } catch (JsonMappingException invalid) {
      throw refusal(tree, invalid, form);
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

  private static InvalidPolicyException refusal(
      ObjectNode tree, JsonMappingException invalid, Form form) {
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
    String within = key.isEmpty() ? "" : key + ".";
    if (invalid.getCause() instanceof InvalidPolicyException cause
        && invalid instanceof ValueInstantiationException refused) {
      // What it misses may be there by another name.
      List<String> known = form.keys(refused.getType().getRawClass()).toList();
      for (Map.Entry<String, JsonNode> entry : value.properties()) {
        if (!known.contains(entry.getKey())) {
          return InvalidPolicyException.unknownKey(
              within + entry.getKey(), entry.getValue(), known);
        }
      }
      return cause.named(
          cause.key().isEmpty() ? key.toString() : within + form.spelling.apply(cause.key()));
    }
    String where = key.isEmpty() ? "the body" : key.toString();
    InvalidPolicyException refusal =
        invalid instanceof PropertyBindingException unknown
            ? InvalidPolicyException.unknownKey(
                where, value, form.keys(unknown.getReferringClass()).toList())
            : new InvalidPolicyException(where, value, form.allowed.apply(invalid));
    refusal.initCause(invalid);
    return refusal;
  }

  private static String allowedInConfiguration(JsonMappingException invalid) {
    if (invalid instanceof ValueInstantiationException refused
        && refused.getType().hasRawClass(PodAddress.class)) {
      return PodAddress.ALLOWED;
    }
    Class<?> type =
        invalid instanceof MismatchedInputException mismatch ? mismatch.getTargetType() : null;
    return type != null && type.isRecord() ? "a mapping of keys to values" : allowed(invalid);
  }

  private static String allowed(JsonMappingException invalid) {
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
    if (type == Integer.class || type == int.class || type == long.class) {
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

  private static String kebabCase(String name) {
    return CAPITAL
        .matcher(name)
        .replaceAll(capital -> "-" + capital.group().toLowerCase(Locale.ROOT));
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
          LENIENT.readValue(policy.put(POOL, pool)),
          LENIENT.readValue(base.put(POOL, pool)),
          draining,
          paces(tree.path(PACES)),
          tree.path("atMs").asLong());
    } catch (JsonProcessingException invalid) {
      throw new UnreadableRecordException(invalid.getOriginalMessage(), invalid);
    } catch (IllegalArgumentException invalid) {
      throw new UnreadableRecordException(String.valueOf(invalid.getMessage()), invalid);
    } catch (IOException noText) {
      // Of bytes without I/O: no character set has them.
      throw new UnreadableRecordException(String.valueOf(noText.getMessage()), noText);
    }
  }
}
