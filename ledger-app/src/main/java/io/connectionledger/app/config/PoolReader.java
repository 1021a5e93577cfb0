package io.connectionledger.app.config;

import io.connectionledger.model.PodAddress;
import io.connectionledger.model.policy.Affinity;
import io.connectionledger.model.policy.HostMatch;
import io.connectionledger.model.policy.Pod;
import io.connectionledger.model.policy.PoolPolicy;
import io.connectionledger.model.policy.PoolPolicy.Mode;
import io.connectionledger.model.policy.PoolPolicy.OnOwnerLoss;
import io.connectionledger.model.policy.PoolPolicy.Placement;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Makes the policy of a pool out of what was written. */
final class PoolReader {

  private static final String SLOW_START = "0s to 1h, written as 500ms, 10s, 5m or 1h";
  private static final String NAME = "1 to 128 characters of an HTTP token";

  private final Settings.Pool pool;

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
    get("kubernetes")
        .ifPresent(
            value -> {
              throw new ConfigException(
                  value.key()
                      + " is not supported yet ("
                      + value.where()
                      + "): allowed is a list of pods");
            });
    double rate =
        get("connections-per-second")
            .map(
                value ->
                    value.decimal(PoolPolicy.MIN_RATE, PoolPolicy.MAX_RATE, "0.001 to 1000000"))
            .orElse(PoolPolicy.UNLIMITED_RATE);
    int burst =
        get("burst-capacity")
            .map(value -> value.integer(1, PoolPolicy.MAX_BURST))
            .orElse(rate == PoolPolicy.UNLIMITED_RATE ? 1 : (int) Math.ceil(rate));
    int perPod =
        get("per-pod-max-connections")
            .orElseThrow(() -> missing("per-pod-max-connections", "1 to " + PoolPolicy.MAX_PER_POD))
            .integer(1, PoolPolicy.MAX_PER_POD);
    Mode mode = get("mode").map(value -> value.oneOf(Mode.class)).orElse(Mode.ENFORCE);
    OnOwnerLoss onOwnerLoss =
        get("on-owner-loss").map(value -> value.oneOf(OnOwnerLoss.class)).orElse(OnOwnerLoss.SHARE);
    Placement placement =
        get("placement")
            .map(value -> value.oneOf(Placement.class))
            .orElse(Placement.LEAST_CONNECTIONS);
    Affinity affinity = get("affinity").map(PoolReader::affinity).orElse(Affinity.NONE);
    Duration slowStart =
        get("slow-start")
            .map(value -> value.duration(Duration.ZERO, PoolPolicy.MAX_SLOW_START, SLOW_START))
            .orElse(PoolPolicy.DEFAULT_SLOW_START);
    double targetUtilisation =
        get("target-utilisation")
            .map(value -> value.decimal(PoolPolicy.MIN_TARGET_UTILISATION, 1, "0.1 to 1"))
            .orElse(PoolPolicy.DEFAULT_TARGET_UTILISATION);
    List<Pod> pods = pods(get("pods").map(Setting::list).orElse(List.of()));
    List<String> clusters =
        get("clusters").map(Setting::list).orElse(List.of()).stream().map(Setting::text).toList();
    List<HostMatch> hosts =
        get("hosts").map(Setting::list).orElse(List.of()).stream().map(PoolReader::host).toList();
    try {
      return new PoolPolicy(
          pool.name(),
          rate,
          burst,
          perPod,
          mode,
          onOwnerLoss,
          pods,
          placement,
          affinity,
          slowStart,
          targetUtilisation,
          clusters,
          hosts);
    } catch (IllegalArgumentException inconsistent) {
      throw new ConfigException(
          "pools." + pool.name() + "." + inconsistent.getMessage() + " (" + pool.where() + ")",
          inconsistent);
    }
  }

  private static HostMatch host(Setting written) {
    Map<String, Setting> entries = written.map(Keys.HOST);
    Setting host = entries.get("host");
    if (host == null) {
      throw written.refuse(HostMatch.ALLOWED);
    }
    Setting prefix = entries.get("path-prefix");
    HostMatch every = host.parsed(name -> new HostMatch(name, "/"), HostMatch.ALLOWED);
    return prefix == null
        ? every
        : prefix.parsed(path -> new HostMatch(every.host(), path), HostMatch.ALLOWED);
  }

  private static Affinity affinity(Setting affinity) {
    Map<String, Setting> entries = affinity.map(Keys.AFFINITY);
    if (entries.size() != 1) {
      throw affinity.refuse(Affinity.ALLOWED);
    }
    Map.Entry<String, Setting> entry = entries.entrySet().iterator().next();
    Setting value = entry.getValue();
    return switch (entry.getKey()) {
      case "header" -> value.parsed(Affinity::header, NAME);
      case "cookie" -> value.parsed(Affinity::cookie, NAME);
      default -> {
        if (!value.text().equals("true")) {
          throw value.refuse("true");
        }
        yield Affinity.bySourceAddress();
      }
    };
  }

  /** Refuses one address in two spellings: the policy itself knows only the canonical form. */
  private static List<Pod> pods(List<Setting> written) {
    Map<PodAddress, String> spellings = new HashMap<>();
    return written.stream().map(pod -> pod(pod, spellings)).toList();
  }

  private static Pod pod(Setting pod, Map<PodAddress, String> spellings) {
    Map<String, Setting> entries = pod.map(Keys.POD);
    Setting written = required(pod, entries, "address");
    PodAddress address = written.parsed(PodAddress::parse, PodAddress.ALLOWED);
    String before = spellings.putIfAbsent(address, written.text());
    if (before != null && !before.equals(written.text())) {
      throw written.refuse("an address that no other pod has; another has it as '" + before + "'");
    }
    return required(pod, entries, "name")
        .parsed(name -> new Pod(name, address), "1 to 253 characters");
  }

  private static Setting required(Setting pod, Map<String, Setting> entries, String key) {
    Setting value = entries.get(key);
    if (value == null || value.isEmpty()) {
      throw new ConfigException(
          pod.key() + " has no " + key + " (" + pod.where() + "): allowed is { name, address }");
    }
    return value;
  }

  private Optional<Setting> get(String key) {
    return Optional.ofNullable(pool.values().get(key));
  }

  private ConfigException missing(String key, String allowed) {
    return new ConfigException(
        "pools."
            + pool.name()
            + "."
            + key
            + " is missing ("
            + pool.where()
            + "): allowed is "
            + allowed);
  }
}
