package io.connectionledger.controlplane;

import io.connectionledger.model.PodAddress;
import io.connectionledger.model.endpoints.DiscoveredPods;
import io.connectionledger.model.endpoints.PoolEndpoints;
import io.connectionledger.model.policy.Pod;
import io.connectionledger.model.policy.PolicyRecord;
import io.envoyproxy.envoy.config.core.v3.Address;
import io.envoyproxy.envoy.config.core.v3.HealthStatus;
import io.envoyproxy.envoy.config.core.v3.Locality;
import io.envoyproxy.envoy.config.core.v3.SocketAddress;
import io.envoyproxy.envoy.config.endpoint.v3.ClusterLoadAssignment;
import io.envoyproxy.envoy.config.endpoint.v3.Endpoint;
import io.envoyproxy.envoy.config.endpoint.v3.LbEndpoint;
import io.envoyproxy.envoy.config.endpoint.v3.LocalityLbEndpoints;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Collection;
import java.util.Comparator;
import java.util.HexFormat;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** Turns policies and their pods into what Envoy calls cluster load assignments. Pure. */
final class Assignments {

  private static final int VERSION_BYTES = 8;

  private Assignments() {}

  /**
   * One assignment a pool, in an order that depends on nothing but the content. A pool of which
   * Kubernetes has named no pod yet has none, so that an Envoy keeps those that it has.
   */
  static List<ClusterLoadAssignment> of(Collection<PolicyRecord> policies) {
    return policies.stream()
        .filter(Assignments::isKnown)
        .sorted(Comparator.comparing(PolicyRecord::pool))
        .map(Assignments::assignment)
        .toList();
  }

  private static boolean isKnown(PolicyRecord record) {
    return record.policy().kubernetes() == null
        || (record.discovered() != null && !record.discovered().endpoints().isEmpty());
  }

  /** The same for equal assignments, in any process. */
  static String version(ClusterLoadAssignment assignment) {
    return version(assignment.toByteArray());
  }

  /** The same for equal texts, in any process. */
  static String version(String text) {
    return version(text.getBytes(StandardCharsets.UTF_8));
  }

  private static String version(byte[] content) {
    try {
      byte[] digest = MessageDigest.getInstance("SHA-256").digest(content);
      return HexFormat.of().formatHex(digest, 0, VERSION_BYTES);
    } catch (NoSuchAlgorithmException impossible) {
      throw new IllegalStateException("every Java platform has SHA-256", impossible);
    }
  }

  private static ClusterLoadAssignment assignment(PolicyRecord record) {
    ClusterLoadAssignment.Builder assignment =
        ClusterLoadAssignment.newBuilder().setClusterName(record.pool());
    DiscoveredPods discovered = record.discovered();
    SortedMap<String, LocalityLbEndpoints.Builder> zones = new TreeMap<>();
    record.policy().pods().stream()
        .map(Pod::address)
        .sorted()
        .forEach(
            pod -> {
              PoolEndpoints.Endpoint found = discovered == null ? null : discovered.endpoint(pod);
              String zone = found == null || found.zone() == null ? "" : found.zone();
              zones
                  .computeIfAbsent(zone, Assignments::locality)
                  .addLbEndpoints(endpoint(pod, found));
            });
    zones.values().forEach(assignment::addEndpoints);
    return assignment.build();
  }

  private static LocalityLbEndpoints.Builder locality(String zone) {
    LocalityLbEndpoints.Builder pods = LocalityLbEndpoints.newBuilder();
    return zone.isEmpty() ? pods : pods.setLocality(Locality.newBuilder().setZone(zone));
  }

  private static LbEndpoint endpoint(PodAddress pod, PoolEndpoints.@Nullable Endpoint found) {
    SocketAddress.Builder socket =
        SocketAddress.newBuilder().setAddress(pod.ip()).setPortValue(pod.port());
    return LbEndpoint.newBuilder()
        .setHealthStatus(health(found))
        .setEndpoint(
            Endpoint.newBuilder().setAddress(Address.newBuilder().setSocketAddress(socket)))
        .build();
  }

  /** Unknown, which Envoy takes for healthy, where nobody but Envoy looks. */
  private static HealthStatus health(PoolEndpoints.@Nullable Endpoint found) {
    if (found == null) {
      return HealthStatus.UNKNOWN;
    }
    if (found.terminating()) {
      return HealthStatus.DRAINING;
    }
    return found.ready() ? HealthStatus.HEALTHY : HealthStatus.UNHEALTHY;
  }
}
