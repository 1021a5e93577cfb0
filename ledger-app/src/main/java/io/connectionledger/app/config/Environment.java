package io.connectionledger.app.config;

import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.yaml.snakeyaml.DumperOptions;
import org.yaml.snakeyaml.nodes.Node;
import org.yaml.snakeyaml.nodes.ScalarNode;
import org.yaml.snakeyaml.nodes.Tag;

/** Lays environment variables over what the file says. */
final class Environment {

  private static final Logger LOGGER = LoggerFactory.getLogger(Environment.class);

  private static final String POOLS_PREFIX = Keys.variable(Keys.POOLS) + "_";
  private static final Map<String, String> SETTING_OF_VARIABLE =
      Keys.SETTINGS.stream().collect(Collectors.toMap(Keys::variable, Function.identity()));
  private static final List<String> POOL_KEYS_LONGEST_FIRST =
      Keys.POOL.stream().sorted(Comparator.comparingInt(String::length).reversed()).toList();

  private final Settings settings;

  private Environment(Settings settings) {
    this.settings = settings;
  }

  /** Changes {@code settings}; variables that are none of ours are logged and otherwise ignored. */
  static void overlay(Settings settings, Map<String, String> variables) {
    Environment environment = new Environment(settings);
    new TreeMap<>(variables)
        .tailMap(Keys.PREFIX)
        .forEach(
            (variable, value) -> {
              if (variable.startsWith(Keys.PREFIX) && !Keys.NO_SETTINGS.contains(variable)) {
                environment.apply(variable, value);
              }
            });
  }

  private void apply(String variable, String value) {
    String key = SETTING_OF_VARIABLE.get(variable);
    Optional<String> poolKey = poolKey(variable);
    if (isServiceLink(value) || (key == null && poolKey.isEmpty())) {
      LOGGER
          .atWarn()
          .addKeyValue("variable", variable)
          .log("Ignored an environment variable that is no setting");
    } else if (key != null) {
      settings.put(key, setting(key, key, variable, value));
    } else {
      String last = poolKey.orElseThrow();
      String written =
          variable.substring(POOLS_PREFIX.length(), variable.length() - last.length() - 1);
      Settings.Pool pool = settings.pool(poolName(written, variable), variable);
      String path = Keys.POOLS + "." + pool.name() + "." + last;
      Settings.put(pool, last, setting(path, last, variable, value));
    }
  }

  /** Kubernetes sets LEDGER_HTTP_PORT=tcp://… for a service that is called ledger-http. */
  private static boolean isServiceLink(String value) {
    return value.startsWith("tcp://") || value.startsWith("udp://");
  }

  private static Optional<String> poolKey(String variable) {
    if (!variable.startsWith(POOLS_PREFIX)) {
      return Optional.empty();
    }
    String rest = variable.substring(POOLS_PREFIX.length());
    return POOL_KEYS_LONGEST_FIRST.stream()
        .filter(key -> rest.endsWith("_" + Keys.upper(key)) && rest.length() > key.length() + 1)
        .findFirst();
  }

  private String poolName(String written, String variable) {
    List<String> fitting =
        settings.pools().keySet().stream()
            .filter(name -> Keys.upper(name).equals(Keys.upper(written)))
            .toList();
    if (fitting.size() > 1) {
      throw new ConfigException(
          variable + " fits the pools " + String.join(", ", fitting) + ": allowed is one");
    }
    return fitting.isEmpty()
        ? written.toLowerCase(Locale.ROOT).replace('_', '-')
        : fitting.getFirst();
  }

  private static Setting setting(String path, String key, String variable, String value) {
    Setting.Origin origin = new Setting.Origin(variable, false);
    boolean yaml = Keys.YAML.contains(key) || Keys.POOL.contains(key);
    Node composed = yaml ? Settings.compose(value, origin) : null;
    return new Setting(path, composed == null ? scalar(value) : composed, origin);
  }

  private static Node scalar(String value) {
    return new ScalarNode(Tag.STR, value, null, null, DumperOptions.ScalarStyle.PLAIN);
  }
}
