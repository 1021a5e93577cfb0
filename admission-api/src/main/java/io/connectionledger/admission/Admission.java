package io.connectionledger.admission;

import io.connectionledger.model.ConnectionIds;
import io.connectionledger.model.Decision;
import io.connectionledger.model.RejectionReason;
import io.connectionledger.model.Ticker;
import io.connectionledger.streams.Ledger;
import java.time.Duration;
import java.util.Set;
import java.util.function.Consumer;
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

  private final Ledger ledger;
  private final DecisionPublisher publisher;
  private final Durability durability;
  private final AdmissionMetrics metrics;
  private final Ticker ticker;
  private final LogGate unknownPoolGate;
  private final LogGate notRecordedGate;

  Admission(
      Ledger ledger,
      DecisionPublisher publisher,
      Durability durability,
      AdmissionMetrics metrics,
      Ticker ticker) {
    this.ledger = ledger;
    this.publisher = publisher;
    this.durability = durability;
    this.metrics = metrics;
    this.ticker = ticker;
    this.unknownPoolGate = new LogGate(ticker, Duration.ofSeconds(10));
    this.notRecordedGate = new LogGate(ticker, Duration.ofSeconds(10));
  }

  /** The pool that a check without one means: the only one there is, else "", which is unknown. */
  String defaultPool() {
    Set<String> pools = ledger.pools();
    return pools.size() == 1 ? pools.iterator().next() : "";
  }

  /**
   * Decides one check and answers it, at once or, when it must be recorded first, later.
   *
   * @param client who asks
   * @param onGone takes, before any answer, what to run when the caller turns out to have gone
   *     before the answer reached it
   */
  void check(String pool, Client client, Reply reply, Consumer<Runnable> onGone) {
    long startedNanos = ticker.nowNanos();
    switch (ledger.decide(pool, client.key(ledger.affinity(pool)))) {
      case Decision.Allowed allowed -> {
        metrics.attempted(allowed.pool());
        PendingAllow pending = new PendingAllow(this, allowed, reply, startedNanos);
        onGone.accept(pending);
        publisher.publish(allowed, pending);
        if (durability == Durability.FAST) {
          pending.answer();
        }
      }
      case Decision.Rejected rejected -> {
        if (rejected.reason() == RejectionReason.UNKNOWN_POOL) {
          metrics.attemptedUnknownPool();
          warnOfUnknownPool(pool);
        } else {
          metrics.attempted(rejected.pool());
        }
        publisher.publish(rejected);
        answerRejected(rejected, reply, startedNanos);
      }
    }
  }

  void answerAllowed(Decision.Allowed decision, Reply reply, long startedNanos) {
    reply.allowed(decision);
    metrics.allowed(ticker.nowNanos() - startedNanos);
  }

  void answerNotRecorded(
      Decision.Allowed decision, Reply reply, long startedNanos, Exception failure) {
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

  void lost(Decision.Allowed decision, Exception failure) {
    publisher.lost(decision, failure);
  }

  void release(Decision.Allowed decision) {
    ledger.release(decision);
  }

  private void answerRejected(Decision.Rejected decision, Reply reply, long startedNanos) {
    reply.rejected(decision);
    metrics.rejected(decision, ticker.nowNanos() - startedNanos);
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
