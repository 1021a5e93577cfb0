package io.connectionledger.app.audit;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Compares counts that are never read at the same moment. In one look the ledger is asked, then the
 * Envoys, then the ledger again; what the Envoys count may be anything between the least that the
 * ledger had open and the most that it had open or reserved. What a connection does in between, and
 * what its Envoy has yet to tell, shows in one look and is gone in another: only a pod that is off
 * in the same direction in every look has drifted. Not thread-safe.
 */
final class Audit {

  private final Map<String, Row> last = new LinkedHashMap<>();
  private boolean looked;

  /**
   * A pod in the last look.
   *
   * @param pod its name
   * @param open the ledger's count, after the Envoys were asked
   * @param envoys the count of all Envoys together
   * @param drift by how much the Envoys' is above or below what it may be, the least in all looks;
   *     0: it has not drifted
   */
  record Row(String pool, String pod, String address, long open, long envoys, long drift) {}

  /**
   * One look at one pool.
   *
   * @param before the ledger's answer about connections
   * @param after likewise
   * @param envoys by address
   */
  record Look(String pool, JsonNode before, JsonNode after, Map<String, Long> envoys) {}

  /** Takes in one look at all pools. */
  void add(List<Look> looks) {
    Map<String, Row> earlier = new HashMap<>(last);
    last.clear();
    for (Look look : looks) {
      Map<String, JsonNode> before = byAddress(look.before());
      Map<String, JsonNode> after = byAddress(look.after());
      Set<String> addresses = new LinkedHashSet<>(after.keySet());
      addresses.addAll(before.keySet());
      look.envoys().keySet().stream().sorted().forEach(addresses::add);
      for (String address : addresses) {
        Range allowed = Range.of(before.get(address), after.get(address));
        long counted = look.envoys().getOrDefault(address, 0L);
        String key = look.pool() + ' ' + address;
        last.put(
            key,
            new Row(
                look.pool(),
                name(after.getOrDefault(address, before.get(address)), address),
                address,
                after.containsKey(address) ? after.get(address).path("active").asLong() : 0,
                counted,
                lasting(earlier.get(key), allowed.missedBy(counted))));
      }
    }
    looked = true;
  }

  /** The first look shows what the others can only make smaller. */
  private long lasting(@Nullable Row earlier, long now) {
    if (!looked) {
      return now;
    }
    if (earlier == null || Long.signum(earlier.drift()) != Long.signum(now)) {
      return 0;
    }
    return now > 0 ? Math.min(earlier.drift(), now) : Math.max(earlier.drift(), now);
  }

  private static Map<String, JsonNode> byAddress(JsonNode connections) {
    Map<String, JsonNode> pods = new LinkedHashMap<>();
    connections.path("pods").forEach(pod -> pods.put(pod.path("address").asText(), pod));
    return pods;
  }

  private static String name(@Nullable JsonNode pod, String address) {
    return pod == null ? address : pod.path("pod").asText();
  }

  /** All pods of the last look. */
  List<Row> rows() {
    return new ArrayList<>(last.values());
  }

  /** How many pods have drifted. */
  long drifted() {
    return last.values().stream().filter(row -> row.drift() != 0).count();
  }

  /** What the Envoys may count. */
  private record Range(long least, long most) {

    static Range of(@Nullable JsonNode before, @Nullable JsonNode after) {
      return new Range(
          Math.min(count(before, "active"), count(after, "active")),
          Math.max(
              count(before, "active") + count(before, "reserved"),
              count(after, "active") + count(after, "reserved")));
    }

    private static long count(@Nullable JsonNode pod, String key) {
      return pod == null ? 0 : pod.path(key).asLong();
    }

    long missedBy(long counted) {
      return counted > most ? counted - most : Math.min(0, counted - least);
    }
  }
}
