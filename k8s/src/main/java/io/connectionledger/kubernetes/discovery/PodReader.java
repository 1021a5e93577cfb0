package io.connectionledger.kubernetes.discovery;

import io.connectionledger.model.PodAddress;
import io.connectionledger.model.endpoints.PoolEndpoints.Endpoint;
import io.connectionledger.model.policy.KubernetesPods;
import io.fabric8.kubernetes.api.model.Container;
import io.fabric8.kubernetes.api.model.ContainerPort;
import io.fabric8.kubernetes.api.model.Pod;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * Reads pods themselves, which were selected by their labels. They are spread over slices of our
 * own by their names, always in the same way, so that no record of ten thousand pods is too large.
 */
final class PodReader implements EndpointReader<Pod> {

  private static final int SLICES = 32;
  private static final Pattern NUMBER = Pattern.compile("\\d{1,5}");

  @Override
  public boolean concerns(Pod pod, KubernetesPods wanted) {
    return true;
  }

  @Override
  public SortedMap<String, List<Endpoint>> endpoints(Collection<Pod> pods, KubernetesPods wanted) {
    SortedMap<String, List<Endpoint>> slices = new TreeMap<>();
    for (Pod pod : pods) {
      endpoint(pod, wanted.port())
          .ifPresent(
              endpoint ->
                  slices
                      .computeIfAbsent(slice(endpoint.name()), name -> new ArrayList<>())
                      .add(endpoint));
    }
    slices.values().forEach(slice -> slice.sort(Comparator.comparing(Endpoint::address)));
    return slices;
  }

  private static String slice(String pod) {
    return "pods-" + Math.floorMod(pod.hashCode(), SLICES);
  }

  /** Empty for a pod that has no address yet, has ended, or has no such port. */
  private static Optional<Endpoint> endpoint(Pod pod, String wanted) {
    String ip = pod.getStatus() == null ? null : pod.getStatus().getPodIP();
    if (ip == null || ip.isEmpty() || hasEnded(pod)) {
      return Optional.empty();
    }
    boolean serving =
        pod.getStatus().getConditions().stream()
            .anyMatch(
                condition ->
                    "Ready".equals(condition.getType()) && "True".equals(condition.getStatus()));
    boolean terminating = pod.getMetadata().getDeletionTimestamp() != null;
    return port(pod, wanted)
        .map(
            port ->
                new Endpoint(
                    pod.getMetadata().getName(),
                    new PodAddress(ip, port),
                    null,
                    serving && !terminating,
                    serving,
                    terminating));
  }

  private static boolean hasEnded(Pod pod) {
    String phase = pod.getStatus().getPhase();
    return "Succeeded".equals(phase) || "Failed".equals(phase);
  }

  private static Optional<Integer> port(Pod pod, String wanted) {
    if (NUMBER.matcher(wanted).matches()) {
      return Optional.of(Integer.valueOf(wanted));
    }
    // A sidecar is an init container.
    return Stream.concat(
            pod.getSpec().getContainers().stream(), pod.getSpec().getInitContainers().stream())
        .map(Container::getPorts)
        .flatMap(List::stream)
        .filter(port -> wanted.equals(port.getName()))
        .map(ContainerPort::getContainerPort)
        .filter(Objects::nonNull)
        .findFirst();
  }
}
