package io.connectionledger.model.policy;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonValue;
import com.fasterxml.jackson.databind.annotation.JsonDeserialize;
import com.fasterxml.jackson.databind.annotation.JsonSerialize;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What an operator wants of one pool. It refuses to exist when it is wrong; the message names the
 * key, the value and what is allowed. Its components are the keys of the configuration, there in
 * kebab-case, and of the policy API; what is null has its default, as what was written before there
 * was the key has.
 *
 * @param pool the pool's name; Envoy's upstream cluster
 * @param connectionsPerSecond refill of the token bucket; {@link Double#POSITIVE_INFINITY} for no
 *     rate limit
 * @param burstCapacity size of the token bucket
 * @param perPodMaxConnections open and reserved connections that one pod may hold
 * @param pods the pods that may take connections
 * @param placement how one of them is chosen
 * @param affinity by what a client is known again; means nothing unless the placement is by it
 * @param slowStart how long a pod that joins is spared; zero not at all
 * @param targetUtilisation how much of the pods' limits is to be in use when there are as many pods
 *     as there should be; 0.1 to 1. Decides nothing about checks
 * @param clusters names of Envoy's clusters that are this pool beside its own name, {@code *} being
 *     any characters; no other pool may claim one
 * @param hosts which requests are this pool's, of Envoys that do not name it
 * @param kubernetes where the pods are found, in place of {@code pods}; null when they are named
 */
public record PoolPolicy(
    String pool,
    Double connectionsPerSecond,
    Integer burstCapacity,
    Integer perPodMaxConnections,
    Mode mode,
    OnOwnerLoss onOwnerLoss,
    List<Pod> pods,
    Placement placement,
    Affinity affinity,
    @JsonSerialize(converter = DurationText.Writer.class)
        @JsonDeserialize(converter = DurationText.Reader.class)
        Duration slowStart,
    Double targetUtilisation,
    List<String> clusters,
    List<HostMatch> hosts,
    @JsonInclude(JsonInclude.Include.NON_NULL) @Nullable KubernetesPods kubernetes) {

  /** How the pod of a connection is chosen. */
  public enum Placement {
    /** The pod that holds the fewest. */
    LEAST_CONNECTIONS,
    /** The pod that the client was on before, while it has room. */
    AFFINITY;

    @JsonValue
    public String label() {
      return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }
  }

  /** Whether decisions bind. */
  public enum Mode {
    ENFORCE,
    /** Decide and record; neither reject nor place. */
    SHADOW;

    @JsonValue
    public String label() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  /** What an instance answers for a pool whose owner cannot be asked. */
  public enum OnOwnerLoss {
    /** A standby admits from its share of the remaining room. */
    SHARE,
    DENY,
    ALLOW;

    @JsonValue
    public String label() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  /** No rate limit. */
  public static final double UNLIMITED_RATE = Double.POSITIVE_INFINITY;

  public static final int MAX_PER_POD = 10_000_000;
  public static final int MAX_BURST = 1_000_000;
  public static final double MIN_RATE = 0.001;
  public static final double MAX_RATE = 1_000_000;
  public static final Duration DEFAULT_SLOW_START = Duration.ofSeconds(30);
  private static final Duration MAX_SLOW_START = Duration.ofHours(1);
  private static final double DEFAULT_TARGET_UTILISATION = 0.8;
  private static final double MIN_TARGET_UTILISATION = 0.1;

  /** Names and patterns of clusters, and hosts, that one pool may claim. */
  private static final int MAX_CLAIMS = 64;

  private static final int MAX_CLUSTER = 256;
  private static final int MAX_NAME = 128;

  /** The most pods of a pool. */
  public static final int MAX_PODS = 10_000;

  /** What the keys may be that have a range. */
  private static final Map<String, String> ALLOWED =
      Map.of(
          "connectionsPerSecond", "0.001 to 1000000",
          "burstCapacity", "1 to 1000000",
          "perPodMaxConnections", "1 to 10000000",
          "slowStart", "0s to 1h, written as 500ms, 10s, 5m or 1h",
          "targetUtilisation", "0.1 to 1",
          "affinity", Affinity.ALLOWED,
          "clusters",
              "up to 64 names of Envoy's clusters of 1 to 256 printable characters, * being any",
          "hosts", "up to 64 of " + HostMatch.ALLOWED,
          "kubernetes", KubernetesPods.ALLOWED);

  public PoolPolicy {
    if (!isValidName(pool)) {
      throw new IllegalArgumentException(
          "pool '" + pool + "': allowed are 1 to 128 letters, digits, '.', '_' and '-'");
    }
    connectionsPerSecond = Objects.requireNonNullElse(connectionsPerSecond, UNLIMITED_RATE);
    boolean unlimited = connectionsPerSecond == UNLIMITED_RATE;
    if (!unlimited && !(connectionsPerSecond >= MIN_RATE && connectionsPerSecond <= MAX_RATE)) {
      throw invalid("connectionsPerSecond", connectionsPerSecond);
    }
    burstCapacity =
        Objects.requireNonNullElse(
            burstCapacity, unlimited ? 1 : (int) Math.ceil(connectionsPerSecond));
    if (burstCapacity < 1 || burstCapacity > MAX_BURST) {
      throw invalid("burstCapacity", burstCapacity);
    }
    if (perPodMaxConnections == null
        || perPodMaxConnections < 1
        || perPodMaxConnections > MAX_PER_POD) {
      throw invalid(
          "perPodMaxConnections", Objects.requireNonNullElse(perPodMaxConnections, "missing"));
    }
    mode = Objects.requireNonNullElse(mode, Mode.ENFORCE);
    onOwnerLoss = Objects.requireNonNullElse(onOwnerLoss, OnOwnerLoss.SHARE);
    placement = Objects.requireNonNullElse(placement, Placement.LEAST_CONNECTIONS);
    affinity = Objects.requireNonNullElse(affinity, Affinity.NONE);
    slowStart = Objects.requireNonNullElse(slowStart, DEFAULT_SLOW_START);
    targetUtilisation = Objects.requireNonNullElse(targetUtilisation, DEFAULT_TARGET_UTILISATION);
    if (placement == Placement.AFFINITY && affinity.isNone()) {
      throw invalid("affinity", "missing with placement affinity");
    }
    if (slowStart.isNegative() || slowStart.compareTo(MAX_SLOW_START) > 0) {
      throw invalid("slowStart", DurationText.of(slowStart));
    }
    if (!(targetUtilisation >= MIN_TARGET_UTILISATION && targetUtilisation <= 1)) {
      throw invalid("targetUtilisation", targetUtilisation);
    }
    clusters = clusters == null ? List.of() : List.copyOf(clusters);
    if (clusters.size() > MAX_CLAIMS) {
      throw invalid("clusters", clusters.size() + " names");
    }
    for (String cluster : clusters) {
      if (!isValidCluster(cluster)) {
        throw invalid("clusters", "'" + cluster + "'");
      }
    }
    hosts = hosts == null ? List.of() : List.copyOf(hosts);
    if (hosts.size() > MAX_CLAIMS) {
      throw invalid("hosts", hosts.size() + " entries");
    }
    pods = pods == null ? List.of() : List.copyOf(pods);
    if (pods.size() > MAX_PODS) {
      throw new InvalidPolicyException("pods", pods.size() + " pods", "up to " + MAX_PODS);
    }
    Set<Object> seen = new HashSet<>();
    for (int i = 0; i < pods.size(); i++) {
      Pod pod = pods.get(i);
      if (!seen.add(pod.name()) || !seen.add(pod.address())) {
        throw new InvalidPolicyException(
            "pods[" + i + "]",
            "'" + pod.name() + "' at " + pod.address(),
            "a name and an address that no other pod has");
      }
    }
  }

  /** One that has its defaults in all else. */
  @SuppressWarnings("NullAway") // the canonical constructor takes null for the default
  public PoolPolicy(
      String pool,
      double connectionsPerSecond,
      int burstCapacity,
      int perPodMaxConnections,
      Mode mode,
      OnOwnerLoss onOwnerLoss,
      List<Pod> pods) {
    this(
        pool,
        connectionsPerSecond,
        burstCapacity,
        perPodMaxConnections,
        mode,
        onOwnerLoss,
        pods,
        null,
        null,
        null,
        null,
        null,
        null,
        null);
  }

  /** The same pool with its connections placed so. */
  public PoolPolicy placing(Placement by, Affinity clients, Duration spared) {
    return new PoolPolicy(
        pool,
        connectionsPerSecond,
        burstCapacity,
        perPodMaxConnections,
        mode,
        onOwnerLoss,
        pods,
        by,
        clients,
        spared,
        targetUtilisation,
        clusters,
        hosts,
        kubernetes);
  }

  /** The same pool that claims these. */
  public PoolPolicy claiming(List<String> names, List<HostMatch> requests) {
    return new PoolPolicy(
        pool,
        connectionsPerSecond,
        burstCapacity,
        perPodMaxConnections,
        mode,
        onOwnerLoss,
        pods,
        placement,
        affinity,
        slowStart,
        targetUtilisation,
        names,
        requests,
        kubernetes);
  }

  /** The same pool with these pods. */
  public PoolPolicy withPods(List<Pod> others) {
    return new PoolPolicy(
        pool,
        connectionsPerSecond,
        burstCapacity,
        perPodMaxConnections,
        mode,
        onOwnerLoss,
        others,
        placement,
        affinity,
        slowStart,
        targetUtilisation,
        clusters,
        hosts,
        kubernetes);
  }

  private static InvalidPolicyException invalid(String key, Object value) {
    return new InvalidPolicyException(key, value, String.valueOf(ALLOWED.get(key)));
  }

  /** What a key with a range may be; null for others. */
  static @Nullable String allowed(String key) {
    return ALLOWED.get(key);
  }

  /** Whether {@code name} can name a pool. */
  public static boolean isValidName(String name) {
    if (name.isEmpty() || name.length() > MAX_NAME || !isLetterOrDigit(name.charAt(0))) {
      return false;
    }
    // A plain loop, because it runs for every record.
    for (int i = 1; i < name.length(); i++) {
      char c = name.charAt(i);
      if (!isLetterOrDigit(c) && c != '.' && c != '_' && c != '-') {
        return false;
      }
    }
    return true;
  }

  private static boolean isValidCluster(String cluster) {
    return !cluster.isEmpty()
        && cluster.length() <= MAX_CLUSTER
        && cluster.chars().allMatch(c -> c > ' ' && c <= '~');
  }

  private static boolean isLetterOrDigit(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
  }
}
