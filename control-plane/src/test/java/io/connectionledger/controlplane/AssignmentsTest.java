package io.connectionledger.controlplane;

import static org.assertj.core.api.Assertions.assertThat;

import io.connectionledger.model.PodAddress;
import io.connectionledger.model.endpoints.DiscoveredPods;
import io.connectionledger.model.endpoints.PoolEndpoints;
import io.connectionledger.model.endpoints.PoolEndpoints.Endpoint;
import io.connectionledger.model.policy.Pod;
import io.connectionledger.model.policy.PolicyRecord;
import io.connectionledger.model.policy.PoolPolicy;
import io.connectionledger.testkit.PolicyFixtures;
import io.envoyproxy.controlplane.cache.Resources.ResourceType;
import io.envoyproxy.envoy.config.core.v3.HealthStatus;
import io.envoyproxy.envoy.config.endpoint.v3.ClusterLoadAssignment;
import io.envoyproxy.envoy.config.endpoint.v3.LbEndpoint;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

final class AssignmentsTest {

  @Test
  void shouldNameEachPoolWithItsPods() {
    // When
    List<ClusterLoadAssignment> assignments =
        assignments(pool("quiet"), pool("chat", "10.0.0.1:80", "[FD00:0:0::0007]:81"));

    // Then
    assertThat(assignments)
        .extracting(ClusterLoadAssignment::getClusterName)
        .containsExactly("chat", "quiet");
    assertThat(addresses(assignments.getFirst())).containsExactly("10.0.0.1:80", "fd00::7:81");
    assertThat(addresses(assignments.getLast())).isEmpty();
  }

  @Test
  void shouldKeepTheVersionWhenOnlyTheOrderChanges() {
    // Given
    PoolPolicy other = pool("other", "10.0.0.9:80");
    String version = versionOf(pool("chat", "10.0.0.1:80", "10.0.0.2:80"), other);

    // When
    String reordered = versionOf(other, pool("chat", "10.0.0.2:80", "10.0.0.1:80"));

    // Then
    assertThat(reordered).isEqualTo(version);
  }

  @Test
  void shouldChangeTheVersionWithAnyPod() {
    // Given
    String version = versionOf(pool("chat", "10.0.0.1:80"));

    // When
    Stream<String> others =
        Stream.of(
            versionOf(pool("chat", "10.0.0.1:81")),
            versionOf(pool("chat", "10.0.0.1:80", "10.0.0.2:80")),
            versionOf(pool("chat")),
            versionOf(pool("chat2", "10.0.0.1:80")));

    // Then
    assertThat(others).doesNotContain(version).doesNotHaveDuplicates();
  }

  @Test
  void shouldChangeTheVersionOfThePoolsThatChangeOnly() {
    // Given
    EndpointSnapshot before = snapshot(pool("chat", "10.0.0.1:80"), pool("games", "10.0.0.2:80"));

    // When
    EndpointSnapshot after = snapshot(pool("chat", "10.0.0.1:80"), pool("games", "10.0.0.3:80"));

    // Then
    assertThat(version(after, "chat")).isEqualTo(version(before, "chat"));
    assertThat(version(after, "games")).isNotEqualTo(version(before, "games"));
    assertThat(version(after, "games", "chat")).isNotEqualTo(version(before, "chat", "games"));
    assertThat(version(after, "chat", "games"))
        .isEqualTo(version(after, "games", "chat"))
        .isEqualTo(version(after));
  }

  @Test
  void shouldTellTheZoneAndTheHealthThatKubernetesKnows() {
    // Given
    PolicyRecord record =
        fromKubernetes(
            endpoint("10.0.0.1:80", "zone-b", true, false),
            endpoint("10.0.0.2:80", "zone-a", false, false),
            endpoint("10.0.0.3:80", "zone-b", false, true));

    // When
    ClusterLoadAssignment assignment = Assignments.of(List.of(record)).getFirst();

    // Then
    assertThat(assignment.getEndpointsList())
        .extracting(locality -> locality.getLocality().getZone())
        .containsExactly("zone-a", "zone-b");
    assertThat(assignment.getEndpointsList())
        .flatExtracting(locality -> locality.getLbEndpointsList())
        .extracting(LbEndpoint::getHealthStatus)
        .containsExactly(HealthStatus.UNHEALTHY, HealthStatus.HEALTHY, HealthStatus.DRAINING);
  }

  @Test
  void shouldSayNothingOfAPoolWhosePodsAreNotKnownYet() {
    assertThat(Assignments.of(List.of(fromKubernetes()))).isEmpty();
  }

  private static PolicyRecord fromKubernetes(Endpoint... endpoints) {
    PoolPolicy written = PolicyFixtures.inKubernetes("chat", 1, "chat");
    PoolEndpoints slice = new PoolEndpoints("chat", "slice", 1, false, List.of(endpoints));
    return PolicyRecord.ofBase(written, Set.of(), 0)
        .resolved(DiscoveredPods.of(List.of(slice), null), Set.of());
  }

  private static Endpoint endpoint(String address, String zone, boolean ready, boolean ends) {
    return new Endpoint("at " + address, PodAddress.parse(address), zone, ready, true, ends);
  }

  private static String version(EndpointSnapshot snapshot, String... pools) {
    return snapshot.version(ResourceType.ENDPOINT, List.of(pools));
  }

  private static String versionOf(PoolPolicy... policies) {
    return snapshot(policies).version(ResourceType.ENDPOINT, List.of());
  }

  private static EndpointSnapshot snapshot(PoolPolicy... policies) {
    return new EndpointSnapshot(assignments(policies));
  }

  private static List<ClusterLoadAssignment> assignments(PoolPolicy... policies) {
    return Assignments.of(
        Stream.of(policies).map(policy -> PolicyRecord.ofBase(policy, Set.of(), 0)).toList());
  }

  private static List<String> addresses(ClusterLoadAssignment assignment) {
    return assignment.getEndpointsList().stream()
        .flatMap(locality -> locality.getLbEndpointsList().stream())
        .map(pod -> pod.getEndpoint().getAddress().getSocketAddress())
        .map(socket -> socket.getAddress() + ":" + socket.getPortValue())
        .toList();
  }

  private static PoolPolicy pool(String name, String... addresses) {
    List<Pod> pods =
        Stream.of(addresses)
            .map(text -> new Pod("pod at " + text, PodAddress.parse(text)))
            .toList();
    return PolicyFixtures.limited(name, 1, 10, 2, PoolPolicy.OnOwnerLoss.SHARE, pods);
  }
}
