package io.connectionledger.admission.keda;

import static org.assertj.core.api.Assertions.assertThat;

import io.connectionledger.admission.ScriptedLedger;
import io.connectionledger.model.policy.PoolPolicy;
import io.connectionledger.model.view.PoolReadiness;
import io.connectionledger.model.view.PoolRejections;
import io.connectionledger.model.view.PoolReport;
import io.connectionledger.model.view.PoolScaling;
import io.connectionledger.model.view.PoolView;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

final class LedgerDemandTest {

  private final ScriptedLedger ledger = new ScriptedLedger();
  private final LedgerDemand demand = new LedgerDemand(ledger);

  @BeforeEach
  void knowThePool() {
    ledger.pools.add("chat");
  }

  @Test
  void shouldPassOnHowManyPodsAreDesired() {
    // Given
    report(2, 1, Map.of(), List.of());
    // When
    Demand known = demand.of("chat");
    // Then
    assertThat(known).isEqualTo(new Demand.Known(7, true));
  }

  @Test
  void shouldBeInUseWithConnectionsReservationsOrRejectionsAndOtherwiseNot() {
    // Given
    report(0, 1, Map.of(), List.of());
    Demand reserved = demand.of("chat");
    report(0, 0, Map.of("rate_limited", 1L), List.of());
    Demand turnedAway = demand.of("chat");
    report(0, 0, Map.of(), List.of());
    // When
    Demand idle = demand.of("chat");
    // Then
    assertThat(reserved).isEqualTo(new Demand.Known(7, true));
    assertThat(turnedAway).isEqualTo(new Demand.Known(7, true));
    assertThat(idle).isEqualTo(new Demand.Known(7, false));
  }

  @Test
  void shouldGiveNoFigureThatMayNotBeActedOn() {
    // Given
    Demand unreachable = demand.of("chat");
    report(2, 0, Map.of(), List.of("completeness is 0.40"));
    Demand unready = demand.of("chat");
    ledger.status = "restoring";
    // When
    Demand starting = demand.of("new");
    // Then
    assertThat(unreachable).isEqualTo(new Demand.Unready(List.of("its owner cannot be asked")));
    assertThat(unready).isEqualTo(new Demand.Unready(List.of("completeness is 0.40")));
    assertThat(starting).isEqualTo(new Demand.Unready(List.of("restoring")));
  }

  @Test
  void shouldKnowWhatIsNoPool() {
    // When
    Demand none = demand.of("chta");
    // Then
    assertThat(none).isEqualTo(new Demand.NoSuchPool());
  }

  private void report(int active, int reserved, Map<String, Long> lately, List<String> reasons) {
    ledger.reports.put(
        "chat",
        new PoolReport(
            null,
            new PoolView("chat", 1, PoolPolicy.Mode.ENFORCE, active, reserved, List.of()),
            new PoolRejections("chat", 1, Map.of("5m", lately, "1h", Map.of()), List.of()),
            new PoolScaling("chat", 1, reasons.isEmpty(), reasons, List.of(), 7),
            new PoolReadiness("chat", 1, true, 1, List.of(), List.of())));
  }
}
