package io.connectionledger.kubernetes.discovery;

import io.connectionledger.model.endpoints.PoolEndpoints;
import io.connectionledger.model.endpoints.PoolEndpoints.Endpoint;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * What is to be published of one pool, given what Kubernetes has and what is published already. No
 * I/O, and no thread but the caller's.
 *
 * <p>Every instance does this at once. So a record says which version of the API server it is from,
 * and whoever is behind that neither replaces nor misses it. A slice that ends is first published
 * without endpoints, which has a version, and removed, which has none, when everybody must have
 * seen that. A pool that would have no endpoints at all keeps its last ones, marked as stale.
 */
final class EndpointRules {

  /** For so long a record of ours counts before it is seen among the published. */
  static final Duration IN_FLIGHT = Duration.ofSeconds(10);

  /**
   * After so long nobody who watches is behind any more. What is from a later version then is from
   * another life of the API server, one whose data were lost.
   */
  static final Duration SETTLED = Duration.ofSeconds(30);

  /**
   * One thing to write.
   *
   * @param record null to remove the slice
   */
  record Change(String slice, @Nullable PoolEndpoints record) {}

  /**
   * What follows from what Kubernetes has.
   *
   * @param list to write, in this order; mostly empty
   * @param kept how many endpoints are kept although Kubernetes has none
   */
  record Changes(List<Change> list, int kept) {}

  private record Write(@Nullable PoolEndpoints record, long version, long atNanos) {}

  private final String pool;
  private final Map<String, Write> writes = new HashMap<>();

  /** Since when a slice is to be removed, or is published from a later version, by slice. */
  private final Map<String, Long> waitingSince = new HashMap<>();

  EndpointRules(String pool) {
    this.pool = pool;
  }

  /**
   * Decides; what it says is taken as written.
   *
   * @param observed the endpoints by slice, no slice without any
   * @param version of the API server that had them
   * @param published the latest record of each slice that is published
   */
  Changes changes(
      Map<String, List<Endpoint>> observed,
      long version,
      Collection<PoolEndpoints> published,
      long nowNanos) {
    Map<String, PoolEndpoints> before = before(published, nowNanos);
    Set<String> slices = new TreeSet<>(before.keySet());
    slices.addAll(observed.keySet());
    waitingSince.keySet().retainAll(slices);
    List<Change> changes = new ArrayList<>();
    int kept = 0;
    for (String slice : slices) {
      PoolEndpoints was = before.get(slice);
      List<Endpoint> last = was == null ? List.of() : was.endpoints();
      boolean keeps = observed.isEmpty() && !last.isEmpty();
      List<Endpoint> endpoints = keeps ? last : observed.getOrDefault(slice, List.of());
      kept += keeps ? last.size() : 0;
      PoolEndpoints wanted = new PoolEndpoints(pool, slice, version, keeps, endpoints);
      if (was == null || (!isEqual(was, wanted) && was.resourceVersion() <= version)) {
        changes.add(new Change(slice, wanted));
        waitingSince.remove(slice);
      } else if (!isEqual(was, wanted)) {
        if (isSettled(slice, nowNanos)) {
          // Readers take no earlier version but of a slice that they do not have.
          changes.add(new Change(slice, null));
          changes.add(new Change(slice, wanted));
        }
      } else if (endpoints.isEmpty()) {
        if (isSettled(slice, nowNanos)) {
          changes.add(new Change(slice, null));
        }
      } else {
        waitingSince.remove(slice);
      }
    }
    for (Change change : changes) {
      writes.put(change.slice(), new Write(change.record(), version, nowNanos));
    }
    return new Changes(changes, kept);
  }

  private Map<String, PoolEndpoints> before(Collection<PoolEndpoints> published, long nowNanos) {
    Map<String, PoolEndpoints> before = new HashMap<>();
    published.forEach(record -> before.put(record.slice(), record));
    writes.values().removeIf(write -> nowNanos - write.atNanos() >= IN_FLIGHT.toNanos());
    writes.forEach(
        (slice, write) -> {
          PoolEndpoints there = before.get(slice);
          if (there == null || there.resourceVersion() <= write.version()) {
            PoolEndpoints ours = write.record();
            if (ours == null) {
              before.remove(slice);
            } else {
              before.put(slice, ours);
            }
          }
        });
    return before;
  }

  private boolean isSettled(String slice, long nowNanos) {
    Long since = waitingSince.putIfAbsent(slice, nowNanos);
    boolean settled = since != null && nowNanos - since >= SETTLED.toNanos();
    if (settled) {
      waitingSince.remove(slice);
    }
    return settled;
  }

  private static boolean isEqual(PoolEndpoints one, PoolEndpoints other) {
    return one.stale() == other.stale() && one.endpoints().equals(other.endpoints());
  }
}
