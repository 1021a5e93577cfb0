package io.connectionledger.ingest.translate;

/** Why an entry became a dead letter: the values of the label {@code cause}. */
public enum DeadLetterCause {
  /** Written by something that is not the access log which this ledger asks Envoy for. */
  FOREIGN("foreign"),
  /** Of the right kind, but a value in it cannot be. */
  MALFORMED("malformed"),
  /** A string in it is not UTF-8; it was read all the same, without the bad bytes. */
  NOT_UTF8("not_utf8", true),
  /** Of a cluster that no pool claims, and that is no pool's name. */
  UNCLAIMED("unclaimed", true),
  /** A log of TCP connections, which this ledger does not count. */
  TCP("tcp"),
  /** One message named more pools than an Envoy can serve. */
  TOO_MANY_POOLS("too_many_pools");

  private final String label;

  private final boolean repeated;

  DeadLetterCause(String label) {
    this(label, false);
  }

  DeadLetterCause(String label, boolean repeated) {
    this.label = label;
    this.repeated = repeated;
  }

  /** Whether each heartbeat of the same connection brings it again. */
  public boolean isRepeated() {
    return repeated;
  }

  public String label() {
    return label;
  }
}
