package io.connectionledger.admission.decisionlog;

import io.connectionledger.admission.metrics.AdmissionMetrics;
import io.connectionledger.model.LogRateLimiter;
import io.connectionledger.model.Ticker;
import io.connectionledger.model.event.Decision;
import io.connectionledger.model.event.RejectionReason;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.kafka.clients.producer.Callback;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Records decisions, without ever waiting. An allowed decision is recorded or its check hears that
 * it was not. Rejected ones are only counted where there are very many, or when Kafka falls behind,
 * so that a flood neither fills memory and disks nor takes the room of the allowed: see {@link
 * #recordCounted}. Thread-safe.
 */
public final class DecisionPublisher {

  /** At some 300 bytes each they fill half of the producer's buffer of 32 MiB. */
  static final int MAX_PENDING_REJECTIONS = 50_000;

  private static final Logger LOGGER = LoggerFactory.getLogger(DecisionPublisher.class);

  private final DecisionLog log;
  private final AdmissionMetrics metrics;
  private final Ticker ticker;
  private final LogRateLimiter lostGate;
  private final LogRateLimiter droppedGate;
  private final AtomicInteger pendingRejections = new AtomicInteger();
  private final RejectionCounts counts = new RejectionCounts();

  public DecisionPublisher(DecisionLog log, AdmissionMetrics metrics, Ticker ticker) {
    this.log = log;
    this.metrics = metrics;
    this.ticker = ticker;
    this.lostGate = new LogRateLimiter(ticker, Duration.ofSeconds(10));
    this.droppedGate = new LogRateLimiter(ticker, Duration.ofSeconds(10));
  }

  /**
   * Records an allowed decision.
   *
   * @param awaited whether somebody waits until it is recorded
   * @param done completed exactly once, by any thread, possibly before this returns
   */
  public void publish(Decision.Allowed allowed, boolean awaited, Callback done) {
    log.send(allowed, awaited, done);
  }

  /**
   * Records a rejected decision, or counts it. One about an unknown pool is never recorded: its
   * name is whatever the check says.
   */
  public void publish(Decision.Rejected rejected) {
    if (rejected.reason() == RejectionReason.UNKNOWN_POOL) {
      return;
    }
    boolean behind = pendingRejections.get() >= MAX_PENDING_REJECTIONS;
    if (!counts.take(rejected, behind, ticker.nowMs())) {
      send(rejected);
    }
  }

  /**
   * Records what was counted in the seconds that are over, a record for each second and kind. To be
   * called about twice a second.
   */
  public synchronized void recordCounted() {
    counts.before(ticker.nowMs()).forEach(this::send);
  }

  /**
   * Records all that was counted, before whatever has everything recorded; waits for {@link
   * #recordCounted}, which may be about to send.
   */
  public synchronized void recordAllCounted() {
    counts.before(Long.MAX_VALUE).forEach(this::send);
  }

  private void send(Decision.Rejected rejected) {
    pendingRejections.incrementAndGet();
    log.send(rejected, false, (recorded, failure) -> sent(rejected.attempts(), failure));
  }

  /** Counts a decision that was answered as allowed and then could not be recorded. */
  public void lost(Decision.Allowed allowed, Exception failure) {
    metrics.decisionLost();
    if (lostGate.passes()) {
      LOGGER
          .atWarn()
          .addKeyValue("pool", allowed.pool())
          .addKeyValue("reservation", allowed.id())
          .addKeyValue("failure", failure.toString())
          .log("An answered decision is not in Kafka; the next heartbeat repairs it");
    }
  }

  private void sent(int count, @Nullable Exception failure) {
    pendingRejections.decrementAndGet();
    if (failure == null) {
      return;
    }
    metrics.decisionsDropped(count);
    if (droppedGate.passes()) {
      LOGGER
          .atWarn()
          .addKeyValue("failure", failure.toString())
          .log("Rejected decisions are answered but not recorded");
    }
  }
}
