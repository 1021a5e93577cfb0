package io.connectionledger.model.event;

import java.util.Locale;
import java.util.Optional;

/**
 * Why an Envoy by itself turned a WebSocket away, whatever the ledger had decided; told by the
 * response code details that it logged, or by the label before them. The written form is that of
 * {@link RejectionReason}, of which none is called the same.
 */
public enum EnvoyRejection {
  /** The bucket of its {@code local_ratelimit} filter was empty: the bounded fail-open. */
  LOCAL_RATE_LIMITED("local_rate_limited"),
  /** Its rate limit service said no. */
  REQUEST_RATE_LIMITED("request_rate_limited"),
  /** A circuit breaker of its cluster was open: too many connections or requests at once. */
  OVERFLOW("upstream_reset_before_response_started{overflow"),
  /** Its overload manager takes no more requests. */
  OVERLOAD("overload");

  private final String label = name().toLowerCase(Locale.ROOT);
  private final String details;

  EnvoyRejection(String details) {
    this.details = details;
  }

  /** The name in queries, for example {@code overflow}. */
  public String label() {
    return label;
  }

  /** Reads the reason of a {@link ConnectionEvent.Failed}; empty when it is another. */
  public static Optional<EnvoyRejection> of(String reason) {
    for (EnvoyRejection rejection : values()) {
      if (reason.startsWith(rejection.details) || reason.startsWith(rejection.label)) {
        return Optional.of(rejection);
      }
    }
    return Optional.empty();
  }
}
