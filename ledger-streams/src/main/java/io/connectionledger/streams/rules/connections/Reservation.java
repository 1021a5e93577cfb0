package io.connectionledger.streams.rules.connections;

import io.connectionledger.streams.rules.placement.PodState;

/** A slot that an admitted connection holds of which no outcome is known. */
final class Reservation {

  final PodState pod;
  final Reporter reporter;

  /** Whether the connection was open: its heartbeats never came, or its Envoy is not heard. */
  final boolean wasOpen;

  /** Since when, on the lease clock: admitted, lent on, or found to be without an outcome. */
  long sinceMs;

  Reservation(PodState pod, Reporter reporter, boolean wasOpen, long sinceMs) {
    this.pod = pod;
    this.reporter = reporter;
    this.wasOpen = wasOpen;
    this.sinceMs = sinceMs;
  }
}
