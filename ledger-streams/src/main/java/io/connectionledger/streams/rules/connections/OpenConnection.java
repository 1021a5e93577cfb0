package io.connectionledger.streams.rules.connections;

import io.connectionledger.streams.rules.placement.PodState;
import org.jspecify.annotations.Nullable;

/**
 * An open connection, and its place among those of its Envoy. Mutable, because a heartbeat changes
 * nothing but its time and its place.
 */
final class OpenConnection {

  final String id;
  final PodState pod;
  final EnvoyTable.Slot envoy;

  /** The last sign of life, on the lease clock. */
  long sinceMs;

  /** Whether there was one since this instance owns the pool. */
  boolean confirmed;

  /** The one of the same Envoy that was heard before it; null for the first. */
  @Nullable OpenConnection before;

  @Nullable OpenConnection after;

  OpenConnection(String id, PodState pod, EnvoyTable.Slot envoy, long sinceMs, boolean confirmed) {
    this.id = id;
    this.pod = pod;
    this.envoy = envoy;
    this.sinceMs = sinceMs;
    this.confirmed = confirmed;
  }
}
