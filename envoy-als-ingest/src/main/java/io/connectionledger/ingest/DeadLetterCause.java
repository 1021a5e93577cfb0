package io.connectionledger.ingest;

/** Why an entry became a dead letter: the values of the label {@code cause}. */
enum DeadLetterCause {
  /** Written by something that is not the access log which this ledger asks Envoy for. */
  FOREIGN("foreign"),
  /** Of the right kind, but a value in it cannot be. */
  MALFORMED("malformed"),
  /** A log of TCP connections, which this ledger does not count. */
  TCP("tcp"),
  /** One message named more pools than an Envoy can serve. */
  TOO_MANY_POOLS("too_many_pools");

  private final String label;

  DeadLetterCause(String label) {
    this.label = label;
  }

  String label() {
    return label;
  }
}
