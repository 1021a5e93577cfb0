package io.connectionledger.app.demo;

import static org.assertj.core.api.Assertions.assertThat;

import io.connectionledger.model.PodAddress;
import io.connectionledger.model.policy.Pod;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

final class LedgerClientTest {

  private static final String CONNECTIONS =
      """
      {"pool":"chat","asOf":"2026-11-21T00:00:00Z","active":5,"reserved":1,"pods":[
        {"pod":"one","address":"10.0.0.1:80","active":3,"reserved":1,"limit":10,"state":"available"},
        {"pod":"two","address":"10.0.0.2:80","active":2,"reserved":0,"limit":10,"state":"available"}]}
      """;

  private static final String METRICS =
      """
      # HELP websocket_connections_attempted_total checks
      # TYPE websocket_connections_attempted_total counter
      websocket_connections_attempted_total{pool="chat"} 20.0
      websocket_connections_attempted_total{pool="games"} 1000.0
      websocket_connections_established_total{pool="chat"} 1.5E1
      websocket_connections_rejected_total{pool="chat",reason="rate_limited"} 4.0
      websocket_connections_rejected_total{reason="pod_limit",pool="chat"} 1.0
      websocket_connections_rejected_total{pool="chat",reason="no_pods"} 0.0
      jvm_info 1.0
      """;

  @Test
  void shouldReadOnePool() throws IOException {
    // When
    LedgerState state = LedgerClient.parse(CONNECTIONS, METRICS, "chat");

    // Then
    assertThat(state.pod("10.0.0.1:80")).isEqualTo(new LedgerState.Pod(3, 1, 10));
    assertThat(state.pod("10.9.9.9:80")).isEqualTo(LedgerState.Pod.UNKNOWN);
    assertThat(state.active()).isEqualTo(5);
    assertThat(state.reserved()).isEqualTo(1);
    assertThat(state.limit()).isEqualTo(20);
    assertThat(state.attempted()).isEqualTo(20);
    assertThat(state.established()).isEqualTo(15);
    assertThat(state.rejected())
        .containsExactly(Map.entry("pod_limit", 1L), Map.entry("rate_limited", 4L));
  }

  @Test
  void shouldShowATableOrALine() throws IOException {
    // Given
    List<Pod> pods =
        List.of(
            new Pod("one", PodAddress.parse("10.0.0.1:80")),
            new Pod("two", PodAddress.parse("10.0.0.2:80")));
    LiveFigures moment =
        new LiveFigures(7, 2.5, LedgerClient.parse(CONNECTIONS, METRICS, "chat"), pods, pod -> 3);

    // When
    List<String> table = moment.table();
    String line = moment.line();

    // Then
    assertThat(table)
        .containsExactly(
            "pool chat   7 s   2.5 decisions a second",
            "  pod          active  reserved  limit   own count",
            "  one               3         1     10           3   ###+",
            "  two               2         0     10           3   ##",
            "  all               5         1     20",
            "  rejected: pod_limit 1, rate_limited 4");
    assertThat(line)
        .isEqualTo(
            "  7 s  active 5 of 20  reserved 1  ledger/own 3/3 2/3  2.5 decisions/s"
                + "  rejected pod_limit 1, rate_limited 4");
  }
}
