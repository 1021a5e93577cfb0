package io.connectionledger.streams.rules;

import io.connectionledger.model.Loan;
import java.time.Duration;

/**
 * How long the ledger believes without proof.
 *
 * @param heartbeat the interval of Envoy's periodic access-log entries (access_log_flush_interval)
 * @param missed heartbeats that may stay out before an open connection is given up
 * @param reservation how long an admitted connection may take to open
 */
public record LeaseTerms(Duration heartbeat, int missed, Duration reservation) {

  /** What an Envoy's log, the ingest and Kafka take from a heartbeat to here, generously. */
  static final long TRANSIT_MS = 500;

  /** How long an open connection counts after its last sign of life. */
  public long leaseMs() {
    return heartbeat.toMillis() * missed;
  }

  /**
   * How long a closed connection stays closed against late news of it. News is late by what waits
   * in Envoy's buffer, the ingest and Kafka; what is later still comes from a connection that a
   * living Envoy would long have ended again.
   */
  public long tombstoneMs() {
    return 4 * leaseMs();
  }

  /**
   * How long a connection may stay unknown that was admitted and of which no decision is recorded:
   * until it opens, which it does within its reservation or not at all, and then until its next
   * heartbeat is here.
   */
  public Duration hidden() {
    return reservation.plus(heartbeat).plusMillis(TRANSIT_MS);
  }

  /** How long a slot counts that another instance may use for {@link Loan#TERM}. */
  public long lentMs() {
    return Loan.TERM.toMillis() + reservationMs();
  }

  public long reservationMs() {
    return reservation.toMillis();
  }
}
