package io.connectionledger.app.config;

import io.connectionledger.admission.check.Durability;
import io.connectionledger.app.config.LedgerConfig.Authz;
import io.connectionledger.app.config.LedgerConfig.Instance;
import io.connectionledger.app.config.LedgerConfig.Kafka;
import io.connectionledger.app.config.LedgerConfig.Kubernetes;
import io.connectionledger.app.config.LedgerConfig.Lease;
import io.connectionledger.app.config.LedgerConfig.Listener;
import io.connectionledger.app.config.LedgerConfig.Policies;
import io.connectionledger.app.config.LedgerConfig.Tls;
import io.connectionledger.app.config.LedgerConfig.Tls.ClientAuth;
import io.connectionledger.model.policy.PoolIndex;
import io.connectionledger.model.policy.PoolPolicy;
import java.io.IOException;
import java.io.StringReader;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Properties;
import java.util.regex.Pattern;

/**
 * Reads the configuration. A value is taken from the first of these that has it:
 *
 * <ol>
 *   <li>the environment: {@code LEDGER_} and the key's path in upper case, with underscores for
 *       dots and dashes ({@code LEDGER_KAFKA_PORT}); for a pool {@code LEDGER_POOLS_<NAME>_<KEY>};
 *       lists and mappings as inline YAML
 *   <li>the file
 *   <li>the default
 * </ol>
 *
 * A key that the file has and the ledger does not know is an error, one in the environment only a
 * warning, because Kubernetes puts variables there that nobody wrote.
 */
public final class ConfigLoader {

  private static final int MAX_PARTITIONS = 10_000;
  private static final int MAX_REPLICATION = 100;
  private static final long MIN_RETENTION_BYTES = 16L << 20;
  private static final long MAX_RETENTION_BYTES = 1L << 50;
  private static final int MAX_MISSED = 100;
  private static final Duration MIN_LEASE = Duration.ofSeconds(1);
  private static final Duration MAX_LEASE = Duration.ofMinutes(10);
  private static final String LEASE_ALLOWED = "1s to 10m, written as 500ms, 10s, 5m or 1h";

  private static final Duration MAX_UNREPORTED = Duration.ofHours(24);
  private static final String UNREPORTED_ALLOWED = "0s to 24h, written as 500ms, 10s, 5m or 1h";

  static final Pattern PATH = Pattern.compile("[^\\p{Cntrl}]+");
  private static final Pattern NAME = Pattern.compile("[\\p{Graph}]{1,1000}");
  private static final Pattern NAMESPACE = Pattern.compile("[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?");
  private static final Pattern SERVERS =
      Pattern.compile("(" + server() + "(\\s*,\\s*" + server() + ")*)?");

  private final Settings settings;

  private ConfigLoader(Settings settings) {
    this.settings = settings;
  }

  /**
   * Reads {@code yaml} under {@code environment}.
   *
   * @throws ConfigException when anything in either is wrong
   */
  public static LedgerConfig load(Path yaml, Map<String, String> environment) {
    return parse(text("the configuration", yaml), yaml.toString(), environment);
  }

  /** What {@code file} says, or a line that calls it {@code what}. */
  static String text(String what, Path file) {
    try {
      return Files.readString(file);
    } catch (NoSuchFileException missing) {
      throw new ConfigException(what + " " + file + " does not exist", missing);
    } catch (CharacterCodingException binary) {
      throw new ConfigException(what + " " + file + " is not UTF-8 text", binary);
    } catch (IOException unreadable) {
      throw new ConfigException(
          what + " " + file + " cannot be read: " + unreadable.getMessage(), unreadable);
    }
  }

  /**
   * {@link #load} from memory.
   *
   * @param name what errors call the text
   */
  public static LedgerConfig parse(String yaml, String name, Map<String, String> environment) {
    Settings settings = Settings.read(yaml, name);
    Environment.overlay(settings, environment);
    return new ConfigLoader(settings).config();
  }

