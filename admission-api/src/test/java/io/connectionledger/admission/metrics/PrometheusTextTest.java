package io.connectionledger.admission.metrics;

import static org.assertj.core.api.Assertions.assertThat;

import io.connectionledger.admission.ScriptedLedger;
import io.connectionledger.model.PodAddress;
import io.connectionledger.model.event.Decision;
import io.connectionledger.model.event.RejectionReason;
import io.connectionledger.model.policy.PoolPolicy;
import io.connectionledger.model.view.PoolReadiness;
import io.connectionledger.model.view.PoolReadiness.EnvoyView;
import io.connectionledger.model.view.PoolRejections;
import io.connectionledger.model.view.PoolReport;
import io.connectionledger.model.view.PoolScaling;
import io.connectionledger.model.view.PoolView;
import io.connectionledger.model.view.PoolView.PodView;
import io.connectionledger.model.view.PoolView.State;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

final class PrometheusTextTest {

  private final ScriptedLedger ledger = new ScriptedLedger();
  private final PrometheusMeterRegistry registry =
      new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
  private final AdmissionMetrics metrics = new AdmissionMetrics(registry);
  private final PrometheusText text = new PrometheusText(registry, metrics, ledger);

  @Test
  void shouldUseTheContractsNamesToTheLetter() {
    // Given
    own("chat", 3, pod("demo-pod-1", 1), pod("demo-pod-2", 2));
    metrics.attempted("chat");
    metrics.attempted("chat");
    metrics.attempted("chat");
    metrics.allowed(40_000);
    metrics.rejected(rejected("chat", RejectionReason.RATE_LIMITED));
    metrics.rejected(RejectionReason.RATE_LIMITED, 30_000);
    metrics.rejected(rejected("chat", RejectionReason.POD_LIMIT));
    metrics.rejected(RejectionReason.POD_LIMIT, 30_000);
    // When
    List<String> lines = text.scrape().lines().toList();
    // Then
    assertThat(lines)
        .containsOnlyOnce("# TYPE websocket_connections_active_total gauge")
        .containsOnlyOnce("websocket_connections_active_total{pool=\"chat\"} 3")
        .containsOnlyOnce("# TYPE websocket_connections_per_pod gauge")
        .contains("websocket_connections_per_pod{pool=\"chat\",pod=\"demo-pod-1\"} 1")
        .contains("websocket_connections_per_pod{pool=\"chat\",pod=\"demo-pod-2\"} 2")
        .containsOnlyOnce("# TYPE websocket_connections_rejected_total counter")
        .contains("websocket_connections_rejected_total{pool=\"chat\",reason=\"rate_limited\"} 1.0")
        .contains("websocket_connections_rejected_total{pool=\"chat\",reason=\"pod_limit\"} 1.0")
        .contains("websocket_connections_rejected_total{pool=\"chat\",reason=\"no_owner\"} 0.0")
        .containsOnlyOnce("# TYPE websocket_connection_rate_limited_total counter")
        .contains("websocket_connection_rate_limited_total{pool=\"chat\"} 1.0")
        .containsOnlyOnce("# TYPE websocket_connections_attempted_total counter")
        .contains("websocket_connections_attempted_total{pool=\"chat\"} 3.0")
        .containsOnlyOnce("# TYPE ledger_decision_seconds histogram")
        .contains("ledger_decision_seconds_bucket{outcome=\"allowed\",le=\"5.0E-5\"} 1")
        .contains("ledger_decision_seconds_count{outcome=\"allowed\"} 1")
        .contains("ledger_decision_seconds_count{outcome=\"rate_limited\"} 1")
        .contains("ledger_decisions_lost_total 0.0")
        .contains("ledger_decisions_dropped_total 0.0")
        .doesNotContain("# EOF");
  }

  @Test
  void shouldExportGaugesOfOwnedPoolsOnlyButCountersOfAll() {
    // Given
    own("chat", 0);
    ledger.pools.add("elsewhere");
    // When
    String scrape = text.scrape();
    // Then
    assertThat(scrape)
        .contains("websocket_connections_active_total{pool=\"chat\"} 0\n")
        .contains("ledger_pool_owned{pool=\"chat\"} 1\n")
        .contains("ledger_pool_owned{pool=\"elsewhere\"} 0\n")
        .doesNotContain("websocket_connections_active_total{pool=\"elsewhere\"}")
        .contains("websocket_connections_attempted_total{pool=\"elsewhere\"} 0.0\n");
  }

  @Test
  void shouldTellOfEachPodWhatItHoldsAndInWhichStateItIs() {
    // Given
    own("chat", 3, pod("pod-1", 1, 1, State.FULL), pod("pod-2", 2, 0, State.DRAINING));
    // When
    List<String> lines = text.scrape().lines().toList();
    // Then
    assertThat(lines)
        .containsOnlyOnce("# TYPE ledger_pool_limit gauge")
        .contains("ledger_pool_limit{pool=\"chat\",pod=\"pod-1\"} 2")
        .contains("ledger_pod_reserved{pool=\"chat\",pod=\"pod-1\"} 1")
        .containsOnlyOnce("# TYPE ledger_pod_state gauge")
        .containsSubsequence(
            "ledger_pod_state{pool=\"chat\",pod=\"pod-1\",state=\"available\"} 0",
            "ledger_pod_state{pool=\"chat\",pod=\"pod-1\",state=\"full\"} 1",
            "ledger_pod_state{pool=\"chat\",pod=\"pod-1\",state=\"overLimit\"} 0",
            "ledger_pod_state{pool=\"chat\",pod=\"pod-1\",state=\"draining\"} 0",
            "ledger_pod_state{pool=\"chat\",pod=\"pod-1\",state=\"circuitOpen\"} 0",
            "ledger_pod_state{pool=\"chat\",pod=\"pod-1\",state=\"gone\"} 0",
            "ledger_pod_state{pool=\"chat\",pod=\"pod-2\",state=\"draining\"} 1");
  }

