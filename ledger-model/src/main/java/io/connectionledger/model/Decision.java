package io.connectionledger.model;

import com.fasterxml.jackson.annotation.JsonSubTypes;
import com.fasterxml.jackson.annotation.JsonTypeInfo;
import com.fasterxml.jackson.annotation.JsonTypeName;
import org.jspecify.annotations.Nullable;

/**
 * What admission answered to one check. Values of the topic {@link Topics#DECISIONS}; the schema is
 * docs/events/decisions.schema.json.
 */
@JsonTypeInfo(use = JsonTypeInfo.Id.NAME, property = "type")
@JsonSubTypes({
  @JsonSubTypes.Type(Decision.Allowed.class),
  @JsonSubTypes.Type(Decision.Rejected.class)
})
public sealed interface Decision extends LedgerRecord {

  /** Unique for ever; made by {@link ConnectionIds#next}. */
  String id();

  /**
   * Admitted, with a slot reserved on the pod. The id is the reservation's, and later the
   * connection's.
   *
   * @param bucketNanos the theoretical arrival time of the pool's token bucket after this decision,
   *     nanoseconds since the epoch; 0 without a rate limit. With it, replay in any order and with
   *     repetitions leaves the bucket exactly as the decisions left it.
   */
  @JsonTypeName("allowed")
  record Allowed(String pool, String id, PodAddress pod, long bucketNanos, long atMs)
      implements Decision {}

  /**
   * Not admitted.
   *
   * @param pod the one pod that was asked for; null when any would have done
   * @param retryAfterSeconds when trying again makes sense; at least 1
   */
  @JsonTypeName("rejected")
  record Rejected(
      String pool,
      String id,
      RejectionReason reason,
      @Nullable PodAddress pod,
      int retryAfterSeconds,
      long atMs)
      implements Decision {}
}