  private LedgerConfig config() {
    return new LedgerConfig(
        Path.of(
            settings
                .get("data-dir")
                .map(value -> value.matching(PATH, "the path of a directory"))
                .orElse("./data")),
        kafka(),
        new Instance(settings.host("instance.host")),
        listener("als", 9001),
        new Authz(
            listener("authz", 9002),
            settings
                .get("authz.durability")
                .map(value -> value.oneOf(Durability.class))
                .orElse(Durability.FAST)),
        new HttpReader(settings).http(),
        listener("xds", 18_000),
        peers(),
        settings.listens("keda") ? listener("keda", 0) : null,
        tls(),
        identity(),
        new Lease(
            lease("lease.heartbeat", Duration.ofSeconds(10)),
            integer("lease.missed", 1, MAX_MISSED, 3),
            lease("lease.reservation", Duration.ofSeconds(15)),
            settings
                .get("lease.unreported")
                .map(value -> value.duration(Duration.ZERO, MAX_UNREPORTED, UNREPORTED_ALLOWED))
                .orElse(Duration.ofHours(1))),
        new Policies(
            settings
                .get("policies.file")
                .map(value -> Path.of(value.matching(PATH, "the path of a file")))
                .orElse(null)),
        new Kubernetes(
            bool("kubernetes.enabled"),
            settings
                .get(Keys.NAMESPACES)
                .map(value -> value.list().stream().map(ConfigLoader::namespace).toList())
                .orElse(List.of()),
            bool("kubernetes.deletion-cost")),
        bool("insecure"),
        pools(settings));
  }

  static Map<String, PoolPolicy> pools(Settings settings) {
    Map<String, PoolPolicy> pools = new LinkedHashMap<>();
    settings.pools().forEach((name, pool) -> pools.put(name, PoolReader.read(pool)));
    refuseConflict(pools.values());
    return pools;
  }

  /** Refuses pools of which two claim the same. */
  static void refuseConflict(Collection<PoolPolicy> pools) {
    PoolIndex.conflict(pools)
        .ifPresent(
            conflict -> {
              throw new ConfigException(conflict.toString());
            });
  }

  private static String namespace(Setting value) {
    return value.matching(NAMESPACE, "the name of a namespace");
  }

  private boolean bool(String key) {
    return settings.get(key).map(Setting::bool).orElse(false);
  }

  /**
   * Reads a Java properties file, which is where secrets are: what is wrong with it is said without
   * what it says.
   *
   * @param what what a line that refuses it calls it
   */
  public static Map<String, String> properties(String what, Path file) {
    Properties read = new Properties();
    try {
      read.load(new StringReader(text(what, file)));
    } catch (IOException | IllegalArgumentException malformed) {
      throw new ConfigException(
          what + " " + file + " is no Java properties file: " + malformed.getMessage(), malformed);
    }
    Map<String, String> properties = new LinkedHashMap<>();
    read.stringPropertyNames().stream()
        .sorted()
        .forEach(name -> properties.put(name, read.getProperty(name)));
    return properties;
  }

  /** A property that is set twice would leave it to the reader which of the two counts. */
  private Map<String, String> kafkaProperties() {
    Map<String, String> all = new LinkedHashMap<>();
    settings
        .get(Keys.PROPERTIES)
        .ifPresent(some -> some.map().forEach((name, value) -> all.put(name, value.text())));
    settings
        .get("kafka.properties-file")
        .ifPresent(
            value -> {
              Path file = Path.of(value.matching(PATH, "the path of a file"));
              properties("kafka.properties-file", file)
                  .forEach(
                      (name, secret) -> {
                        if (all.putIfAbsent(name, secret) != null) {
                          throw new ConfigException(
                              "kafka.properties has "
                                  + name
                                  + ", and so has "
                                  + file
                                  + " (kafka.properties-file): allowed is one of the two");
                        }
                      });
            });
    return all;
  }

