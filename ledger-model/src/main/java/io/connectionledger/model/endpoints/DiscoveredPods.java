package io.connectionledger.model.endpoints;

import io.connectionledger.model.PodAddress;
import io.connectionledger.model.endpoints.PoolEndpoints.Endpoint;
import java.util.Collection;
import java.util.Collections;
import java.util.Comparator;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.SequencedMap;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * The pods that Kubernetes has for a pool now.
 *
 * @param endpoints by address
 * @param stale one sentence that says why they may not be the present ones; null when they are
 */
public record DiscoveredPods(SortedMap<PodAddress, Endpoint> endpoints, @Nullable String stale) {

  /** No pod, as long as nothing is known. */
  public static final DiscoveredPods NONE =
      new DiscoveredPods(new TreeMap<>(Map.of()), "no EndpointSlice has been seen yet");

  /** While a pod moves from one slice to another it stands in both: the better news counts. */
  private static final Comparator<Endpoint> BEST_LAST =
      Comparator.comparing(Endpoint::ready)
          .thenComparing(Endpoint::serving)
          .thenComparing(endpoint -> !endpoint.terminating());

  public DiscoveredPods {
    endpoints = Collections.unmodifiableSortedMap(new TreeMap<>(endpoints));
  }

  /**
   * What the slices of a pool come to.
   *
   * @param unheard why Kubernetes cannot be heard; null when it can
   */
  public static DiscoveredPods of(Collection<PoolEndpoints> slices, @Nullable String unheard) {
    SortedMap<PodAddress, Endpoint> endpoints = new TreeMap<>();
    String stale = unheard;
    for (PoolEndpoints slice : slices) {
      if (slice.stale() && stale == null) {
        stale = "Kubernetes names no pod any more, these are the last that it named";
      }
      for (Endpoint endpoint : slice.endpoints()) {
        endpoints.merge(
            endpoint.address(),
            endpoint,
            (one, other) -> BEST_LAST.compare(one, other) >= 0 ? one : other);
      }
    }
    return new DiscoveredPods(endpoints, stale);
  }

  /**
   * What each is called, in the order of the addresses; of two of one name the later one by its.
   */
  public SequencedMap<PodAddress, String> names() {
    SequencedMap<PodAddress, String> names = new LinkedHashMap<>();
    Set<String> taken = new HashSet<>();
    endpoints.forEach(
        (address, endpoint) ->
            names.put(address, taken.add(endpoint.name()) ? endpoint.name() : address.toString()));
    return names;
  }

  /** Those that are about to stop. */
  public Set<PodAddress> terminating() {
    return endpoints.values().stream()
        .filter(Endpoint::terminating)
        .map(Endpoint::address)
        .collect(Collectors.toUnmodifiableSet());
  }

  /** Those that are not ready for new connections, the terminating ones not included. */
  public Set<PodAddress> notReady() {
    return endpoints.values().stream()
        .filter(endpoint -> !endpoint.ready() && !endpoint.terminating())
        .map(Endpoint::address)
        .collect(Collectors.toUnmodifiableSet());
  }

  /** What is known of the pod at an address; null when Kubernetes does not name it. */
  public @Nullable Endpoint endpoint(PodAddress address) {
    return endpoints.get(address);
  }

  /** The addresses of those that are named or addressed so. */
  public Set<PodAddress> named(Collection<String> written) {
    return endpoints.values().stream()
        .filter(
            endpoint ->
                written.contains(endpoint.name())
                    || written.contains(endpoint.address().toString()))
        .map(Endpoint::address)
        .collect(Collectors.toUnmodifiableSet());
  }
}
