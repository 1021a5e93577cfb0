package io.connectionledger.model.event;

import com.fasterxml.jackson.annotation.JsonSubTypes;
import com.fasterxml.jackson.annotation.JsonTypeInfo;
import com.fasterxml.jackson.annotation.JsonTypeName;
import io.connectionledger.model.PodAddress;
import io.connectionledger.model.Topics;
import io.connectionledger.model.policy.PoolPolicy.Mode;
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

  /** {@link Mode#SHADOW} when the request passed as it came, whatever was decided; else null. */
  @Nullable Mode mode();

  /**
   * What it was made of; null when no state was looked at, or in a record of an earlier version.
   */
  @Nullable DecisionInputs basis();

  /** How many checks were answered so; more than one only where a flood was counted. */
  default int attempts() {
    return 1;
  }

  /** Whether it was recorded and counted but not enforced. */
  default boolean isShadow() {
    return mode() == Mode.SHADOW;
  }

  private static @Nullable Mode written(@Nullable Mode mode) {
    return mode == Mode.SHADOW ? mode : null;
  }

  /**
   * Admitted, with a slot reserved on the pod. The id is the reservation's, and later the
   * connection's.
   *
   * @param bucketNanos the theoretical arrival time of the pool's token bucket after this decision,
   *     nanoseconds since the epoch; 0 without a rate limit. With it, replay in any order and with
   *     repetitions leaves the bucket exactly as the decisions left it.
   * @param listener where the client reached its Envoy, ip:port as the check said; null when it did
   *     not say, or in a record of an earlier version. The Envoy behind it owes an outcome
   */
  @JsonTypeName("allowed")
  record Allowed(
      String pool,
      String id,
      PodAddress pod,
      long bucketNanos,
      long atMs,
      @Nullable Mode mode,
      @Nullable DecisionInputs basis,
      @Nullable String listener)
      implements Decision {

    public Allowed {
      mode = Decision.written(mode);
    }

    /** One of a check that did not say where the client reached its Envoy. */
    public Allowed(
        String pool,
        String id,
        PodAddress pod,
        long bucketNanos,
        long atMs,
        @Nullable Mode mode,
        @Nullable DecisionInputs basis) {
      this(pool, id, pod, bucketNanos, atMs, mode, basis, null);
    }

    /** One that binds. */
    public Allowed(String pool, String id, PodAddress pod, long bucketNanos, long atMs) {
      this(pool, id, pod, bucketNanos, atMs, null, null);
    }

    /** The same decision, for a client of another listener. */
    public Allowed through(@Nullable String other) {
      return new Allowed(pool, id, pod, bucketNanos, atMs, mode, basis, other);
    }
  }

  /**
   * Not admitted.
   *
   * @param pod the one that it was about: the client's own by affinity when all were full, or the
   *     one whose open circuit is tried next; null when it was about all of them or none
   * @param retryAfterSeconds when trying again makes sense; at least 1
   * @param count how many checks of one second were answered so, of which this was the last; null
   *     for one, which is what all are but in a flood
   * @param fromMs when the first of them was; null without a count
   */
  @JsonTypeName("rejected")
  record Rejected(
      String pool,
      String id,
      RejectionReason reason,
      @Nullable PodAddress pod,
      int retryAfterSeconds,
      long atMs,
      @Nullable Mode mode,
      @Nullable DecisionInputs basis,
      @Nullable Integer count,
      @Nullable Long fromMs)
      implements Decision {

    public Rejected {
      mode = Decision.written(mode);
    }

    /** One of one check. */
    public Rejected(
        String pool,
        String id,
        RejectionReason reason,
        @Nullable PodAddress pod,
        int retryAfterSeconds,
        long atMs,
        @Nullable Mode mode,
        @Nullable DecisionInputs basis) {
      this(pool, id, reason, pod, retryAfterSeconds, atMs, mode, basis, null, null);
    }

    /** One that binds. */
    public Rejected(
        String pool,
        String id,
        RejectionReason reason,
        @Nullable PodAddress pod,
        int retryAfterSeconds,
        long atMs) {
      this(pool, id, reason, pod, retryAfterSeconds, atMs, null, null);
    }

    /** One that no pool's state had a part in. */
    public Rejected(
        String pool,
        String id,
        RejectionReason reason,
        @Nullable PodAddress pod,
        int retryAfterSeconds,
        long atMs,
        @Nullable Mode mode) {
      this(pool, id, reason, pod, retryAfterSeconds, atMs, mode, null);
    }

    @Override
    public int attempts() {
      return count == null ? 1 : count;
    }

    /**
     * This one as the last of {@code all} that were alike, the first of them at {@code firstMs}.
     */
    public Rejected lastOf(int all, long firstMs) {
      return all == 1
          ? this
          : new Rejected(pool, id, reason, pod, retryAfterSeconds, atMs, mode, basis, all, firstMs);
    }
  }
}
