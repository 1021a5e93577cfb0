package io.connectionledger.kubernetes.discovery;

import io.connectionledger.model.PodAddress;
import io.connectionledger.model.endpoints.PoolEndpoints;
import io.connectionledger.model.policy.KubernetesPods;
import io.fabric8.kubernetes.api.model.ObjectReference;
import io.fabric8.kubernetes.api.model.discovery.v1.Endpoint;
import io.fabric8.kubernetes.api.model.discovery.v1.EndpointConditions;
import io.fabric8.kubernetes.api.model.discovery.v1.EndpointPort;
import io.fabric8.kubernetes.api.model.discovery.v1.EndpointSlice;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Reads the EndpointSlices of a Service. A port's number is that of the pods, since slices do not
 * have the Service's. IPv6 slices are read where there are no endpoints with IPv4: a pod that has
 * both must not count as two.
 */
final class SliceReader implements EndpointReader<EndpointSlice> {

  /** The label that names the Service of a slice. */
  static final String SERVICE = "kubernetes.io/service-name";

  @Override
  public boolean concerns(EndpointSlice slice, KubernetesPods wanted) {
    return Objects.equals(wanted.service(), slice.getMetadata().getLabels().get(SERVICE));
  }

  @Override
  public SortedMap<String, List<PoolEndpoints.Endpoint>> endpoints(
      Collection<EndpointSlice> slices, KubernetesPods wanted) {
    SortedMap<String, List<PoolEndpoints.Endpoint>> found = endpoints(slices, wanted, "IPv4");
    return found.isEmpty() ? endpoints(slices, wanted, "IPv6") : found;
  }

  private SortedMap<String, List<PoolEndpoints.Endpoint>> endpoints(
      Collection<EndpointSlice> slices, KubernetesPods wanted, String family) {
    SortedMap<String, List<PoolEndpoints.Endpoint>> found = new TreeMap<>();
    for (EndpointSlice slice : slices) {
      if (family.equals(slice.getAddressType()) && concerns(slice, wanted)) {
        List<PoolEndpoints.Endpoint> endpoints =
            port(slice, wanted.port()).stream()
                .flatMap(port -> endpoints(slice, port))
                .sorted(Comparator.comparing(PoolEndpoints.Endpoint::address))
                .toList();
        if (!endpoints.isEmpty()) {
          found.put(slice.getMetadata().getName(), endpoints);
        }
      }
    }
    return found;
  }

  private static Optional<Integer> port(EndpointSlice slice, String wanted) {
    return some(slice.getPorts())
        .filter(port -> port.getProtocol() == null || port.getProtocol().equals("TCP"))
        .filter(port -> wanted.equals(port.getName()) || wanted.equals(number(port)))
        .map(EndpointPort::getPort)
        .filter(Objects::nonNull)
        .findFirst();
  }

  /** The API server writes null for none. */
  private static <T> Stream<T> some(@Nullable List<T> list) {
    return list == null ? Stream.empty() : list.stream();
  }

  private static String number(EndpointPort port) {
    return String.valueOf(port.getPort());
  }

  private static Stream<PoolEndpoints.Endpoint> endpoints(EndpointSlice slice, int port) {
    return some(slice.getEndpoints())
        .filter(endpoint -> !endpoint.getAddresses().isEmpty())
        .map(endpoint -> endpoint(endpoint, port));
  }

  private static PoolEndpoints.Endpoint endpoint(Endpoint endpoint, int port) {
    // Only the first counts: of the others Kubernetes says that they mean nothing.
    PodAddress address = new PodAddress(endpoint.getAddresses().getFirst(), port);
    ObjectReference target = endpoint.getTargetRef();
    EndpointConditions conditions =
        Objects.requireNonNullElseGet(endpoint.getConditions(), EndpointConditions::new);
    // What is not said is so for ready and serving.
    boolean ready = !Boolean.FALSE.equals(conditions.getReady());
    return new PoolEndpoints.Endpoint(
        target != null && "Pod".equals(target.getKind()) ? target.getName() : address.toString(),
        address,
        endpoint.getZone(),
        ready,
        Objects.requireNonNullElse(conditions.getServing(), ready),
        Boolean.TRUE.equals(conditions.getTerminating()));
  }
}
