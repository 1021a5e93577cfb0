package io.connectionledger.streams.rules.lease;

import io.connectionledger.model.event.Loan;
import java.time.Duration;

/**
 * How long connections and reservations count without a sign of life.
 *
 * @param heartbeat the interval of Envoy's periodic access-log entries (access_log_flush_interval)
 * @param missed heartbeats that may stay out before an open connection is given up
 * @param reservation how long an admitted connection may take to open
 * @param unreported how long a slot is held at most whose connection has no outcome by then: it may
 *     be open at an Envoy that does not report it. Zero gives it away at once
 */
public record LeaseTerms(
    Duration heartbeat, int missed, Duration reservation, Duration unreported) {

  /** Longer than most WebSockets live, and soon enough for whoever mends a silent Envoy. */
  public static final Duration DEFAULT_UNREPORTED = Duration.ofHours(1);

  /** What an Envoy's log, the ingest and Kafka take from a heartbeat to here, generously. */
  public static final long TRANSIT_MS = 500;

  /**
   * How late a decision may come back from its topic: Kafka's producer tries for so long, unless it
   * is told otherwise, and then gives up.
   */
  public static final long RECORDED_MS = 120_000;

  /** With the default for what is unreported. */
  public LeaseTerms(Duration heartbeat, int missed, Duration reservation) {
    this(heartbeat, missed, reservation, DEFAULT_UNREPORTED);
  }

  /**
   * How long an open connection counts after its last sign of life, where Envoy is as configured.
   */
  public long leaseMs() {
    return heartbeat.toMillis() * missed;
  }

  /** How long one of this Envoy counts: by the interval at which it really reports. */
  public long leaseMs(HeartbeatInterval interval) {
    return interval.ms() * missed;
  }

  /** Within how long an Envoy has reported every connection that it has open, once. */
  public static long roundMs(long intervalMs) {
    return intervalMs + intervalMs / 4 + TRANSIT_MS;
  }

  public static long roundMs(HeartbeatInterval interval) {
    return roundMs(interval.ms());
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
  public Duration maxUnseen() {
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
