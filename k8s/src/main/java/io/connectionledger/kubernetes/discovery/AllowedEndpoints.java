package io.connectionledger.kubernetes.discovery;

import io.connectionledger.model.PodAddress;
import io.connectionledger.model.PodNetworks;
import io.connectionledger.model.endpoints.PoolEndpoints.Endpoint;
import io.connectionledger.model.policy.KubernetesPods;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Leaves out endpoints where no pod may be: whoever may write slices in one namespace must not lead
 * Envoy to its own admin port or a metadata service. Each is logged and counted once. Not
 * thread-safe.
 *
 * @param <T> what is read
 */
final class AllowedEndpoints<T> implements EndpointReader<T> {

  private static final Logger LOGGER = LoggerFactory.getLogger(AllowedEndpoints.class);

  /** So many that were refused are remembered; beyond that, one may be told of again. */
  private static final int MAX_REMEMBERED = 10_000;

  private final EndpointReader<T> reader;
  private final PodNetworks networks;
  private final Counter refused;
  private final Set<PodAddress> told = new HashSet<>();

  AllowedEndpoints(EndpointReader<T> reader, PodNetworks networks, MeterRegistry registry) {
    this.reader = reader;
    this.networks = networks;
    this.refused =
        Counter.builder("ledger.kubernetes.endpoints.refused")
            .description("Endpoints that Kubernetes has where no pod may be")
            .register(registry);
  }

  @Override
  public boolean concerns(T object, KubernetesPods wanted) {
    return reader.concerns(object, wanted);
  }

  @Override
  public SortedMap<String, List<Endpoint>> endpoints(Collection<T> objects, KubernetesPods wanted) {
    SortedMap<String, List<Endpoint>> allowed = new TreeMap<>();
    reader
        .endpoints(objects, wanted)
        .forEach(
            (slice, endpoints) -> {
              List<Endpoint> some = endpoints.stream().filter(this::isAllowed).toList();
              if (!some.isEmpty()) {
                allowed.put(slice, some);
              }
            });
    return allowed;
  }

  private boolean isAllowed(Endpoint endpoint) {
    return networks
        .refusal(endpoint.address())
        .map(
            allowed -> {
              tell(endpoint, allowed);
              return false;
            })
        .orElse(true);
  }

  private void tell(Endpoint endpoint, String allowed) {
    if (told.size() >= MAX_REMEMBERED) {
      told.clear();
    }
    if (told.add(endpoint.address())) {
      refused.increment();
      LOGGER
          .atWarn()
          .addKeyValue("pod", endpoint.name())
          .addKeyValue("address", endpoint.address())
          .addKeyValue("allowed", allowed)
          .log("Left out an endpoint that Kubernetes has");
    }
  }
}
