package io.connectionledger.model.policy;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.connectionledger.model.PodAddress;
import io.connectionledger.model.policy.PoolEndpoints.Endpoint;
import io.connectionledger.model.policy.PoolPolicy.Mode;
import io.connectionledger.model.policy.PoolPolicy.OnOwnerLoss;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

class DiscoveredPodsTest {

  private static final PodAddress ONE = PodAddress.parse("10.0.0.1:80");
  private static final PodAddress TWO = PodAddress.parse("10.0.0.2:80");
  private static final PodAddress THREE = PodAddress.parse("10.0.0.3:80");

  @Test
  void shouldNameThePodsOfAllSlicesInTheOrderOfTheirAddresses() {
    DiscoveredPods found =
        DiscoveredPods.of(
            List.of(slice("b", false, ready("one", ONE)), slice("a", false, ready("two", TWO))),
            null);

    assertThat(found.pods()).containsExactly(new Pod("one", ONE), new Pod("two", TWO));
    assertThat(found.stale()).isNull();
  }

  @Test
  void shouldBelieveTheBetterNewsOfAPodThatMovesFromOneSliceToAnother() {
    Endpoint old = new Endpoint("one", ONE, null, false, true, false);
    DiscoveredPods found =
        DiscoveredPods.of(
            List.of(slice("a", false, ready("one", ONE)), slice("b", false, old)), null);

    assertThat(found.notReady()).isEmpty();
    assertThat(found.pods()).hasSize(1);
  }

  @Test
  void shouldTellTerminatingPodsFromThoseThatAreNotReady() {
    DiscoveredPods found =
        DiscoveredPods.of(
            List.of(
                slice(
                    "a",
                    false,
                    new Endpoint("one", ONE, null, false, false, false),
                    new Endpoint("two", TWO, null, false, true, true),
                    ready("three", THREE))),
            null);

    assertThat(found.notReady()).containsExactly(ONE);
    assertThat(found.terminating()).containsExactly(TWO);
    assertThat(found.named(Set.of("three", "10.0.0.1:80"))).containsExactlyInAnyOrder(ONE, THREE);
  }

  @Test
  void shouldCallASecondPodOfOneNameByItsAddress() {
    DiscoveredPods found =
        DiscoveredPods.of(List.of(slice("a", false, ready("same", ONE), ready("same", TWO))), null);

    assertThat(found.pods()).containsExactly(new Pod("same", ONE), new Pod("10.0.0.2:80", TWO));
  }

  @Test
  void shouldSayWhyThePodsMayBeOld() {
    PoolEndpoints kept = slice("a", true, ready("one", ONE));

    assertThat(DiscoveredPods.of(List.of(kept), null).stale()).contains("the last that it named");
    assertThat(DiscoveredPods.of(List.of(kept), "the API server is away").stale())
        .isEqualTo("the API server is away");
    assertThat(DiscoveredPods.NONE.stale()).isNotNull();
  }

  @Test
  void shouldResolveAPolicyThatLeavesItsPodsToKubernetes() {
    PoolPolicy written =
        PolicyCodec.changed(
            new PoolPolicy("shop.chat", 1, 1, 3, Mode.ENFORCE, OnOwnerLoss.SHARE, List.of()),
            """
            { "kubernetes": { "namespace": "shop", "service": "chat", "port": 8080 } }
            """
                .getBytes(UTF_8),
            Set.of());
    PolicyRecord record = PolicyRecord.ofBase(written, Set.of(TWO), 1);
    DiscoveredPods found =
        DiscoveredPods.of(
            List.of(
                slice(
                    "a",
                    false,
                    ready("one", ONE),
                    ready("two", TWO),
                    new Endpoint("three", THREE, null, false, true, true))),
            null);

    PolicyRecord resolved = record.resolved(found, Set.of("one"));

    assertThat(record.draining()).as("as long as it is not resolved").containsExactly(TWO);
    assertThat(resolved.policy().pods())
        .extracting(Pod::name)
        .containsExactly("one", "two", "three");
    assertThat(resolved.draining()).containsExactlyInAnyOrder(ONE, TWO, THREE);
    assertThat(resolved.isOverride()).isFalse();
  }

  private static Endpoint ready(String name, PodAddress address) {
    return new Endpoint(name, address, null, true, true, false);
  }

  private static PoolEndpoints slice(String name, boolean stale, Endpoint... endpoints) {
    return new PoolEndpoints("shop.chat", name, 1, stale, List.of(endpoints));
  }
}
