package io.connectionledger.admission.loan;

import io.connectionledger.admission.peer.LoanRequest;
import io.connectionledger.admission.peer.Peers;
import io.connectionledger.model.Ticker;
import io.connectionledger.model.event.ConnectionIds;
import io.connectionledger.model.event.Loan;
import io.connectionledger.model.policy.PoolPolicy.OnOwnerLoss;
import io.connectionledger.streams.Ledger;
import io.connectionledger.streams.Loans;
import io.connectionledger.streams.Owner;
import io.connectionledger.streams.PoolRouting;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Keeps what this instance has borrowed of others' pools whose {@code on-owner-loss} is {@code
 * share}: asks each owner again and again, long before a loan ends, and gives back what the owner
 * wants back. Thread-safe.
 */
public final class Borrower implements AutoCloseable {

  private static final Logger LOGGER = LoggerFactory.getLogger(Borrower.class);
  private static final Duration PERIOD = Duration.ofSeconds(2);

  private final PoolRouting routing;
  private final Loans loans;
  private final Peers peers;
  private final Ticker ticker;
  private final String name;
  private final ScheduledExecutorService thread =
      Executors.newSingleThreadScheduledExecutor(
          Thread.ofPlatform().name("borrowing").daemon().factory());

  public Borrower(Ledger ledger, Peers peers, Ticker ticker) {
    this.routing = ledger.routing();
    this.loans = ledger.loans();
    this.peers = peers;
    this.ticker = ticker;
    this.name = ConnectionIds.next(ticker.nowMs());
  }

  /** Asks from now on. */
  public void start() {
    var unused =
        thread.scheduleWithFixedDelay(
            this::askAll, PERIOD.toMillis(), PERIOD.toMillis(), TimeUnit.MILLISECONDS);
  }

  /** Asks the owner of every pool once. */
  public void askAll() {
    try {
      routing.pools().forEach(this::ask);
    } catch (RuntimeException bug) {
      // An exception would end the schedule.
      LOGGER.atError().setCause(bug).log("Slots of other instances' pools were not borrowed");
    }
  }

  private void ask(String pool) {
    List<String> held = loans.borrowed(pool);
    boolean shares = routing.onOwnerLoss(pool) == OnOwnerLoss.SHARE;
    if ((shares || !held.isEmpty()) && routing.owner(pool) instanceof Owner.Other owner) {
      long askedNanos = ticker.nowNanos();
      peers.borrow(
          owner.address(),
          new LoanRequest(pool, name, held),
          loan -> take(pool, owner, held, loan, askedNanos));
    }
  }

  private void take(String pool, Owner.Other owner, List<String> held, Loan loan, long askedNanos) {
    loans.take(pool, held, loan, askedNanos).forEach(back -> peers.release(owner.address(), back));
  }

  @Override
  public void close() {
    thread.shutdownNow();
  }
}
