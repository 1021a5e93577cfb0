package io.connectionledger.ingest;

import static org.assertj.core.api.Assertions.assertThat;

import io.envoyproxy.envoy.config.core.v3.Address;
import io.envoyproxy.envoy.data.accesslog.v3.AccessLogCommon;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.time.Duration;
import org.junit.jupiter.api.Test;

class NodeIdsTest {

  private static final String LOG = "websockets";

  private long nowNanos = 1_800_000_000_000_000_000L;
  private final SimpleMeterRegistry registry = new SimpleMeterRegistry();
  private final NodeIds ids = new NodeIds(() -> nowNanos, new IngestMetrics(registry));
  private int clients;

  private void sees(NodeIds.Stream stream, int listenerPort, int connections) {
    sees(stream, Entries.address("10.1.0.1", listenerPort), connections);
  }

  private void sees(NodeIds.Stream stream, Address listener, int connections) {
    for (int i = 0; i < connections; i++) {
      stream.saw(
          AccessLogCommon.newBuilder()
              .setDownstreamLocalAddress(listener)
              .setDownstreamRemoteAddress(Entries.address("192.0.2.1", 1_000 + clients++))
              .build());
    }
  }

  @Test
  void shouldFindTwoEnvoysOfOneNameByWhereClientsReachThem() {
    NodeIds.Stream one = ids.opened("envoy-1", LOG);
    NodeIds.Stream other = ids.opened("envoy-1", LOG);
    sees(one, 10_000, 8);
    sees(other, 10_001, 7);
    assertThat(ids.problems()).isEmpty();

    sees(other, 10_001, 1);

    assertThat(ids.problems())
        .containsExactly(
            "node-id: several Envoys report as envoy-1: start each with a --service-node of its"
                + " own");
    assertThat(registry.counter("ledger.envoy.node.id.conflicts").count()).isEqualTo(1);
    other.close();
    assertThat(ids.problems()).isEmpty();
  }

  @Test
  void shouldNotTakeTheWorkersOfOneEnvoyForSeveral() {
    NodeIds.Stream one = ids.opened("envoy-1", LOG);
    NodeIds.Stream other = ids.opened("envoy-1", LOG);
    sees(one, 10_000, 20);
    sees(one, 10_443, 1);
    sees(other, 10_443, 20);
    sees(ids.opened("envoy-2", LOG), 10_999, 20);

    assertThat(ids.problems()).isEmpty();
  }

  @Test
  void shouldNotTakeTheListenersOfOneEnvoyForSeveralWhoseLogsDiffer() {
    sees(ids.opened("envoy-1", LOG), 10_000, 20);
    sees(ids.opened("envoy-1", "internal"), 10_443, 20);

    assertThat(ids.problems()).isEmpty();
  }

  /** An address is whatever the entry says, of a mebibyte, too; so is the name of the log. */
  @Test
  void shouldRememberTheBeginningOfTextsAlone() {
    String endless = "x".repeat(1 << 20);
    assertThat(NodeIds.beginning(endless)).hasSize(NodeIds.MAX_TEXT);
    NodeIds.Stream one = ids.opened("envoy-1", endless + "1");
    NodeIds.Stream other = ids.opened("envoy-1", endless + "2");
    sees(one, Entries.address(endless, 1), 8);
    sees(other, Entries.address(endless + "2", 1), 8);

    // As they begin alike, they are taken for one listener of one log.
    assertThat(ids.problems()).isEmpty();
  }

  @Test
  void shouldSayThatAnEnvoyIsRefusedForAsLongAsItTriesAgain() {
    for (int i = 0; i < 100; i++) {
      ids.refused("it has none", NodeIds.Refusal.MISSING);
      nowNanos += Duration.ofSeconds(1).toNanos();
    }

    assertThat(ids.problems()).singleElement().asString().startsWith("node-id: an Envoy");
    assertThat(registry.counter("ledger.envoys.refused", "cause", "no_node_id").count())
        .isEqualTo(100);
    nowNanos += Duration.ofMinutes(2).toNanos();
    assertThat(ids.problems()).isEmpty();
  }
}
