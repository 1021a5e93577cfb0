package io.connectionledger.app.config;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.BooleanNode;
import com.fasterxml.jackson.databind.node.DecimalNode;
import com.fasterxml.jackson.databind.node.IntNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.LongNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.databind.node.TextNode;
import io.connectionledger.model.policy.Affinity;
import io.connectionledger.model.policy.InvalidPolicyException;
import io.connectionledger.model.policy.PolicyCodec;
import io.connectionledger.model.policy.PoolPolicy;
import java.math.BigDecimal;
import java.util.HashMap;
import java.util.Map;

/** Makes the policy of a pool out of what was written, and says where a fault in it stands. */
final class PoolReader {

  private final Settings.Pool pool;

  /** By the path below the pool, as {@link PolicyCodec} names keys. */
  private final Map<String, Setting> written = new HashMap<>();

  private PoolReader(Settings.Pool pool) {
    this.pool = pool;
  }

  static PoolPolicy read(Settings.Pool pool) {
    return new PoolReader(pool).policy();
  }

  private PoolPolicy policy() {
    if (!PoolPolicy.isValidName(pool.name())) {
      throw new ConfigException(
          "a pool is called '"
              + pool.name()
              + "' ("
              + pool.where()
              + "): allowed are 1 to 128 letters, digits, '.', '_' and '-'");
    }
    ObjectNode tree = JsonNodeFactory.instance.objectNode();
    pool.values().forEach((key, value) -> tree.set(key, top(key, value)));
    try {
      PoolPolicy policy = PolicyCodec.configured(pool.name(), tree);
      Setting affinity = pool.values().get("affinity");
      if (affinity != null && policy.affinity().equals(Affinity.NONE)) {
        throw affinity.refuse(Affinity.ALLOWED);
      }
      return policy;
    } catch (InvalidPolicyException invalid) {
      throw refusal(invalid);
    }
  }

  /** Numbers stand in the keys of the pool itself, whatever they are quoted with; below is text. */
  private JsonNode top(String key, Setting value) {
    if (!value.isScalar()) {
      return node(key, value);
    }
    written.put(key, value);
    String text = value.text();
    if (Setting.INTEGER.matcher(text).matches()) {
      long number = Long.parseLong(text);
      return number == (int) number ? IntNode.valueOf((int) number) : LongNode.valueOf(number);
    }
    return Setting.DECIMAL.matcher(text).matches()
        ? DecimalNode.valueOf(new BigDecimal(text))
        : TextNode.valueOf(text);
  }

  private JsonNode node(String path, Setting value) {
    written.put(path, value);
    if (value.isList()) {
      ArrayNode list = JsonNodeFactory.instance.arrayNode();
      for (Setting element : value.list()) {
        list.add(node(path + "[" + list.size() + "]", element));
      }
      return list;
    }
    if (!value.isScalar()) {
      ObjectNode map = JsonNodeFactory.instance.objectNode();
      value
          .map()
          .forEach(
              (key, entry) -> {
                if (!entry.isEmpty()) {
                  map.set(key, node(path + "." + key, entry));
                }
              });
      return map;
    }
    String text = value.text();
    return text.equals("true") || text.equals("false")
        ? BooleanNode.valueOf(text.equals("true"))
        : TextNode.valueOf(text);
  }

  private ConfigException refusal(InvalidPolicyException invalid) {
    String key = invalid.key();
    Setting value = written.get(key);
    if (!invalid.knownKeys().isEmpty() && value != null) {
      return value.unknown(
          value.key().substring(0, value.key().lastIndexOf('.')),
          key.contains(".") ? invalid.knownKeys() : Keys.POOL);
    }
    String allowed = PolicyCodec.rangeInConfiguration(key).orElse(invalid.allowed());
    return value != null && value.isScalar()
        ? value.refuse(allowed)
        : new ConfigException(
            Keys.POOLS
                + "."
                + pool.name()
                + "."
                + key
                + " is "
                + invalid.value()
                + " ("
                + (value == null ? place(key) : value.where())
                + "): allowed is "
                + allowed,
            invalid);
  }

  /** Where what has no such key stands: its entry, or the pool. */
  private String place(String key) {
    int end = key.lastIndexOf('.');
    Setting entry = end < 0 ? null : written.get(key.substring(0, end));
    return entry == null ? pool.where() : entry.where();
  }
}