  @Test
  void shouldCountAsHeadroomOnlyWhatAvailablePodsHave() {
    // Given
    own(
        "chat",
        1,
        pod("empty", 0, 0, State.AVAILABLE),
        pod("half", 0, 1, State.AVAILABLE),
        pod("full", 2, 0, State.FULL),
        pod("over", 3, 0, State.OVER_LIMIT),
        pod("leaving", 0, 0, State.DRAINING),
        pod("failing", 0, 0, State.CIRCUIT_OPEN),
        pod("left", 1, 0, State.GONE));
    // When
    String scrape = text.scrape();
    // Then
    assertThat(scrape).contains("ledger_pool_headroom{pool=\"chat\"} 3\n");
  }

  @Test
  void shouldTellHowManyPodsThereShouldBeWhileThatIsKnown() {
    // Given
    own("chat", 0);
    own("game", 0);
    ledger.reports.put("chat", desiring("chat", 7));
    // When
    String scrape = text.scrape();
    // Then
    assertThat(scrape)
        .contains("ledger_pool_desired_pods{pool=\"chat\"} 7\n")
        .doesNotContain("ledger_pool_desired_pods{pool=\"game\"}");
  }

  /** The contract allows 10,000 pods: no line may be made by going through all of them again. */
  @Test
  void shouldWriteAPageOfTenThousandPods() {
    // Given
    PodView[] pods = new PodView[10_000];
    Arrays.setAll(pods, i -> pod("pod-" + i, 1, 0, State.AVAILABLE));
    own("chat", pods.length, pods);
    // When
    List<String> lines = text.scrape().lines().toList();
    // Then
    assertThat(lines)
        .filteredOn(line -> line.startsWith("ledger_pod_state{"))
        .hasSize(pods.length * State.values().length);
    assertThat(lines).contains("ledger_pool_headroom{pool=\"chat\"} 10000");
  }

  @Test
  void shouldTellHowFarThePoolCanBeReliedOn() {
    // Given
    ledger.pools.add("chat");
    ledger.connections.put(
        "chat", new PoolView("chat", 1, PoolPolicy.Mode.ENFORCE, 9, 5, 0, 4, 3, List.of()));
    ledger.readiness.put(
        "chat",
        new PoolReadiness(
            "chat",
            1,
            false,
            0.25,
            List.of(new EnvoyView("envoy-1", 1, 4), new EnvoyView("envoy-2", 1, 5)),
            List.of("not-reported: by one", "not-reported: by another", "unleased: some")));
    // When
    List<String> lines = text.scrape().lines().toList();
    // Then
    assertThat(lines)
        .containsOnlyOnce("ledger_pool_unreported{pool=\"chat\"} 4")
        .containsOnlyOnce("ledger_pool_unleased{pool=\"chat\"} 3")
        .containsOnlyOnce("ledger_pool_ready{pool=\"chat\"} 0")
        .containsOnlyOnce("ledger_pool_completeness{pool=\"chat\"} 0.25")
        .containsOnlyOnce("ledger_pool_envoys{pool=\"chat\"} 2")
        .containsOnlyOnce("ledger_pool_unready_reason{pool=\"chat\",reason=\"not-reported\"} 1")
        .containsOnlyOnce("ledger_pool_unready_reason{pool=\"chat\",reason=\"unleased\"} 1");
  }

  @Test
  void shouldEscapeLabelValues() {
    // Given
    own("chat", 1, pod("a\"b\\c\nd", 1));
    // When
    String scrape = text.scrape();
    // Then
    assertThat(scrape).contains("{pool=\"chat\",pod=\"a\\\"b\\\\c\\nd\"} 1\n");
  }

  private void own(String pool, int active, PodView... pods) {
    ledger.pools.add(pool);
    ledger.connections.put(
        pool, new PoolView(pool, 1, PoolPolicy.Mode.ENFORCE, active, 0, List.of(pods)));
  }

  private static PodView pod(String name, int active) {
    return pod(name, active, 0, State.AVAILABLE);
  }

  private static PodView pod(String name, int active, int reserved, State state) {
    return new PodView(name, new PodAddress("10.0.0.7", 8080), active, reserved, 2, state);
  }

  private static PoolReport desiring(String pool, int pods) {
    return new PoolReport(
        null,
        new PoolView(pool, 1, PoolPolicy.Mode.ENFORCE, 0, 0, List.of()),
        new PoolRejections(pool, 1, Map.of(), List.of()),
        new PoolScaling(pool, 1, true, List.of(), List.of(), pods),
        new PoolReadiness(pool, 1, true, 1, List.of(), List.of()));
  }

  private static Decision.Rejected rejected(String pool, RejectionReason reason) {
    return new Decision.Rejected(pool, "d-1", reason, null, 1, 1);
  }
}