  private Kafka kafka() {
    Kafka kafka =
        new Kafka(
            settings
                .get("kafka.bootstrap-servers")
                .map(value -> value.matching(SERVERS, "host:port, several separated by commas"))
                .orElse(""),
            listener("kafka", 9092),
            integer("kafka.partitions", 1, MAX_PARTITIONS, 12),
            (short) integer("kafka.replication", 1, MAX_REPLICATION, 1),
            settings
                .get("kafka.retention-bytes")
                .map(value -> value.number(MIN_RETENTION_BYTES, MAX_RETENTION_BYTES))
                .orElse(Kafka.RETENTION_BYTES),
            kafkaProperties());
    if (kafka.embedded() && kafka.replication() > 1) {
      throw settings
          .get("kafka.replication")
          .orElseThrow()
          .refuse("1 with the embedded broker (kafka.bootstrap-servers is '')");
    }
    return kafka;
  }

  /** Other instances are told where, so that any port will do. */
  private Listener peers() {
    String bind = settings.get("peers.bind").isPresent() ? "peers.bind" : "authz.bind";
    return new Listener(settings.host(bind), settings.port("peers.port", 0));
  }

  private Map<String, Tls> tls() {
    Map<String, Tls> all = new LinkedHashMap<>();
    for (String port : Keys.PORTS) {
      tls(port + ".tls").or(() -> tls("tls")).ifPresent(tls -> all.put(port, tls));
    }
    return all;
  }

  private Optional<Tls> tls(String section) {
    Optional<Path> certificate = file(section + ".certificate");
    Optional<Path> key = file(section + ".key");
    Optional<Path> clientCa = file(section + ".client-ca");
    Optional<Setting> clientAuth = settings.get(section + ".client-auth");
    if (certificate.isEmpty() || key.isEmpty()) {
      Optional<Setting> alone =
          settings
              .get(section + ".certificate")
              .or(() -> settings.get(section + ".key"))
              .or(() -> settings.get(section + ".client-ca"))
              .or(() -> clientAuth);
      if (alone.isPresent()) {
        throw alone.get().refuse("left out, or beside " + section + ".certificate and .key");
      }
      return Optional.empty();
    }
    ClientAuth asked =
        clientAuth
            .map(value -> value.oneOf(ClientAuth.class))
            .orElse(clientCa.isPresent() ? ClientAuth.REQUIRED : ClientAuth.NONE);
    if (asked != ClientAuth.NONE && clientCa.isEmpty()) {
      throw clientAuth.orElseThrow().refuse("none, or beside " + section + ".client-ca");
    }
    return Optional.of(new Tls(certificate.get(), key.get(), clientCa.orElse(null), asked));
  }

  private Optional<Path> file(String key) {
    return settings.get(key).map(value -> Path.of(value.matching(PATH, "the path of a file")));
  }

  /** What nobody has to prove would be believed without it. */
  private Map<String, String> identity() {
    Map<String, Tls> tls = tls();
    Map<String, String> names = new LinkedHashMap<>();
    for (String port : List.of("als", "xds")) {
      settings
          .get(port + ".identity")
          .ifPresent(
              value -> {
                Tls ofPort = tls.get(port);
                if (ofPort == null || ofPort.clientAuth() != ClientAuth.REQUIRED) {
                  throw value.refuse("left out, or beside tls with client-auth: required");
                }
                names.put(port, value.matching(NAME, "a DNS name or URI, {node} in it"));
              });
    }
    return names;
  }

  private Listener listener(String section, int defaultPort) {
    return new Listener(
        settings.host(section + ".bind"), settings.port(section + ".port", defaultPort));
  }

  private int integer(String key, int min, int max, int otherwise) {
    return settings.get(key).map(value -> value.integer(min, max)).orElse(otherwise);
  }

  private Duration lease(String key, Duration otherwise) {
    return settings
        .get(key)
        .map(value -> value.duration(MIN_LEASE, MAX_LEASE, LEASE_ALLOWED))
        .orElse(otherwise);
  }

  private static String server() {
    return "(\\[[0-9A-Fa-f:.%]+\\]|[A-Za-z0-9._-]+):\\d{1,5}";
  }
}
