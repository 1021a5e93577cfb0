package io.connectionledger.streams.rules;

import static org.assertj.core.api.Assertions.assertThat;

import io.connectionledger.model.Affinity;
import io.connectionledger.model.Basis;
import io.connectionledger.model.Basis.Choice;
import io.connectionledger.model.ConnectionEvent;
import io.connectionledger.model.Decision;
import io.connectionledger.model.Pod;
import io.connectionledger.model.PodAddress;
import io.connectionledger.model.PoolPolicy;
import io.connectionledger.model.PoolPolicy.Placement;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** The numbers that a decision carries are those that it was made of. */
class PoolLedgerBasisTest {

  private static final long NOW_MS = 1_800_000_000_000L;
  private static final long NOW_NANOS = NOW_MS * 1_000_000;
  private static final PodAddress FIRST = PodAddress.parse("10.0.0.1:80");
  private static final PodAddress SECOND = PodAddress.parse("10.0.0.2:80");

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
            List.of(new Pod("pod-1", FIRST), new Pod("pod-2", SECOND)),
            placement,
            Affinity.header("x-user"),
            Duration.ZERO),
        new LeaseTerms(Duration.ofSeconds(10), 3, Duration.ofSeconds(15)),
        NOW_MS);
  }

  private static @Nullable Basis basis(PoolLedger ledger) {
    return ledger.decide(NOW_NANOS).basis();
  }

  @Test
  void shouldTellTheStateBeforeTheDecision() {
    PoolLedger ledger = ledger(2, 3, 5, Placement.LEAST_CONNECTIONS);
    ledger.apply(new ConnectionEvent.Opened("chat", "c1", FIRST, "e", 1, NOW_MS), changes);

    Basis first = basis(ledger);
    Basis second = basis(ledger);
    Basis third = basis(ledger);
    Basis rejected = basis(ledger);

    Choice fewest = Choice.LEAST_CONNECTIONS;
    assertThat(first).isEqualTo(new Basis(fewest, 3.0, 2, 0, 1, 0, 5, 0, null));
    assertThat(second).isEqualTo(new Basis(fewest, 2.0, 2, 0, 1, 1, 5, 1, null));
    assertThat(third).isEqualTo(new Basis(fewest, 1.0, 2, 0, 1, 2, 5, 1, null));
    assertThat(rejected).isEqualTo(new Basis(null, 0.0, 2, 0, 1, 3, 5, null, 500L));
  }

  @Test
  void shouldSayWhyThisPod() {
    PoolLedger ledger = ledger(PoolPolicy.UNLIMITED_RATE, 1, 1, Placement.AFFINITY);
    Basis own = ledger.decide("anna", NOW_NANOS).basis();
    Basis unknown = ledger.decide(NOW_NANOS).basis();
    Basis full = basis(ledger);

    assertThat(own).isEqualTo(new Basis(Choice.AFFINITY, null, 2, 0, 0, 0, 1, 0, null));
    assertThat(unknown)
        .isEqualTo(new Basis(Choice.LEAST_CONNECTIONS, null, 2, 0, 0, 1, 1, 0, null));
    assertThat(full).isEqualTo(new Basis(null, null, 2, 0, 0, 2, 1, null, CloseRate.MAX_MS));
  }

  @Test
  void shouldNameATrial() {
    PoolLedger ledger = ledger(PoolPolicy.UNLIMITED_RATE, 1, 5, Placement.LEAST_CONNECTIONS);
    for (PodAddress pod : List.of(FIRST, SECOND)) {
      for (int i = 0; i < Circuit.FAILURES; i++) {
        ledger.apply(
            new ConnectionEvent.Failed(
                "chat",
                pod.port() + "-" + pod.hashCode() + "-" + i,
                pod,
                "e",
                503,
                "via_upstream",
                NOW_MS),
            changes);
      }
    }

    Basis rejected = basis(ledger);
    Decision trial = ledger.decide(NOW_NANOS + Circuit.FIRST_BACKOFF_MS * 1_000_000);

    assertThat(rejected)
        .isEqualTo(new Basis(null, null, 2, 2, 0, 0, 5, null, Circuit.FIRST_BACKOFF_MS));
    assertThat(trial.basis()).isEqualTo(new Basis(Choice.TRIAL, null, 2, 0, 0, 0, 5, 0, null));
  }
}
