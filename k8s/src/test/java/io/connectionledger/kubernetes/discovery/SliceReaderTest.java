package io.connectionledger.kubernetes.discovery;

import static org.assertj.core.api.Assertions.assertThat;

import io.connectionledger.model.PodAddress;
import io.connectionledger.model.endpoints.PoolEndpoints.Endpoint;
import io.connectionledger.model.policy.KubernetesPods;
import io.fabric8.kubernetes.api.model.discovery.v1.EndpointSlice;
import io.fabric8.kubernetes.client.utils.Serialization;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class SliceReaderTest {

  private static final EndpointSlice IPV4 =
      slice(
          """
          metadata: { name: s4, labels: { kubernetes.io/service-name: backend } }
          addressType: IPv4
          ports:
          - { name: metrics, port: 9090, protocol: TCP }
          - { name: ws, port: 8080, protocol: TCP }
          - { name: quic, port: 8080, protocol: UDP }
          endpoints:
          - addresses: [10.0.0.9]
            conditions: { ready: false, serving: true, terminating: true }
            targetRef: { kind: Pod, name: chat-9 }
            zone: zone-1
          - addresses: [10.0.0.7]
            conditions: { ready: true, serving: true, terminating: false }
            targetRef: { kind: Pod, name: chat-7 }
            zone: zone-0
          """);
  private static final EndpointSlice IPV6 =
      slice(
          """
          metadata: { name: s6, labels: { kubernetes.io/service-name: backend } }
          addressType: IPv6
          ports: [ { name: ws, port: 8080 } ]
          endpoints: [ { addresses: ["fd00::7"], conditions: {} } ]
          """);

  private static EndpointSlice slice(String yaml) {
    return Serialization.unmarshal(yaml, EndpointSlice.class);
  }

  private static KubernetesPods service(String name, String port) {
    return new KubernetesPods("apps", name, Map.of(), port);
  }

  @ParameterizedTest
  @ValueSource(strings = {"ws", "8080"})
  void shouldReadTheEndpointsOfAPort(String port) {
    assertThat(new SliceReader().endpoints(List.of(IPV4), service("backend", port)))
        .containsExactly(
            Map.entry(
                "s4",
                List.of(
                    new Endpoint(
                        "chat-7", PodAddress.parse("10.0.0.7:8080"), "zone-0", true, true, false),
                    new Endpoint(
                        "chat-9",
                        PodAddress.parse("10.0.0.9:8080"),
                        "zone-1",
                        false,
                        true,
                        true))));
  }

  @Test
  void shouldTakeWhatIsNotSaidForGoodAndTheAddressForTheName() {
    PodAddress address = PodAddress.parse("[fd00::7]:8080");

    assertThat(new SliceReader().endpoints(List.of(IPV6), service("backend", "ws")))
        .containsExactly(
            Map.entry(
                "s6", List.of(new Endpoint("[fd00::7]:8080", address, null, true, true, false))));
  }

  @Test
  void shouldReadASliceThatHasNothing() {
    EndpointSlice empty =
        slice(
            """
            metadata: { name: s0, labels: { kubernetes.io/service-name: backend } }
            addressType: IPv4
            ports: null
            endpoints: null
            """);

    assertThat(new SliceReader().endpoints(List.of(empty), service("backend", "ws"))).isEmpty();
  }

  @Test
  void shouldNotCountAPodTwiceThatHasBothKindsOfAddress() {
    assertThat(new SliceReader().endpoints(List.of(IPV6, IPV4), service("backend", "ws")))
        .containsOnlyKeys("s4");
  }

  @Test
  void shouldLeaveOutOtherServicesAndSlicesWithoutThePort() {
    SliceReader reader = new SliceReader();

    assertThat(reader.endpoints(List.of(IPV4), service("other", "ws"))).isEmpty();
    assertThat(reader.endpoints(List.of(IPV4), service("backend", "http"))).isEmpty();
    assertThat(reader.endpoints(List.of(IPV4), service("backend", "80"))).isEmpty();
    assertThat(reader.concerns(IPV4, service("other", "ws"))).isFalse();
    assertThat(reader.concerns(IPV4, service("backend", "ws"))).isTrue();
  }
}
