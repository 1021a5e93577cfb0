package io.connectionledger.streams.rules.state;

import io.connectionledger.model.PodAddress;
import org.jspecify.annotations.Nullable;

/**
 * A connection as the state store keeps it: everything but its deadlines, which a restart renews.
 */
public sealed interface StoredConnection {

  /** Before the node id of an Envoy of which nothing else is known. */
  String ENVOY = "envoy ";

  /**
   * Admitted, not known to be established.
   *
   * @param listener where the client reached its Envoy, or {@link #ENVOY} and a node id; null when
   *     unknown
   * @param overdue whether it should have had an outcome by now
   */
  record Reserved(PodAddress pod, @Nullable String listener, boolean overdue)
      implements StoredConnection {

    /** One of which nothing is overdue. */
    public Reserved(PodAddress pod) {
      this(pod, null, false);
    }
  }

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
