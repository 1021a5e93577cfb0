package io.connectionledger.kubernetes.pool;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.InstanceOfAssertFactories.type;

import io.connectionledger.model.policy.Affinity;
import io.connectionledger.model.policy.HostMatch;
import io.connectionledger.model.policy.InvalidPolicyException;
import io.connectionledger.model.policy.KubernetesPods;
import io.connectionledger.model.policy.PoolPolicy;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class PoolResourceTest {

  @Test
  void readsEveryKey() {
    PoolResource read =
        PoolResource.of(
            Resources.pool(
                "shop",
                "chat",
                """
                connectionsPerSecond: 1.5
                burstCapacity: 10
                perPodMaxConnections: 3
                mode: shadow
                onOwnerLoss: deny
                placement: affinity
                affinity: { header: X-User }
                slowStart: 5m
                targetUtilisation: 0.5
                clusters: [ "outbound|8080||chat.*" ]
                hosts: [ { host: "*.example.com", pathPrefix: /chat } ]
                drain: [ chat-1, "10.0.0.7:8080" ]
                """));

    assertThat(read.policy())
        .isEqualTo(
            new PoolPolicy(
                "shop.chat",
                1.5,
                10,
                3,
                PoolPolicy.Mode.SHADOW,
                PoolPolicy.OnOwnerLoss.DENY,
                List.of(),
                PoolPolicy.Placement.AFFINITY,
                Affinity.header("x-user"),
                Duration.ofMinutes(5),
                0.5,
                List.of("outbound|8080||chat.*"),
                List.of(new HostMatch("*.example.com", "/chat")),
                new KubernetesPods("shop", "chat", Map.of(), "8080")));
    assertThat(read.drain()).containsExactlyInAnyOrder("chat-1", "10.0.0.7:8080");
  }

  @Test
  void readsPodsByLabels() {
    PoolResource read =
        PoolResource.of(
            Resources.pool(
                "shop",
                "chat",
                "{ service: null, port: ws, selector: { matchLabels: { app: chat, tier: web } } }"));

    assertThat(read.policy().kubernetes())
        .isEqualTo(new KubernetesPods("shop", null, Map.of("app", "chat", "tier", "web"), "ws"));
    assertThat(read.policy().connectionsPerSecond()).isEqualTo(PoolPolicy.UNLIMITED_RATE);
    assertThat(read.drain()).isEmpty();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          { perPodMaxConnections: 0 }        | spec.perPodMaxConnections is 0: allowed is 1 to 10000000
          { perPodMaxConnections: null }     | spec.perPodMaxConnections is missing: allowed is 1 to 10000000
          { port: null }                     | spec.port is missing: allowed is 1 to 65535, or the name of a port
          { service: null }                  | spec.service is missing: allowed is exactly one of service and selector
          { selector: { matchLabels: { a: b } } } | spec.service is 'chat' beside a selector: allowed is exactly one of service and selector
          { hosts: [ { host: "no space" } ] } | spec.hosts[0].host is 'no space': allowed is { host: name or *.name, path-prefix: a path that begins with / }
          """)
  void saysInOneLineWhatIsWrong(String keys, String line) {
    assertThatThrownBy(() -> PoolResource.of(Resources.pool("shop", "chat", keys)))
        .asInstanceOf(type(InvalidPolicyException.class))
        .extracting(PoolResource::line)
        .isEqualTo(line);
  }

  @Test
  void refusesALongName() {
    assertThatThrownBy(() -> PoolResource.of(Resources.pool("shop", "x".repeat(124), "{}")))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("1 to 128");
  }
}
