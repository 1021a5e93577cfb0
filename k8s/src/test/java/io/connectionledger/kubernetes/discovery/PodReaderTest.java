package io.connectionledger.kubernetes.discovery;

import static org.assertj.core.api.Assertions.assertThat;

import io.connectionledger.model.PodAddress;
import io.connectionledger.model.endpoints.PoolEndpoints.Endpoint;
import io.connectionledger.model.policy.KubernetesPods;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.PodBuilder;
import io.fabric8.kubernetes.client.utils.Serialization;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class PodReaderTest {

  private static final Pod READY =
      Serialization.unmarshal(
          """
          metadata: { name: chat-7 }
          spec:
            containers:
            - name: chat
              ports: [ { name: http, containerPort: 80 }, { name: ws, containerPort: 8080 } ]
            initContainers:
            - name: proxy
              restartPolicy: Always
              ports: [ { name: proxied, containerPort: 15006 } ]
          status:
            phase: Running
            podIP: 10.0.0.7
            conditions: [ { type: PodScheduled, status: "True" }, { type: Ready, status: "True" } ]
          """,
          Pod.class);

  private static List<Endpoint> read(String port, Pod... pods) {
    KubernetesPods wanted = new KubernetesPods("apps", null, Map.of("app", "chat"), port);
    return new PodReader()
        .endpoints(List.of(pods), wanted).values().stream().flatMap(Collection::stream).toList();
  }

  private static Endpoint endpoint(int port, boolean ready, boolean serving, boolean terminating) {
    return new Endpoint(
        "chat-7", new PodAddress("10.0.0.7", port), null, ready, serving, terminating);
  }

  @Test
  void shouldFindThePortByNameOrTakeItsNumber() {
    assertThat(read("ws", READY)).containsExactly(endpoint(8080, true, true, false));
    assertThat(read("proxied", READY)).containsExactly(endpoint(15006, true, true, false));
    assertThat(read("9999", READY)).containsExactly(endpoint(9999, true, true, false));
    assertThat(read("grpc", READY)).isEmpty();
  }

  @Test
  void shouldSayWhetherAPodMayTakeConnections() {
    Pod unready =
        READY
            .edit()
            .editStatus()
            .editLastCondition()
            .withStatus("False")
            .endCondition()
            .endStatus()
            .build();
    Pod terminating =
        READY
            .edit()
            .editMetadata()
            .withDeletionTimestamp("2026-11-27T09:00:00Z")
            .endMetadata()
            .build();

    assertThat(read("ws", unready)).containsExactly(endpoint(8080, false, false, false));
    assertThat(read("ws", terminating)).containsExactly(endpoint(8080, false, true, true));
  }

  @Test
  void shouldLeaveOutPodsWithoutAddressAndThoseThatHaveEnded() {
    Pod pending = new PodBuilder(READY).editStatus().withPodIP(null).endStatus().build();
    Pod evicted = new PodBuilder(READY).editStatus().withPhase("Failed").endStatus().build();

    assertThat(read("ws", pending, evicted)).isEmpty();
  }

  @Test
  void shouldSpreadManyPodsAlwaysInTheSameWay() {
    List<Pod> pods =
        IntStream.range(0, 1_000)
            .mapToObj(
                i ->
                    new PodBuilder(READY)
                        .editMetadata()
                        .withName("chat-" + i)
                        .endMetadata()
                        .editStatus()
                        .withPodIP("10.1." + i / 250 + "." + i % 250)
                        .endStatus()
                        .build())
            .toList();
    KubernetesPods wanted = new KubernetesPods("apps", null, Map.of("app", "chat"), "ws");
    PodReader reader = new PodReader();

    Map<String, List<Endpoint>> slices = reader.endpoints(pods, wanted);

    assertThat(slices).hasSize(32).isEqualTo(reader.endpoints(pods.reversed(), wanted));
    assertThat(slices.values()).allMatch(slice -> slice.size() < 100);
    assertThat(slices.values().stream().mapToInt(List::size).sum()).isEqualTo(1_000);
  }
}
