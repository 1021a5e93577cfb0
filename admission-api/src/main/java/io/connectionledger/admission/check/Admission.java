package io.connectionledger.admission.check;

import io.connectionledger.admission.decisionlog.DecisionPublisher;
import io.connectionledger.admission.loan.Lender;
import io.connectionledger.admission.metrics.AdmissionMetrics;
import io.connectionledger.admission.peer.Peers;
import io.connectionledger.admission.peer.Question;
import io.connectionledger.model.Ticker;
import io.connectionledger.model.event.Decision;
import io.connectionledger.streams.Ledger;
import io.connectionledger.streams.PoolRouting;
import java.util.function.Consumer;

/**
 * Answers checks, whatever the transport: here where this instance owns the pool, by its owner
 * where another does. Thread-safe; never waits.
 */
public final class Admission {

  private final PoolRouting routing;
  private final Ticker ticker;
  private final CheckOutcomes outcomes;
  private final LocalChecks local;
  private final CheckForwarder forwarder;
  private volatile boolean leaving;
  private volatile long lastAskedNanos;

  public Admission(
      Ledger ledger,
      Peers peers,
      DecisionPublisher publisher,
      Durability durability,
      AdmissionMetrics metrics,
      Ticker ticker) {
    this.routing = ledger.routing();
    this.ticker = ticker;
    outcomes = new CheckOutcomes(ledger, publisher, metrics, ticker);
    Lender lender = new Lender(ledger, publisher, ticker);
    local = new LocalChecks(ledger.decider(), durability, outcomes, lender);
    forwarder = new CheckForwarder(local, outcomes, ledger, peers, ticker);
  }

  /** {@link PoolRouting#poolOf}. */
  public String poolOf(String authority, String path) {
    return routing.poolOf(authority, path);
  }

  /**
   * Answers one check, at once or, when it must be recorded first or another instance decides it,
   * later.
   *
   * @param client who asks
   * @param onGone takes, before any answer, what to run when the caller turns out to have gone
   *     before the answer reached it
   */
  public void check(String pool, Client client, CheckReply reply, Consumer<Runnable> onGone) {
    long startedNanos = ticker.nowNanos();
    if (leaving) {
      lastAskedNanos = startedNanos;
    }
    Question question = new Question(pool, client.key(routing.affinity(pool)), client.listener());
    Decision.Rejected refusal = local.decide(question, reply, onGone, startedNanos);
    if (refusal != null) {
      forwarder.forward(question, refusal, reply, onGone, startedNanos);
    }
  }

  /** What other instances may ask, whose word it is what to answer without an owner. */
  public LocalChecks local() {
    return local;
  }

  /** Clients are being told to ask others: {@link #quietNanos} counts from now on. */
  public void leave() {
    lastAskedNanos = ticker.nowNanos();
    leaving = true;
  }

  /** For how long no client has asked, since {@link #leave} at most. */
  public long quietNanos() {
    return ticker.nowNanos() - lastAskedNanos;
  }

  /** Returns when every decision that was made before is in the hands of Kafka's producer. */
  public void awaitDecided() {
    local.awaitDecided();
  }

  /** {@link CheckOutcomes#hasLost}. */
  public boolean hasLost() {
    return outcomes.hasLost();
  }
}
