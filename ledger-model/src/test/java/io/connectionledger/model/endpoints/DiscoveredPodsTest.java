package io.connectionledger.model.endpoints;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.entry;

import io.connectionledger.model.PodAddress;
import io.connectionledger.model.endpoints.PoolEndpoints.Endpoint;
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

    assertThat(found.names()).containsExactly(entry(ONE, "one"), entry(TWO, "two"));
    assertThat(found.stale()).isNull();
  }

  @Test
  void shouldBelieveTheBetterNewsOfAPodThatMovesFromOneSliceToAnother() {
    Endpoint old = new Endpoint("one", ONE, null, false, true, false);
    DiscoveredPods found =
        DiscoveredPods.of(
            List.of(slice("a", false, ready("one", ONE)), slice("b", false, old)), null);

    assertThat(found.notReady()).isEmpty();
    assertThat(found.names()).hasSize(1);
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

    assertThat(found.names()).containsExactly(entry(ONE, "same"), entry(TWO, "10.0.0.2:80"));
  }

  @Test
  void shouldSayWhyThePodsMayBeOld() {
    PoolEndpoints kept = slice("a", true, ready("one", ONE));

    assertThat(DiscoveredPods.of(List.of(kept), null).stale()).contains("the last that it named");
    assertThat(DiscoveredPods.of(List.of(kept), "the API server is away").stale())
        .isEqualTo("the API server is away");
    assertThat(DiscoveredPods.NONE.stale()).isNotNull();
  }

  private static Endpoint ready(String name, PodAddress address) {
    return new Endpoint(name, address, null, true, true, false);
  }

  private static PoolEndpoints slice(String name, boolean stale, Endpoint... endpoints) {
    return new PoolEndpoints("shop.chat", name, 1, stale, List.of(endpoints));
  }
}
