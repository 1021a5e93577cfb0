package io.connectionledger.admission.http.view;

import com.fasterxml.jackson.annotation.JsonInclude;
import io.connectionledger.model.event.Decision;
import io.connectionledger.model.event.DecisionInputs;
import io.connectionledger.model.event.RejectionReason;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * Explains why a check was answered as it was.
 *
 * @param count how many checks of one second were answered so, in a flood; absent for one
 * @param from when the first of them was
 * @param mode {@code shadow} when it was not enforced
 * @param rule the one that decided, in words
 * @param state what it was applied to; absent when no pool's state was looked at
 */
@JsonInclude(JsonInclude.Include.NON_NULL)
public record DecisionView(
    String id,
    String pool,
    String at,
    String outcome,
    @Nullable String pod,
    @Nullable String reason,
    @Nullable Integer status,
    @Nullable Integer retryAfterSeconds,
    @Nullable Integer count,
    @Nullable String from,
    String mode,
    String rule,
    @Nullable DecisionInputs state) {

  public static DecisionView of(Decision decision) {
    String at = Instant.ofEpochMilli(decision.atMs()).toString();
    String mode = decision.isShadow() ? "shadow" : "enforce";
    return switch (decision) {
      case Decision.Allowed d ->
          new DecisionView(
              d.id(),
              d.pool(),
              at,
              "allowed",
              d.pod().toString(),
              null,
              null,
              null,
              null,
              null,
              mode,
              rule(d.basis()),
              d.basis());
      case Decision.Rejected d ->
          new DecisionView(
              d.id(),
              d.pool(),
              at,
              "rejected",
              d.pod() == null ? null : d.pod().toString(),
              d.reason().label(),
              d.reason().httpStatus(),
              d.retryAfterSeconds(),
              d.count(),
              d.fromMs() == null ? null : Instant.ofEpochMilli(d.fromMs()).toString(),
              mode,
              rule(d.reason()),
              d.basis());
    };
  }

  private static String rule(@Nullable DecisionInputs basis) {
    if (basis == null || basis.choice() == null) {
      return "a token was there, and a pod with room";
    }
    return switch (basis.choice()) {
      case LEAST_CONNECTIONS -> "no pod that takes connections held fewer";
      case SLOW_START -> "the pod is new and the emptiest, and it was its turn";
      case AFFINITY -> "the client belongs to this pod, or its own had no room or an open circuit";
      case TRIAL -> "the pod's circuit was half open, and this connection is its trial";
    };
  }

  private static String rule(RejectionReason reason) {
    return switch (reason) {
      case RATE_LIMITED -> "the pool's token bucket was empty";
      case POD_LIMIT -> "every pod held its limit, open and reserved together";
      case CIRCUIT_OPEN -> "the circuits of all pods that had room were open";
      case NO_PODS -> "the pool had no pod that takes connections";
      case NO_OWNER -> "no instance could prove that it owned the pool";
      case UNKNOWN_POOL -> "no pool has this name";
    };
  }
}
