package io.connectionledger.model.policy;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.connectionledger.model.PodAddress;
import io.connectionledger.model.endpoints.DiscoveredPods;
import io.connectionledger.model.endpoints.PoolEndpoints;
import io.connectionledger.model.endpoints.PoolEndpoints.Endpoint;
import io.connectionledger.model.policy.PoolPolicy.Mode;
import io.connectionledger.model.policy.PoolPolicy.OnOwnerLoss;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

class PolicyRecordTest {

  private static final PodAddress ONE = PodAddress.parse("10.0.0.1:80");
  private static final PodAddress TWO = PodAddress.parse("10.0.0.2:80");
  private static final PodAddress THREE = PodAddress.parse("10.0.0.3:80");

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
                new PoolEndpoints(
                    "shop.chat",
                    "a",
                    1,
                    false,
                    List.of(
                        new Endpoint("one", ONE, null, true, true, false),
                        new Endpoint("two", TWO, null, true, true, false),
                        new Endpoint("three", THREE, null, false, true, true)))),
            null);

    PolicyRecord resolved = record.resolved(found, Set.of("one"));

    assertThat(record.draining()).as("as long as it is not resolved").containsExactly(TWO);
    assertThat(resolved.policy().pods())
        .extracting(Pod::name)
        .containsExactly("one", "two", "three");
    assertThat(resolved.draining()).containsExactlyInAnyOrder(ONE, TWO, THREE);
    assertThat(resolved.isOverride()).isFalse();
  }
}
