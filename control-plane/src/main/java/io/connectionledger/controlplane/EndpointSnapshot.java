package io.connectionledger.controlplane;

import com.google.protobuf.Message;
import io.envoyproxy.controlplane.cache.Resources.ResourceType;
import io.envoyproxy.controlplane.cache.Snapshot;
import io.envoyproxy.controlplane.cache.VersionedResource;
import io.envoyproxy.envoy.config.endpoint.v3.ClusterLoadAssignment;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.stream.Collectors;

/**
 * The endpoints of all pools at one moment. The version that an Envoy sees is a hash of what it
 * asks for, so that it is sent nothing when only other pools change. Immutable.
 */
final class EndpointSnapshot extends Snapshot {

  private final Map<String, ClusterLoadAssignment> assignments = new TreeMap<>();
  private final Map<String, VersionedResource<? extends Message>> versioned = new TreeMap<>();
  private final String version;

  EndpointSnapshot(Collection<ClusterLoadAssignment> assignments) {
    for (ClusterLoadAssignment assignment : assignments) {
      String pool = assignment.getClusterName();
      this.assignments.put(pool, assignment);
      versioned.put(pool, VersionedResource.create(assignment, Assignments.version(assignment)));
    }
    version = version(versioned.keySet());
  }

  @Override
  public String version(ResourceType type, List<String> names) {
    return names.isEmpty() ? version : version(names);
  }

  private String version(Collection<String> pools) {
    return Assignments.version(
        pools.stream()
            .distinct()
            .sorted()
            .map(versioned::get)
            .filter(Objects::nonNull)
            .map(VersionedResource::version)
            .collect(Collectors.joining()));
  }

  @Override
  public Map<String, ? extends Message> resources(ResourceType type) {
    return type == ResourceType.ENDPOINT ? assignments : Map.of();
  }

  @Override
  public Map<String, VersionedResource<? extends Message>> versionedResources(ResourceType type) {
    return type == ResourceType.ENDPOINT ? versioned : Map.of();
  }
}
