package io.connectionledger.app.config;

import io.connectionledger.model.policy.PolicyCodec;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Stream;

/** The keys that a configuration may have, and their names in the environment. */
final class Keys {

  static final String PROPERTIES = "kafka.properties";

  static final String NAMESPACES = "kubernetes.namespaces";
  static final String HOSTS = "http.hosts";
  static final String PODS_ALLOWED = "pods-allowed";

  /** All that hold more than a scalar; in the environment, as inline YAML. */
  static final Set<String> YAML = Set.of(PROPERTIES, NAMESPACES, HOSTS, PODS_ALLOWED);

  /** The ports that may be encrypted. */
  static final List<String> PORTS = List.of("als", "authz", "xds", "http", "peers", "keda");

  private static final List<String> TLS =
      List.of("tls.certificate", "tls.key", "tls.client-ca", "tls.client-auth");

  private static final List<String> PLAIN =
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
          "http.admin.port",
          "http.admin.bind",
          "http.probes.port",
          "http.probes.bind",
          HOSTS,
          "http.writable-pods",
          "http.auth.tokens-file",
          "http.auth.jwt.issuer",
          "http.auth.jwt.audience",
          "http.auth.jwt.roles-claim",
          "http.auth.metrics",
          "xds.port",
          "xds.bind",
          "peers.port",
          "peers.bind",
          "keda.port",
          "keda.bind",
          "als.identity",
          "xds.identity",
          "lease.heartbeat",
          "lease.missed",
          "lease.reservation",
          "lease.unreported",
          "policies.file",
          "kubernetes.enabled",
          NAMESPACES,
          "kubernetes.deletion-cost",
          PODS_ALLOWED,
          "insecure");

  /** Every key outside the pools. */
  static final List<String> SETTINGS =
      Stream.of(
              PLAIN.stream(),
              TLS.stream(),
              PORTS.stream().flatMap(port -> TLS.stream().map(key -> port + "." + key)))
          .flatMap(Function.identity())
          .toList();

  /** Every key of a pool. */
  static final List<String> POOL = PolicyCodec.configurationKeys();

  static final String POOLS = "pools";

  static final String PREFIX = "LEDGER_";

  /** Variables with our prefix that are no settings: others than the configuration read them. */
  static final Set<String> NO_SETTINGS = Set.of("LEDGER_JAVA_OPTS", "LEDGER_CACHE", "LEDGER_TOKEN");

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
