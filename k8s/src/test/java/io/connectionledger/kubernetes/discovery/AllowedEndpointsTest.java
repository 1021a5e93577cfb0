package io.connectionledger.kubernetes.discovery;

import static org.assertj.core.api.Assertions.assertThat;

import io.connectionledger.model.PodAddress;
import io.connectionledger.model.PodNetworks;
import io.connectionledger.model.endpoints.PoolEndpoints.Endpoint;
import io.connectionledger.model.policy.KubernetesPods;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

class AllowedEndpointsTest {

  private final SimpleMeterRegistry registry = new SimpleMeterRegistry();

  /** Reads what it is told as addresses of one slice each. */
  private static final class Addresses implements EndpointReader<String> {

    @Override
    public boolean concerns(String object, KubernetesPods wanted) {
      return true;
    }

    @Override
    public SortedMap<String, List<Endpoint>> endpoints(
        Collection<String> objects, KubernetesPods wanted) {
      SortedMap<String, List<Endpoint>> found = new TreeMap<>();
      objects.forEach(
          address ->
              found.put(
                  "slice of " + address,
                  List.of(
                      new Endpoint("pod", PodAddress.parse(address), null, true, true, false))));
      return found;
    }
  }

  @Test
  void shouldLeaveOutWhereNoPodMayBeAndCountItOnce() {
    AllowedEndpoints<String> endpoints =
        new AllowedEndpoints<>(new Addresses(), PodNetworks.USUAL, registry);
    KubernetesPods any = new KubernetesPods("shop", "chat", Map.of(), "ws");
    List<String> objects = List.of("127.0.0.1:9901", "10.0.0.1:80", "169.254.169.254:80");

    for (int i = 0; i < 3; i++) {
      Map<String, List<Endpoint>> found = endpoints.endpoints(objects, any);
      assertThat(found).containsOnlyKeys("slice of 10.0.0.1:80");
    }
    assertThat(registry.get("ledger.kubernetes.endpoints.refused").counter().count()).isEqualTo(2);
  }
}
