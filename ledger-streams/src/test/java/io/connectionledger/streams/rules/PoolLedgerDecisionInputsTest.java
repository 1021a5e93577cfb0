package io.connectionledger.streams.rules;

import static org.assertj.core.api.Assertions.assertThat;

import io.connectionledger.model.PodAddress;
import io.connectionledger.model.event.ConnectionEvent;
import io.connectionledger.model.event.Decision;
import io.connectionledger.model.event.DecisionInputs;
import io.connectionledger.model.event.DecisionInputs.Choice;
import io.connectionledger.model.policy.Affinity;
import io.connectionledger.model.policy.Pod;
import io.connectionledger.model.policy.PoolPolicy;
import io.connectionledger.model.policy.PoolPolicy.Placement;
import io.connectionledger.streams.rules.connections.CloseRate;
import io.connectionledger.streams.rules.lease.LeaseTerms;
import io.connectionledger.streams.rules.placement.CircuitBreaker;
import io.connectionledger.streams.rules.state.Changes;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** The numbers that a decision carries are those that it was made of. */
class PoolLedgerDecisionInputsTest {

  private static final long NOW_MS = 1_800_000_000_000L;
  private static final long NOW_NANOS = NOW_MS * 1_000_000;
  private static final PodAddress FIRST = PodAddress.parse("10.0.0.1:80");
  private static final PodAddress SECOND = PodAddress.parse("10.0.0.2:80");

  private static final String REFUSED =
      "upstream_reset_before_response_started{remote_connection_failure}";

  private final Changes changes = new Changes();

  private static PoolLedger ledger(double rate, int burst, int limit, Placement placement) {
    return new PoolLedger(
        new PoolPolicy(
                "chat",
                rate,
                burst,
                limit,
                PoolPolicy.Mode.ENFORCE,
                PoolPolicy.OnOwnerLoss.DENY,
                List.of(new Pod("pod-1", FIRST), new Pod("pod-2", SECOND)))
            .placing(placement, Affinity.header("x-user"), Duration.ZERO),
        new LeaseTerms(Duration.ofSeconds(10), 3, Duration.ofSeconds(15)),
        NOW_MS);
  }

  private static @Nullable DecisionInputs basis(PoolLedger ledger) {
    return ledger.decide(NOW_NANOS).basis();
  }

  @Test
  void shouldTellTheStateBeforeTheDecision() {
    PoolLedger ledger = ledger(2, 3, 5, Placement.LEAST_CONNECTIONS);
    ledger.apply(new ConnectionEvent.Opened("chat", "c1", FIRST, "e", 1, NOW_MS), changes);

    DecisionInputs first = basis(ledger);
    DecisionInputs second = basis(ledger);
    DecisionInputs third = basis(ledger);
    DecisionInputs rejected = basis(ledger);

    Choice fewest = Choice.LEAST_CONNECTIONS;
    assertThat(first).isEqualTo(new DecisionInputs(fewest, 3.0, 2, 0, 1, 0, 5, 0, null));
    assertThat(second).isEqualTo(new DecisionInputs(fewest, 2.0, 2, 0, 1, 1, 5, 1, null));
    assertThat(third).isEqualTo(new DecisionInputs(fewest, 1.0, 2, 0, 1, 2, 5, 1, null));
    assertThat(rejected).isEqualTo(new DecisionInputs(null, 0.0, 2, 0, 1, 3, 5, null, 500L));
  }

  @Test
  void shouldSayWhyThisPod() {
    PoolLedger ledger = ledger(PoolPolicy.UNLIMITED_RATE, 1, 1, Placement.AFFINITY);
    DecisionInputs own = ledger.decide("anna", NOW_NANOS).basis();
    DecisionInputs unknown = ledger.decide(NOW_NANOS).basis();
    DecisionInputs full = basis(ledger);

    assertThat(own).isEqualTo(new DecisionInputs(Choice.AFFINITY, null, 2, 0, 0, 0, 1, 0, null));
    assertThat(unknown)
        .isEqualTo(new DecisionInputs(Choice.LEAST_CONNECTIONS, null, 2, 0, 0, 1, 1, 0, null));
    assertThat(full)
        .isEqualTo(new DecisionInputs(null, null, 2, 0, 0, 2, 1, null, CloseRate.MAX_MS));
  }

  @Test
  void shouldNameATrial() {
    PoolLedger ledger = ledger(PoolPolicy.UNLIMITED_RATE, 1, 1, Placement.LEAST_CONNECTIONS);
    ledger.apply(new ConnectionEvent.Opened("chat", "c1", SECOND, "e", 1, NOW_MS), changes);
    for (int i = 0; i < CircuitBreaker.FAILURES; i++) {
      Decision reserved = ledger.decide(NOW_NANOS);
      ledger.apply(
          new ConnectionEvent.Failed("chat", reserved.id(), FIRST, "e", 503, REFUSED, NOW_MS),
          changes);
    }

    DecisionInputs rejected = basis(ledger);
    Decision probe = ledger.decide(NOW_NANOS + CircuitBreaker.FIRST_BACKOFF_MS * 1_000_000);

    assertThat(rejected)
        .isEqualTo(
            new DecisionInputs(null, null, 2, 1, 1, 0, 1, null, CircuitBreaker.FIRST_BACKOFF_MS));
    assertThat(probe.basis())
        .isEqualTo(new DecisionInputs(Choice.TRIAL, null, 2, 0, 1, 0, 1, 0, null));
  }
}
