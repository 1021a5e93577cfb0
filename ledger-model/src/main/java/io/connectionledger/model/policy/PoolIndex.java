package io.connectionledger.model.policy;

import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * Which pool one of Envoy's clusters, or a request, belongs to, by what the policies claim. A
 * pool's own name is a cluster that it claims. Immutable.
 */
public final class PoolIndex {

  /** Claims nothing. */
  public static final PoolIndex EMPTY = new PoolIndex(List.of());

  private final Map<String, String> clusters = new HashMap<>();
  private final Map<String, String> patterns = new TreeMap<>();
  private final Map<String, List<Claim>> hosts = new HashMap<>();

  private record Claim(HostMatch match, String pool) {}

  /**
   * What two pools claim, as the sentence of a policy that is wrong.
   *
   * @param pool whose claim comes second
   * @param key of that pool's policy
   * @param value the claim
   * @param other whose claim came first
   */
  public record Conflict(String pool, String key, String value, String other) {

    /** Whether this is one of the two. */
    public boolean isOf(String name) {
      return pool.equals(name) || other.equals(name);
    }

    /** What the key may have in the policy of {@code name}. */
    public String allowed(String name) {
      return "what no other pool claims; pool '" + (pool.equals(name) ? other : pool) + "' does";
    }

    @Override
    public String toString() {
      return "pools." + pool + "." + key + " has '" + value + "': allowed is " + allowed(pool);
    }
  }

  private PoolIndex(Collection<PoolPolicy> policies) {
    sorted(policies)
        .forEach(
            policy -> {
              clusters.putIfAbsent(policy.pool(), policy.pool());
              for (String cluster : policy.clusters()) {
                (isPattern(cluster) ? patterns : clusters).putIfAbsent(cluster, policy.pool());
              }
              for (HostMatch match : policy.hosts()) {
                hosts
                    .computeIfAbsent(match.host(), host -> new ArrayList<>())
                    .add(new Claim(match, policy.pool()));
              }
            });
    hosts
        .values()
        .forEach(
            claims ->
                claims.sort(
                    Comparator.comparingInt((Claim claim) -> claim.match.pathPrefix().length())
                        .reversed()));
  }

  /** Of what several pools claim, the first by name has it. */
  public static PoolIndex of(Collection<PoolPolicy> policies) {
    return new PoolIndex(policies);
  }

  private static List<PoolPolicy> sorted(Collection<PoolPolicy> policies) {
    return policies.stream().sorted(Comparator.comparing(PoolPolicy::pool)).toList();
  }

  private static boolean isPattern(String cluster) {
    return cluster.indexOf('*') >= 0;
  }

  /** The pool of a cluster; null when none claims it. */
  public @Nullable String byCluster(String cluster) {
    String pool = clusters.get(cluster);
    if (pool == null && !patterns.isEmpty()) {
      for (Map.Entry<String, String> pattern : patterns.entrySet()) {
        if (overlap(pattern.getKey(), cluster)) {
          return pattern.getValue();
        }
      }
    }
    return pool;
  }

  /**
   * The pool of a request; null when none claims it. An exact host is before a wildcard, the longer
   * wildcard before the shorter, and then the longer path.
   *
   * @param authority the host, with a port or without
   * @param path as requested, with its query
   */
  public @Nullable String byRequest(String authority, String path) {
    if (hosts.isEmpty()) {
      return null;
    }
    String host = withoutPort(authority).toLowerCase(Locale.ROOT);
    String pool = byPath(host, path);
    for (int dot = host.indexOf('.'); pool == null && dot >= 0; dot = host.indexOf('.', dot + 1)) {
      pool = byPath('*' + host.substring(dot), path);
    }
    return pool;
  }

  private static String withoutPort(String authority) {
    int colon = authority.lastIndexOf(':');
    return colon >= 0 && authority.indexOf(']', colon) < 0 && isPort(authority, colon + 1)
        ? authority.substring(0, colon)
        : authority;
  }

  private static boolean isPort(String authority, int from) {
    // An IPv6 literal without brackets has more than one colon, and no port.
    return authority.chars().skip(from).allMatch(c -> c >= '0' && c <= '9')
        && (authority.indexOf(':') == from - 1 || authority.charAt(from - 2) == ']');
  }

  private @Nullable String byPath(String host, String path) {
    for (Claim claim : hosts.getOrDefault(host, List.of())) {
      if (claim.match.takes(path)) {
        return claim.pool;
      }
    }
    return null;
  }

  /** What two of these pools claim; empty when there is nothing. */
  public static Optional<Conflict> conflict(Collection<PoolPolicy> policies) {
    Map<String, String> names = new HashMap<>();
    Map<String, String> requests = new HashMap<>();
    Map<String, String> patterns = new TreeMap<>();
    List<PoolPolicy> all = sorted(policies);
    all.forEach(policy -> names.put(policy.pool(), policy.pool()));
    for (PoolPolicy policy : all) {
      String pool = policy.pool();
      for (String cluster : policy.clusters()) {
        String other = (isPattern(cluster) ? patterns : names).putIfAbsent(cluster, pool);
        if (other != null && !other.equals(pool)) {
          return Optional.of(new Conflict(pool, "clusters", cluster, other));
        }
      }
      for (HostMatch match : policy.hosts()) {
        String other = requests.putIfAbsent(match.toString(), pool);
        if (other != null && !other.equals(pool)) {
          return Optional.of(new Conflict(pool, "hosts", match.toString(), other));
        }
      }
    }
    return patternConflict(names, patterns);
  }

  private static Optional<Conflict> patternConflict(
      Map<String, String> names, Map<String, String> patterns) {
    for (Map.Entry<String, String> pattern : patterns.entrySet()) {
      for (Map<String, String> others : List.of(names, patterns)) {
        for (Map.Entry<String, String> other : others.entrySet()) {
          if (!other.getValue().equals(pattern.getValue())
              && overlap(pattern.getKey(), other.getKey())) {
            return Optional.of(
                new Conflict(pattern.getValue(), "clusters", pattern.getKey(), other.getValue()));
          }
        }
      }
    }
    return Optional.empty();
  }

  /** Whether two patterns have a name in common; a name is a pattern without an asterisk. */
  static boolean overlap(String one, String other) {
    // reach[j]: whether the rest of one from i on and of other from j on have something in common.
    boolean[] next = new boolean[other.length() + 1];
    for (int i = one.length(); i >= 0; i--) {
      boolean[] reach = new boolean[other.length() + 1];
      for (int j = other.length(); j >= 0; j--) {
        boolean ended = i == one.length();
        boolean otherEnded = j == other.length();
        if (ended && otherEnded) {
          reach[j] = true;
        } else if (!ended && one.charAt(i) == '*') {
          reach[j] = next[j] || (!otherEnded && reach[j + 1]);
        } else if (!otherEnded && other.charAt(j) == '*') {
          reach[j] = reach[j + 1] || (!ended && next[j]);
        } else {
          reach[j] = !ended && !otherEnded && one.charAt(i) == other.charAt(j) && next[j + 1];
        }
      }
      next = reach;
    }
    return next[0];
  }
}
