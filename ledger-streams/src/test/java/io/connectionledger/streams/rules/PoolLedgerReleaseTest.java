package io.connectionledger.streams.rules;

import static org.assertj.core.api.Assertions.assertThat;

import io.connectionledger.model.PodAddress;
import io.connectionledger.model.event.ConnectionEvent;
import io.connectionledger.model.event.Decision;
import io.connectionledger.model.policy.Pod;
import io.connectionledger.model.policy.PoolPolicy;
import io.connectionledger.model.policy.PoolPolicy.OnOwnerLoss;
import io.connectionledger.streams.rules.lease.LeaseTerms;
import io.connectionledger.streams.rules.state.Changes;
import io.connectionledger.testkit.PolicyFixtures;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** A slot that is given back, and its decision that Kafka takes late. */
class PoolLedgerReleaseTest {

  private static final LeaseTerms TERMS =
      new LeaseTerms(Duration.ofSeconds(10), 3, Duration.ofSeconds(15));
  private static final PodAddress POD = PodAddress.parse("10.0.0.1:80");
  private static final long START_MS = 1_800_000_000_000L;

  private final Changes changes = new Changes();
  private final PoolLedger ledger =
      new PoolLedger(
          PolicyFixtures.limited(
              "chat",
              PoolPolicy.UNLIMITED_RATE,
              1,
              1,
              OnOwnerLoss.DENY,
              List.of(new Pod("one", POD))),
          TERMS,
          START_MS);

  private Decision.Allowed released() {
    Decision.Allowed decision = (Decision.Allowed) ledger.decide(START_MS * 1_000_000);
    ledger.release(decision.id());
    return decision;
  }

  private void tick(Duration later) {
    changes.clear();
    ledger.tick(START_MS + later.toMillis(), START_MS + later.toMillis(), changes);
  }

  @Test
  void shouldNotReserveAgainWhenKafkaTakesTheDecisionLongAfter() {
    Decision.Allowed decision = released();
    tick(Duration.ofSeconds(110));
    changes.clear();

    ledger.apply(decision, changes);

    assertThat(ledger.view(START_MS).reserved()).isZero();
    assertThat(changes.connections()).isEmpty();
  }

  @Test
  void shouldForgetWhatWasStoredAtOnce() {
    Decision.Allowed decision = (Decision.Allowed) ledger.decide(START_MS * 1_000_000);
    ledger.apply(decision, changes);
    ledger.release(decision.id());

    tick(Duration.ofMillis(100));

    Map<String, Object> forgotten = new HashMap<>();
    forgotten.put(decision.id(), null);
    assertThat(changes.connections()).isEqualTo(forgotten);
  }

  @Test
  void shouldKeepAConnectionThatOpensAfterAll() {
    Decision.Allowed decision = released();

    ledger.apply(
        new ConnectionEvent.Opened("chat", decision.id(), POD, "envoy-1", START_MS, START_MS),
        changes);
    tick(Duration.ofMillis(100));

    assertThat(ledger.view(START_MS).active()).isEqualTo(1);
    assertThat(changes.connections()).isEmpty();
  }
}
