package io.connectionledger.ingest.translate;

import io.connectionledger.model.PodAddress;
import io.connectionledger.model.event.ConnectionEvent;

/** What one access-log entry means to the ledger. */
public sealed interface Translation {

  /** A connection was opened or closed, or a handshake failed. */
  record Event(ConnectionEvent event) implements Translation {}

  /** The connection is open at this moment. */
  record Heartbeat(String pool, PodAddress pod, String connection) implements Translation {}

  /** A true entry that concerns no connection of the ledger. */
  record Ignored() implements Translation {
    static final Ignored INSTANCE = new Ignored();
  }

  /** A handshake that its Envoy turned away before it asked the ledger: only to be counted. */
  record Limited() implements Translation {
    static final Limited INSTANCE = new Limited();
  }

  /**
   * An entry that cannot be read.
   *
   * @param reason one line of at most {@link AccessLogTranslator#MAX_TEXT} characters
   */
  record Malformed(DeadLetterCause cause, String reason) implements Translation {}
}
