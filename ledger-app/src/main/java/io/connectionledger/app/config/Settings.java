package io.connectionledger.app.config;

import java.io.StringReader;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.yaml.snakeyaml.LoaderOptions;
import org.yaml.snakeyaml.Yaml;
import org.yaml.snakeyaml.error.MarkedYAMLException;
import org.yaml.snakeyaml.error.YAMLException;
import org.yaml.snakeyaml.nodes.Node;

/** The values that were written, before anybody asks what they mean. Not safe for threads. */
final class Settings {

  /** How deep a file may nest. */
  static final int MAX_DEPTH = 32;

  /** How often an alias may name a collection, which multiplies what is read. */
  static final int MAX_ALIASES = 50;

  /** The longest file, in characters: ten thousand pods have some 700,000. */
  static final int MAX_CHARACTERS = 3 << 20;

  static final Pattern HOST = Pattern.compile("[A-Za-z0-9._:%-]{1,253}");
  static final String HOST_ALLOWED = "an IP address or a host name";
  private static final int MAX_PORT = 65_535;

  private final Map<String, Setting> values = new LinkedHashMap<>();
  private final Map<String, Pool> pools = new LinkedHashMap<>();

  /** The values of one pool, and where it was first named. */
  record Pool(String name, String where, Map<String, Setting> values) {}

  /** Reads a YAML document, which may be empty. */
  static Settings read(String yaml, String name) {
    Settings settings = new Settings();
    Setting.Origin origin = new Setting.Origin(name, true);
    Node root = compose(yaml, origin);
    if (root == null) {
      return settings;
    }
    List<String> known = new ArrayList<>(Keys.below(""));
    known.add(Keys.POOLS);
    new Setting("", root, origin)
        .map(known)
        .forEach(
            (key, value) -> {
              if (key.equals(Keys.POOLS)) {
                value.map().forEach(settings::readPool);
              } else {
                settings.readSetting(value);
              }
            });
    return settings;
  }

  private void readSetting(Setting value) {
    if (Keys.SETTINGS.contains(value.key())) {
      put(value.key(), value);
    } else {
      value.map(Keys.below(value.key())).values().forEach(this::readSetting);
    }
  }

  /** Reads a YAML document of pools alone, which may be empty. */
  static Settings readPools(String yaml, String name) {
    Settings settings = new Settings();
    Setting.Origin origin = new Setting.Origin(name, true);
    Node root = compose(yaml, origin);
    if (root != null) {
      new Setting(Keys.POOLS, root, origin).map().forEach(settings::readPool);
    }
    return settings;
  }

  private void readPool(String name, Setting pool) {
    Pool target = pool(name, pool.where());
    pool.map().forEach((key, value) -> put(target, key, value));
  }

  /** The document's root, or null when it is empty. */
  static @Nullable Node compose(String yaml, Setting.Origin origin) {
    try {
      return new Yaml(bounds()).compose(new StringReader(yaml));
    } catch (MarkedYAMLException invalid) {
      int line = invalid.getProblemMark() == null ? 1 : invalid.getProblemMark().getLine() + 1;
      throw new ConfigException(
          origin.name() + " line " + line + " is not YAML: " + invalid.getProblem(), invalid);
    } catch (YAMLException unreadable) {
      throw new ConfigException(
          origin.name() + " is not YAML: " + unreadable.getMessage(), unreadable);
    }
  }

  private static LoaderOptions bounds() {
    LoaderOptions options = new LoaderOptions();
    options.setNestingDepthLimit(MAX_DEPTH);
    options.setMaxAliasesForCollections(MAX_ALIASES);
    options.setCodePointLimit(MAX_CHARACTERS);
    return options;
  }

  Optional<Setting> get(String key) {
    return Optional.ofNullable(values.get(key));
  }

  /** The host at {@code key}; the loopback when there is none. */
  String host(String key) {
    return get(key).map(value -> value.matching(HOST, HOST_ALLOWED)).orElse("127.0.0.1");
  }

  /** The port at {@code key}. */
  int port(String key, int otherwise) {
    return get(key).map(value -> value.integer(0, MAX_PORT)).orElse(otherwise);
  }

  /** Whether {@code section} says where to listen. */
  boolean listens(String section) {
    return values.containsKey(section + ".port") || values.containsKey(section + ".bind");
  }

  void put(String key, Setting value) {
    if (!value.isEmpty()) {
      values.put(key, value);
    }
  }

  Map<String, Pool> pools() {
    return pools;
  }

  /** The pool of this name, which is new when there is none yet. */
  Pool pool(String name, String where) {
    return pools.computeIfAbsent(name, n -> new Pool(n, where, new LinkedHashMap<>()));
  }

  static void put(Pool pool, String key, Setting value) {
    if (!value.isEmpty()) {
      pool.values().put(key, value);
    }
  }
}
