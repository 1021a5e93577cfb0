package io.connectionledger.model.event;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonValue;
import java.util.Locale;

/** Why a connection was not admitted. The written form and the HTTP status are contract. */
public enum RejectionReason {
  /** The pool's token bucket is empty. */
  RATE_LIMITED(429),
  /** Every pod that could take the connection holds its maximum. */
  POD_LIMIT(503),
  /** There is room, but only on pods whose circuit is open. */
  CIRCUIT_OPEN(503),
  /** The pool has no pod that may take connections. */
  NO_PODS(503),
  /** No instance can prove that it owns the pool, or the decision could not be recorded. */
  NO_OWNER(503),
  /** No such pool is configured. */
  UNKNOWN_POOL(503);

  private final String label = name().toLowerCase(Locale.ROOT);
  private final int httpStatus;

  RejectionReason(int httpStatus) {
    this.httpStatus = httpStatus;
  }

  /** The name on the wire, for example {@code pod_limit}. */
  @JsonValue
  public String label() {
    return label;
  }

  public int httpStatus() {
    return httpStatus;
  }

  /**
   * Reads the written form.
   *
   * @throws IllegalArgumentException when no reason is written so
   */
  @JsonCreator
  public static RejectionReason ofLabel(String label) {
    for (RejectionReason reason : values()) {
      if (reason.label.equals(label)) {
        return reason;
      }
    }
    throw new IllegalArgumentException("'" + label + "' is not a rejection reason");
  }
}
