package io.connectionledger.admission;

import io.connectionledger.model.ConnectionIds;
import io.connectionledger.model.Decision;
import io.connectionledger.model.Loan;
import io.connectionledger.model.RejectionReason;
import io.connectionledger.model.Ticker;
import io.connectionledger.streams.Ledger;
import io.grpc.Context;
import io.grpc.Deadline;
import java.time.Duration;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.StampedLock;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One check from question to answer, whatever the transport: the ledger decides, the decision is
 * recorded, the caller is answered, everything is counted. Thread-safe; never waits.
 */
final class Admission {

  private static final Logger LOGGER = LoggerFactory.getLogger(Admission.class);
  private static final int NO_OWNER_RETRY_SECONDS = 1;
  private static final int SHOWN_NAME_LENGTH = 128;

  /** For a caller that does not say how long it waits. */
  private static final Duration PATIENCE = Duration.ofMillis(500);

  private static final Duration MAX_PATIENCE = Duration.ofSeconds(10);

  private final Ledger ledger;
  private final DecisionPublisher publisher;
  private final Durability durability;
  private final AdmissionMetrics metrics;
  private final Ticker ticker;
  private final Peers peers;
  private final LogRateLimiter unknownPoolGate;
  private final LogRateLimiter notRecordedGate;

  /** Read by a check from its decision until that is handed to Kafka. */
  private final StampedLock deciding = new StampedLock();

  private final Lender lender;
  private final InFlightDecisions underway = new InFlightDecisions();
  private volatile boolean leaving;
  private volatile long lastAskedNanos;

  /** One that has no other instances. */
  Admission(
      Ledger ledger,
      DecisionPublisher publisher,
      Durability durability,
      AdmissionMetrics metrics,
      Ticker ticker) {
    this(ledger, Peers.NONE, publisher, durability, metrics, ticker);
  }

  Admission(
      Ledger ledger,
      Peers peers,
      DecisionPublisher publisher,
      Durability durability,
      AdmissionMetrics metrics,
      Ticker ticker) {
    this.ledger = ledger;
    this.peers = peers;
    this.publisher = publisher;
    this.durability = durability;
    this.metrics = metrics;
    this.ticker = ticker;
    this.lender = new Lender(ledger, publisher, ticker);
    this.unknownPoolGate = new LogRateLimiter(ticker, Duration.ofSeconds(10));
    this.notRecordedGate = new LogRateLimiter(ticker, Duration.ofSeconds(10));
  }

  /**
   * The pool that a check without one means: the one that claims the request, else the only one
   * there is, else "", which is unknown.
   */
  String poolOf(String authority, String path) {
    String claimed = ledger.poolOf(authority, path);
    if (claimed != null) {
      return claimed;
    }
    Set<String> pools = ledger.pools();
    return pools.size() == 1 ? pools.iterator().next() : "";
  }

  /**
   * Decides one check and answers it, at once or, when it must be recorded first or another
   * instance decides it, later.
   *
   * @param client who asks
   * @param onGone takes, before any answer, what to run when the caller turns out to have gone
   *     before the answer reached it
   */
  void check(String pool, Client client, CheckReply reply, Consumer<Runnable> onGone) {
    long startedNanos = ticker.nowNanos();
    if (leaving) {
      lastAskedNanos = startedNanos;
    }
    Question question = new Question(pool, client.key(ledger.affinity(pool)), client.listener());
    Decision.Rejected refusal = decideHere(question, reply, onGone, startedNanos);
    if (refusal != null) {
      ForwardedCheck forwarded =
          new ForwardedCheck(
              this, ledger, peers, refusal, question, reply, startedNanos, deadlineNanos());
      onGone.accept(forwarded);
      forwarded.advance();
    }
  }

  /** Leaves a quarter of the caller's time for the way back, and for an answer without an owner. */
  private long deadlineNanos() {
    Deadline deadline = Context.current().getDeadline();
    long leftNanos =
        deadline == null
            ? PATIENCE.toNanos()
            : Math.min(deadline.timeRemaining(TimeUnit.NANOSECONDS), MAX_PATIENCE.toNanos());
    return ticker.nowNanos() + leftNanos / 4 * 3;
  }

  /**
   * {@link #check} for another instance, whose word it is what to answer without an owner.
   *
   * @return false when this instance does not own the pool; nothing is answered then
   */
  boolean checkForOther(Question question, CheckReply reply, Consumer<Runnable> onGone) {
    return decideHere(question, reply, onGone, ticker.nowNanos()) == null;
  }

  /**
   * Decides one check if this instance may.
   *
   * @return null when it is answered or will be; else the refusal, which is not answered
   */
  Decision.@Nullable Rejected decideHere(
      Question question, CheckReply reply, Consumer<Runnable> onGone, long startedNanos) {
    long stamp = deciding.readLock();
    try {
      switch (ledger.decide(question.pool(), question.key(), question.listener())) {
        case Decision.Allowed allowed -> {
          metrics.attempted(allowed.pool());
          PendingAllow pending = new PendingAllow(this, allowed, reply, startedNanos);
          onGone.accept(pending);
          boolean answersFirst =
              underway.begin(allowed, startedNanos)
                  && durability == Durability.FAST
                  && !ledger.reservesHeadroom(allowed.pool());
          publisher.publish(allowed, pending);
          if (answersFirst) {
            pending.answer();
          }
        }
        case Decision.Rejected rejected -> {
          if (rejected.reason() == RejectionReason.NO_OWNER) {
            return rejected;
          }
          refuse(rejected, reply, startedNanos);
        }
      }
      return null;
    } finally {
      deciding.unlockRead(stamp);
    }
  }

