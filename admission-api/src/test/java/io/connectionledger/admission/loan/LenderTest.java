package io.connectionledger.admission.loan;

import static org.assertj.core.api.Assertions.assertThat;

import io.connectionledger.admission.ScriptedLedger;
import io.connectionledger.admission.decisionlog.DecisionPublisher;
import io.connectionledger.admission.metrics.AdmissionMetrics;
import io.connectionledger.admission.peer.LoanRequest;
import io.connectionledger.model.event.Loan;
import io.connectionledger.testkit.ManualTicker;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.time.Duration;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

final class LenderTest {

  private final ManualTicker ticker = new ManualTicker();
  private final ScriptedLedger ledger = new ScriptedLedger();
  private final Lender lender =
      new Lender(
          ledger.ledger(),
          new DecisionPublisher(
              (decision, awaited, callback) -> callback.onCompletion(null, null),
              new AdmissionMetrics(new SimpleMeterRegistry()),
              ticker),
          ticker);

  private boolean lends(String borrower, List<String> held) {
    boolean[] lent = new boolean[1];
    ledger.loans.loan = Optional.of(Loan.NONE);
    lender.lend(new LoanRequest("chat", borrower, held), loan -> lent[0] = loan.isPresent());
    return lent[0];
  }

  @Test
  void shouldLendToNoMoreBorrowersThanThereMayBe() {
    for (int i = 0; i < Lender.MAX_BORROWERS; i++) {
      assertThat(lends("borrower-" + i, List.of())).isTrue();
    }

    assertThat(lends("one-more", List.of())).isFalse();
    assertThat(lends("borrower-0", List.of())).isTrue();
    assertThat(ledger.loans.borrowers).allMatch(number -> number <= Lender.MAX_BORROWERS);
    ticker.advance(Duration.ofSeconds(11));
    assertThat(lends("one-more", List.of())).isTrue();
  }

  @Test
  void shouldLendNothingForARequestThatNoBorrowerMakes() {
    assertThat(lends("no name!", List.of())).isFalse();
    assertThat(lends("b".repeat(65), List.of())).isFalse();
    assertThat(lends("b", Collections.nCopies(Lender.MAX_HELD + 1, "held"))).isFalse();
    assertThat(lends("b", Collections.nCopies(Lender.MAX_HELD, "held"))).isTrue();
  }
}
