package io.connectionledger.model.endpoints;

import com.fasterxml.jackson.annotation.JsonInclude;
import io.connectionledger.model.PodAddress;
import io.connectionledger.model.Topics;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What one EndpointSlice of Kubernetes says of the pods of a pool: a value of {@link
 * Topics#ENDPOINTS}, of which that with the highest resource version counts.
 *
 * @param slice the name of the slice; {@code pods-0} to {@code pods-31} where a selector finds them
 * @param resourceVersion of the API server when this was so: of two, the later one is not lower
 * @param stale whether Kubernetes names no endpoint any more and these are the last that it named
 */
public record PoolEndpoints(
    String pool, String slice, long resourceVersion, boolean stale, List<Endpoint> endpoints) {

  public PoolEndpoints {
    // What reads JSON leaves an absent list null.
    endpoints = endpoints == null ? List.of() : List.copyOf(endpoints);
  }

  /**
   * One pod.
   *
   * @param name of the pod; its address when Kubernetes names none
   * @param zone in which it runs; null when that is not known
   * @param ready whether it takes new connections
   * @param serving whether it would, were it not terminating
   */
  public record Endpoint(
      String name,
      PodAddress address,
      @JsonInclude(JsonInclude.Include.NON_NULL) @Nullable String zone,
      boolean ready,
      boolean serving,
      boolean terminating) {}

  /** The key of the record. */
  public String key() {
    return key(pool, slice);
  }

  /** The key of a slice's record. */
  public static String key(String pool, String slice) {
    return pool + '|' + slice;
  }
}
