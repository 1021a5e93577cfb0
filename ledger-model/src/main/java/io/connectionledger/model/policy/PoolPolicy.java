package io.connectionledger.model.policy;

import com.fasterxml.jackson.annotation.JsonValue;
import com.fasterxml.jackson.databind.annotation.JsonDeserialize;
import com.fasterxml.jackson.databind.annotation.JsonSerialize;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.Set;

/**
 * What an operator wants of one pool. It refuses to exist when it is wrong; the message names the
 * key, the value and what is allowed.
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
 */
public record PoolPolicy(
    String pool,
    double connectionsPerSecond,
    int burstCapacity,
    int perPodMaxConnections,
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
    List<HostMatch> hosts) {

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
  public static final Duration MAX_SLOW_START = Duration.ofHours(1);
  public static final double DEFAULT_TARGET_UTILISATION = 0.8;
  public static final double MIN_TARGET_UTILISATION = 0.1;

  /** Names and patterns of clusters, and hosts, that one pool may claim. */
  public static final int MAX_CLAIMS = 64;

  public static final String CLUSTERS_ALLOWED =
      "up to 64 names of Envoy's clusters of 1 to 256 printable characters, * being any";
  public static final String HOSTS_ALLOWED = "up to 64 of " + HostMatch.ALLOWED;
  private static final int MAX_CLUSTER = 256;
  private static final int MAX_NAME = 128;

  public PoolPolicy {
    if (!isValidName(pool)) {
      throw new IllegalArgumentException(
          "pool '" + pool + "': allowed are 1 to 128 letters, digits, '.', '_' and '-'");
    }
    if (!(connectionsPerSecond == UNLIMITED_RATE
        || (connectionsPerSecond >= MIN_RATE && connectionsPerSecond <= MAX_RATE))) {
      throw new InvalidPolicyException(
          "connections-per-second", connectionsPerSecond, "0.001 to 1000000");
    }
    if (burstCapacity < 1 || burstCapacity > MAX_BURST) {
      throw new InvalidPolicyException("burst-capacity", burstCapacity, "1 to 1000000");
    }
    if (perPodMaxConnections < 1 || perPodMaxConnections > MAX_PER_POD) {
      throw new InvalidPolicyException(
          "per-pod-max-connections", perPodMaxConnections, "1 to 10000000");
    }
    // What was written before there were these has none of them.
    placement = Objects.requireNonNullElse(placement, Placement.LEAST_CONNECTIONS);
    affinity = Objects.requireNonNullElse(affinity, Affinity.NONE);
    slowStart = Objects.requireNonNullElse(slowStart, DEFAULT_SLOW_START);
    targetUtilisation = Objects.requireNonNullElse(targetUtilisation, DEFAULT_TARGET_UTILISATION);
    if (placement == Placement.AFFINITY && affinity.isNone()) {
      throw new InvalidPolicyException(
          "affinity", "missing with placement affinity", Affinity.ALLOWED);
    }
    if (slowStart.isNegative() || slowStart.compareTo(MAX_SLOW_START) > 0) {
      throw new InvalidPolicyException("slow-start", DurationText.of(slowStart), "0s to 1h");
    }
    if (!(targetUtilisation >= MIN_TARGET_UTILISATION && targetUtilisation <= 1)) {
      throw new InvalidPolicyException("target-utilisation", targetUtilisation, "0.1 to 1");
    }
    clusters = clusters == null ? List.of() : List.copyOf(clusters);
    if (clusters.size() > MAX_CLAIMS) {
      throw new InvalidPolicyException("clusters", clusters.size() + " names", CLUSTERS_ALLOWED);
    }
    for (String cluster : clusters) {
      if (!isValidCluster(cluster)) {
        throw new InvalidPolicyException("clusters", "'" + cluster + "'", CLUSTERS_ALLOWED);
      }
    }
    hosts = hosts == null ? List.of() : List.copyOf(hosts);
    if (hosts.size() > MAX_CLAIMS) {
      throw new InvalidPolicyException("hosts", hosts.size() + " entries", HOSTS_ALLOWED);
    }
    pods = List.copyOf(pods);
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

  /** One that claims no cluster but its own name, and no requests. */
  public PoolPolicy(
      String pool,
      double connectionsPerSecond,
      int burstCapacity,
      int perPodMaxConnections,
      Mode mode,
      OnOwnerLoss onOwnerLoss,
      List<Pod> pods,
      Placement placement,
      Affinity affinity,
      Duration slowStart,
      Double targetUtilisation) {
    this(
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
        List.of(),
        List.of());
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
        requests);
  }

  /** One with the default target utilisation. */
  public PoolPolicy(
      String pool,
      double connectionsPerSecond,
      int burstCapacity,
      int perPodMaxConnections,
      Mode mode,
      OnOwnerLoss onOwnerLoss,
      List<Pod> pods,
      Placement placement,
      Affinity affinity,
      Duration slowStart) {
    this(
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
        DEFAULT_TARGET_UTILISATION);
  }

  /** One that places on the pod with the fewest connections. */
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
        Placement.LEAST_CONNECTIONS,
        Affinity.NONE,
        DEFAULT_SLOW_START);
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
