package io.connectionledger.controlplane;

import io.connectionledger.model.policy.Pod;
import io.connectionledger.model.policy.PoolPolicy;
import io.envoyproxy.envoy.config.core.v3.Address;
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

/** Turns policies into what Envoy calls cluster load assignments. Pure. */
final class Assignments {

  private static final int VERSION_BYTES = 8;

  private Assignments() {}

  /** One assignment a pool, in an order that depends on nothing but the content. */
  static List<ClusterLoadAssignment> of(Collection<PoolPolicy> policies) {
    return policies.stream()
        .sorted(Comparator.comparing(PoolPolicy::pool))
        .map(Assignments::assignment)
        .toList();
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

  private static ClusterLoadAssignment assignment(PoolPolicy policy) {
    LocalityLbEndpoints.Builder pods = LocalityLbEndpoints.newBuilder();
    policy.pods().stream()
        .sorted(Comparator.comparing(Pod::address))
        .forEach(pod -> pods.addLbEndpoints(endpoint(pod)));
    return ClusterLoadAssignment.newBuilder()
        .setClusterName(policy.pool())
        .addEndpoints(pods)
        .build();
  }

  private static LbEndpoint endpoint(Pod pod) {
    SocketAddress.Builder socket =
        SocketAddress.newBuilder()
            .setAddress(pod.address().ip())
            .setPortValue(pod.address().port());
    return LbEndpoint.newBuilder()
        .setEndpoint(
            Endpoint.newBuilder().setAddress(Address.newBuilder().setSocketAddress(socket)))
        .build();
  }
}
