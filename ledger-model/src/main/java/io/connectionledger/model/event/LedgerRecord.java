package io.connectionledger.model.event;

/** Anything that changes a pool's state: what Envoy reported or what admission decided. */
public sealed interface LedgerRecord permits ConnectionEvent, Decision {

  /** The pool that it concerns; also the Kafka key. */
  String pool();

  /** When it was received or decided, in milliseconds since the epoch by our own clock. */
  long atMs();
}
