package io.connectionledger.model.event;

import com.fasterxml.jackson.annotation.JsonProperty;
import com.fasterxml.jackson.annotation.JsonSubTypes;
import com.fasterxml.jackson.annotation.JsonTypeInfo;
import com.fasterxml.jackson.annotation.JsonTypeName;
import io.connectionledger.model.PodAddress;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What an Envoy's access log said about connections, translated. Values of the topic {@link
 * Topics#CONNECTIONS}; the schema is docs/events/connections.schema.json. Every event may arrive
 * twice, late, or never: Envoy's log gives no more (envoy-facts.md, findings 2 and 3).
 */
@JsonTypeInfo(use = JsonTypeInfo.Id.NAME, property = "type")
@JsonSubTypes({
  @JsonSubTypes.Type(ConnectionEvent.Opened.class),
  @JsonSubTypes.Type(ConnectionEvent.Alive.class),
  @JsonSubTypes.Type(ConnectionEvent.Closed.class),
  @JsonSubTypes.Type(ConnectionEvent.Failed.class)
})
public sealed interface ConnectionEvent extends LedgerRecord {

  /** The node id of the Envoy that said it. */
  String envoy();

  /**
   * A WebSocket was established.
   *
   * @param connection the reservation's id, or an id of {@link ConnectionIds#unleased} when the
   *     connection was let in without one
   * @param pod the pod that really serves it
   * @param startedAtMs by Envoy's clock: data, never a deadline
   */
  @JsonTypeName("opened")
  record Opened(
      String pool, String connection, PodAddress pod, String envoy, long startedAtMs, long atMs)
      implements ConnectionEvent {

    /** Whether it was let in without a reservation (bounded fail-open). */
    @JsonProperty
    public boolean unleased() {
      return ConnectionIds.isUnleased(connection);
    }
  }

  /**
   * Heartbeats of one Envoy flush: each of these connections is open at this moment.
   *
   * @param pods the connections by the pod that serves them
   */
  @JsonTypeName("alive")
  record Alive(String pool, String envoy, Map<PodAddress, List<String>> pods, long atMs)
      implements ConnectionEvent {}

  /**
   * An established WebSocket ended.
   *
   * @param reason Envoy's response code details, or one of the constants here when the ledger
   *     itself concluded it
   * @param durationMs how long it lasted by Envoy's clock; null when unknown
   */
  @JsonTypeName("closed")
  record Closed(
      String pool,
      String connection,
      PodAddress pod,
      String envoy,
      String reason,
      @Nullable Long durationMs,
      long atMs)
      implements ConnectionEvent {

    /** Its heartbeats stayed out for the whole lease. */
    public static final String LEASE_EXPIRED = "lease_expired";

    /** Every access-log stream of its Envoy ended and none came back. */
    public static final String ENVOY_GONE = "envoy_gone";

    /** Its Envoy is heard again after a silence, but does not report it any more. */
    public static final String UNREPORTED = "unreported";

    /** Whether the ledger concluded it, which a later heartbeat refutes. */
    public boolean concluded() {
      return reason.equals(LEASE_EXPIRED) || reason.equals(ENVOY_GONE) || reason.equals(UNREPORTED);
    }
  }

  /**
   * An admitted handshake did not become a WebSocket: the pod refused it, could not be reached, or
   * the client gave up.
   *
   * @param pod the pod that was tried; null when Envoy reached none
   * @param status what the client got; 0 when it got no answer
   * @param reason Envoy's response code details
   * @param client tells two clients apart and names neither: see {@link ConnectionIds#client}; null
   *     when the log does not say, or in a record of an earlier version
   */
  @JsonTypeName("failed")
  record Failed(
      String pool,
      String connection,
      @Nullable PodAddress pod,
      String envoy,
      int status,
      String reason,
      @Nullable String client,
      long atMs)
      implements ConnectionEvent {

    /** One of a client of which nothing is known. */
    public Failed(
        String pool,
        String connection,
        @Nullable PodAddress pod,
        String envoy,
        int status,
        String reason,
        long atMs) {
      this(pool, connection, pod, envoy, status, reason, null, atMs);
    }
  }
}
