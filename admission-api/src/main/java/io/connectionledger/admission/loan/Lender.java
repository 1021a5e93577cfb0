package io.connectionledger.admission.loan;

import io.connectionledger.admission.decisionlog.DecisionPublisher;
import io.connectionledger.admission.peer.LoanRequest;
import io.connectionledger.model.Ticker;
import io.connectionledger.model.event.ConnectionIds;
import io.connectionledger.model.event.Decision;
import io.connectionledger.model.event.Loan;
import io.connectionledger.streams.Ledger;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Lends slots of the pools that this instance owns to those that ask. What it lends is in Kafka
 * before the borrower hears of it, so that whoever owns the pool next counts it. Thread-safe; never
 * waits.
 */
public final class Lender {

  /** A borrower that has not asked for so long is gone. */
  private static final Duration GONE = Duration.ofSeconds(10);

  /** More names are those of nobody: each borrower would get less for it. */
  static final int MAX_BORROWERS = 256;

  /** Far more than one borrower is ever lent of a pool. */
  static final int MAX_HELD = 1_000;

  private final Ledger ledger;
  private final DecisionPublisher publisher;
  private final Ticker ticker;
  private final Map<String, Long> borrowers = new ConcurrentHashMap<>();

  public Lender(Ledger ledger, DecisionPublisher publisher, Ticker ticker) {
    this.ledger = ledger;
    this.publisher = publisher;
    this.ticker = ticker;
  }

  /**
   * Lends what may be lent.
   *
   * @param done takes it once it is recorded; empty when this instance does not own the pool, or
   *     the request is none that a borrower makes
   */
  public void lend(LoanRequest request, Consumer<Optional<Loan>> done) {
    long nowNanos = ticker.nowNanos();
    borrowers.values().removeIf(askedNanos -> nowNanos - askedNanos > GONE.toNanos());
    if (!ConnectionIds.isValid(request.borrower())
        || request.held().size() > MAX_HELD
        || (borrowers.size() >= MAX_BORROWERS && !borrowers.containsKey(request.borrower()))) {
      done.accept(Optional.empty());
      return;
    }
    borrowers.put(request.borrower(), nowNanos);
    Optional<Loan> loan =
        ledger.loans().lend(request.pool(), request.held(), Math.max(1, borrowers.size()));
    if (loan.isEmpty() || loan.get().added().isEmpty()) {
      done.accept(loan);
    } else {
      new Recording(loan.get(), done).begin();
    }
  }

  /** A loan until Kafka has all of it, or has refused some, which is then given back. */
  private final class Recording {
    private final Loan loan;
    private final Consumer<Optional<Loan>> done;
    private final List<Decision.Allowed> recorded = new ArrayList<>();
    private int missing;

    Recording(Loan loan, Consumer<Optional<Loan>> done) {
      this.loan = loan;
      this.done = done;
      this.missing = loan.added().size();
    }

    void begin() {
      loan.added()
          .forEach(
              slot -> publisher.publish(slot, true, (offset, failure) -> settled(slot, failure)));
    }

    private synchronized void settled(Decision.Allowed slot, @Nullable Exception failure) {
      if (failure == null) {
        recorded.add(slot);
      } else {
        ledger.decider().release(slot);
      }
      if (--missing == 0) {
        done.accept(Optional.of(new Loan(loan.kept(), recorded)));
      }
    }
  }
}
