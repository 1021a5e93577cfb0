package io.connectionledger.streams.simulation;

import io.connectionledger.model.PodAddress;
import io.connectionledger.model.event.ConnectionEvent;
import io.connectionledger.model.event.Decision;
import io.connectionledger.model.policy.PolicyRecord;
import java.util.Map;

/** One thing that happened to a pool, as the rules saw it. */
sealed interface RecordedEvent {

  /** When, in milliseconds since the epoch; never before the step before. */
  long atMs();

  /** The window begins: what came before is fact, what comes after may have been otherwise. */
  record Begin(long atMs) implements RecordedEvent {}

  /** The pool was decided by this policy from then on. */
  record Followed(long atMs, PolicyRecord policy) implements RecordedEvent {}

  /**
   * A client wanted in; in a flood, as many as the decision counts, all at once.
   *
   * @param nanos when exactly it was decided, nanoseconds since the epoch
   */
  record Attempt(long atMs, long nanos, Decision decision) implements RecordedEvent {}

  /** An Envoy told of one connection: it opened, closed or failed. */
  record Told(long atMs, ConnectionEvent event) implements RecordedEvent {}

  /**
   * Heartbeats told of connections where none were known.
   *
   * @param pods of each connection the pod, in the order in which they were applied
   */
  record Found(long atMs, String envoy, Map<String, PodAddress> pods) implements RecordedEvent {}

  /** The ledger stopped believing in a connection, or remembering that it had ended. */
  record Forgotten(long atMs, String connection) implements RecordedEvent {}
}