  /** {@link Lender#lend}, as one of the decisions that {@link #awaitDecided} waits for. */
  void lend(LoanRequest request, Consumer<Optional<Loan>> done) {
    long stamp = deciding.readLock();
    try {
      lender.lend(request, done);
    } finally {
      deciding.unlockRead(stamp);
    }
  }

  /** Clients are being told to ask others: {@link #quietNanos} counts from now on. */
  void leave() {
    lastAskedNanos = ticker.nowNanos();
    leaving = true;
  }

  /** For how long no client has asked, since {@link #leave} at most. */
  long quietNanos() {
    return ticker.nowNanos() - lastAskedNanos;
  }

  /** Returns when every decision that was made before is in the hands of Kafka's producer. */
  void awaitDecided() {
    deciding.unlockWrite(deciding.writeLock());
  }

  /** Records, counts and answers a rejection. */
  void refuse(Decision.Rejected rejected, CheckReply reply, long startedNanos) {
    if (rejected.reason() == RejectionReason.UNKNOWN_POOL) {
      metrics.attemptedUnknownPool();
      warnOfUnknownPool(rejected.pool());
    } else {
      metrics.attempted(rejected.pool());
    }
    publisher.publish(rejected);
    answerRejected(rejected, reply, startedNanos);
  }

  /** Passes on what the owner decided, who has recorded and counted it. */
  void answerForwarded(Decision decision, CheckReply reply, long startedNanos) {
    switch (decision) {
      case Decision.Allowed allowed -> answerAllowed(allowed, reply, startedNanos);
      case Decision.Rejected rejected -> {
        reply.rejected(rejected);
        time(rejected, reply, startedNanos);
      }
    }
  }

  /** Admits with a slot that the owner has lent, which is recorded since then. */
  void answerLent(Decision.Allowed lent, CheckReply reply, long startedNanos) {
    metrics.attempted(lent.pool());
    publisher.publish(
        lent,
        (recorded, failure) -> {
          if (failure != null) {
            lost(lent, failure);
          }
        });
    answerAllowed(lent, reply, startedNanos);
  }

  /** Lets a check pass that nobody can decide. */
  void answerUnowned(String pool, CheckReply reply, long startedNanos) {
    metrics.attempted(pool);
    reply.unowned(pool);
    metrics.allowed(ticker.nowNanos() - startedNanos);
  }

  long nowNanos() {
    return ticker.nowNanos();
  }

  void answerAllowed(Decision.Allowed decision, CheckReply reply, long startedNanos) {
    reply.allowed(decision);
    if (reply.isLast()) {
      metrics.allowed(ticker.nowNanos() - startedNanos);
    }
  }

  void answerNotRecorded(
      Decision.Allowed decision, CheckReply reply, long startedNanos, Exception failure) {
    release(decision);
    if (notRecordedGate.passes()) {
      LOGGER
          .atWarn()
          .addKeyValue("pool", decision.pool())
          .addKeyValue("failure", failure.toString())
          .log("Checks are rejected because their decisions cannot be recorded");
    }
    long nowMs = ticker.nowMs();
    answerRejected(
        new Decision.Rejected(
            decision.pool(),
            ConnectionIds.next(nowMs),
            RejectionReason.NO_OWNER,
            null,
            NO_OWNER_RETRY_SECONDS,
            nowMs,
            decision.mode()),
        reply,
        startedNanos);
  }

  /** Whether decisions were answered that are not in Kafka, and whose connections may be open. */
  boolean hasLost() {
    return underway.hasLost(ticker.nowNanos());
  }

  /** The decision is recorded, or has no effect. */
  void settled(Decision.Allowed decision) {
    underway.end(decision);
  }

  void lost(Decision.Allowed decision, Exception failure) {
    publisher.lost(decision, failure);
    underway.lose(decision, ledger.maxUnseen(), ticker.nowNanos());
  }

  void release(Decision.Allowed decision) {
    ledger.release(decision);
  }

  private void answerRejected(Decision.Rejected decision, CheckReply reply, long startedNanos) {
    reply.rejected(decision);
    metrics.rejected(decision);
    time(decision, reply, startedNanos);
  }

  private void time(Decision.Rejected decision, CheckReply reply, long startedNanos) {
    if (reply.isLast()) {
      metrics.rejected(decision.reason(), ticker.nowNanos() - startedNanos);
    }
  }

  private void warnOfUnknownPool(String pool) {
    if (unknownPoolGate.passes()) {
      LOGGER
          .atWarn()
          .addKeyValue(
              "pool",
              pool.length() > SHOWN_NAME_LENGTH ? pool.substring(0, SHOWN_NAME_LENGTH) : pool)
          .addKeyValue("allowed", ledger.pools())
          .log("A check names no known pool; see context_extensions of the Envoy route");
    }
  }
}
