package io.connectionledger.streams.rules;

import io.connectionledger.model.PodAddress;
import org.jspecify.annotations.Nullable;

/**
 * A connection as the state store keeps it: everything but its deadlines, which a restart renews.
 */
public sealed interface StoredConnection {

  /** Admitted, not established yet. */
  record Reserved(PodAddress pod) implements StoredConnection {}

  /**
   * Established.
   *
   * @param startedAtMs by Envoy's clock; null when the ledger learned of it from a heartbeat
   */
  record Open(PodAddress pod, String envoy, @Nullable Long startedAtMs)
      implements StoredConnection {}

  /** Ended; kept against late news. */
  record Ended() implements StoredConnection {}
}
