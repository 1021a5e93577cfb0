package io.connectionledger.app.config;

import io.connectionledger.model.policy.PolicyCodec;
import java.util.List;
import java.util.Locale;
import java.util.Set;

/** The keys that a configuration may have, and their names in the environment. */
final class Keys {

  /** These two hold more than a scalar; in the environment, as inline YAML. */
  static final String PROPERTIES = "kafka.properties";

  static final String NAMESPACES = "kubernetes.namespaces";

  /** Every key outside the pools. */
  static final List<String> SETTINGS =
      List.of(
          "data-dir",
          "kafka.bootstrap-servers",
          "kafka.port",
          "kafka.bind",
          "kafka.partitions",
          "kafka.replication",
          "kafka.retention-bytes",
          PROPERTIES,
          "kafka.properties-file",
          "instance.host",
          "als.port",
          "als.bind",
          "authz.port",
          "authz.bind",
          "authz.durability",
          "http.port",
          "http.bind",
          "xds.port",
          "xds.bind",
          "lease.heartbeat",
          "lease.missed",
          "lease.reservation",
          "lease.unreported",
          "policies.file",
          "kubernetes.enabled",
          NAMESPACES,
          "kubernetes.deletion-cost");

  /** Every key of a pool. */
  static final List<String> POOL = PolicyCodec.configurationKeys();

  static final String POOLS = "pools";

  static final String PREFIX = "LEDGER_";

  /** Variables with our prefix that are no settings: others than the configuration read them. */
  static final Set<String> NO_SETTINGS = Set.of("LEDGER_JAVA_OPTS", "LEDGER_CACHE");

  private Keys() {}

  /** The keys below {@code section}, or the top level for an empty one. */
  static List<String> below(String section) {
    String prefix = section.isEmpty() ? "" : section + ".";
    return SETTINGS.stream()
        .filter(key -> key.startsWith(prefix))
        .map(key -> key.substring(prefix.length()))
        .map(key -> key.contains(".") ? key.substring(0, key.indexOf('.')) : key)
        .distinct()
        .toList();
  }

  static String variable(String key) {
    return PREFIX + upper(key);
  }

  /** {@code key} as a part of a variable's name. */
  static String upper(String key) {
    return key.toUpperCase(Locale.ROOT).replace('.', '_').replace('-', '_');
  }
}
