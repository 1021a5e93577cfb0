package io.connectionledger.admission.check;

import io.connectionledger.admission.decisionlog.DecisionPublisher;
import io.connectionledger.admission.metrics.AdmissionMetrics;
import io.connectionledger.model.LogRateLimiter;
import io.connectionledger.model.Ticker;
import io.connectionledger.model.event.ConnectionIds;
import io.connectionledger.model.event.Decision;
import io.connectionledger.model.event.RejectionReason;
import io.connectionledger.streams.Ledger;
import java.time.Duration;
import org.apache.kafka.clients.producer.Callback;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What becomes of a decision: it is recorded, counted and answered, or its reservation is given
 * back. Thread-safe; never waits.
 */
final class CheckOutcomes {

  private static final Logger LOGGER = LoggerFactory.getLogger(CheckOutcomes.class);
  private static final int NO_OWNER_RETRY_SECONDS = 1;
  private static final int SHOWN_NAME_LENGTH = 128;

  private final Ledger ledger;
  private final DecisionPublisher publisher;
  private final AdmissionMetrics metrics;
  private final Ticker ticker;
  private final InFlightDecisions inFlight = new InFlightDecisions();
  private final LogRateLimiter unknownPoolGate;
  private final LogRateLimiter notRecordedGate;

  CheckOutcomes(
      Ledger ledger, DecisionPublisher publisher, AdmissionMetrics metrics, Ticker ticker) {
    this.ledger = ledger;
    this.publisher = publisher;
    this.metrics = metrics;
    this.ticker = ticker;
    this.unknownPoolGate = new LogRateLimiter(ticker, Duration.ofSeconds(10));
    this.notRecordedGate = new LogRateLimiter(ticker, Duration.ofSeconds(10));
  }

  /**
   * Counts an allowed decision of this instance until {@link #settled} or {@link #lost}.
   *
   * @return whether so few of its pod are in flight that it may be answered before it is recorded
   */
  boolean begin(Decision.Allowed decision, long startedNanos) {
    metrics.attempted(decision.pool());
    return inFlight.begin(decision, startedNanos);
  }

  /**
   * Records an allowed decision that has begun.
   *
   * @param awaited whether it is answered only then
   * @param done completed exactly once, by any thread, possibly before this returns; it calls
   *     {@link #settled} or {@link #lost}
   */
  void record(Decision.Allowed decision, boolean awaited, Callback done) {
    publisher.publish(decision, awaited, done);
  }

  /** The decision is recorded, or has no effect. */
  void settled(Decision.Allowed decision) {
    inFlight.end(decision);
  }

  /** The decision was answered and is not recorded. */
  void lost(Decision.Allowed decision, Exception failure) {
    publisher.lost(decision, failure);
    inFlight.lose(decision, ledger.decider().maxUnseen(), ticker.nowNanos());
  }

  /** Whether decisions were answered that are not in Kafka, and whose connections may be open. */
  boolean hasLost() {
    return inFlight.hasLost(ticker.nowNanos());
  }

  void release(Decision.Allowed decision) {
    ledger.decider().release(decision);
  }

  void answerAllowed(Decision.Allowed decision, CheckReply reply, long startedNanos) {
    reply.allowed(decision);
    if (reply.isLast()) {
      metrics.allowed(ticker.nowNanos() - startedNanos);
    }
  }

  /** Gives back what could not be recorded, and answers that nobody decides. */
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
        false,
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
          .addKeyValue("allowed", ledger.routing().pools())
          .log("A check names no known pool; see context_extensions of the Envoy route");
    }
  }
}
