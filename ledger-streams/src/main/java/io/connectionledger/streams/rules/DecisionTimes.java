package io.connectionledger.streams.rules;

import io.connectionledger.model.event.Decision;
import io.connectionledger.model.event.RejectionReason;
import io.connectionledger.model.policy.PoolPolicy;

/**
 * When decisions were made, to the nanosecond where that matters. A decision names the millisecond;
 * whether there was a token may depend on less. But an allowed one also says how it left the bucket
 * (decision 0003), so the bucket is known before each decision, and with it the earliest moment of
 * the millisecond at which the answer can have been what it was: decided again at that moment, it
 * is the same. For the decisions of a pool in their order; not thread-safe.
 */
public final class DecisionTimes {

  private static final long NANOS_PER_MS = 1_000_000;

  private PoolPolicy policy;
  private TokenBucket bucket;

  /** Of the last decision: two of one millisecond do not change places. */
  private long nanos;

  /** Begins with a full bucket. */
  public DecisionTimes(PoolPolicy policy) {
    this.policy = policy;
    bucket = new TokenBucket(policy);
  }

  /** The pool is decided by another policy from now on. */
  public void follow(PoolPolicy other, long nowNanos) {
    policy = other;
    bucket = bucket.converted(other, nowNanos);
  }

  /**
   * When this next decision was made, nanoseconds since the epoch: never later than it really was,
   * and never before the one before.
   */
  public long nanos(Decision decision) {
    nanos = Math.max(nanos, earliest(decision));
    if (decision instanceof Decision.Allowed allowed) {
      bucket = new TokenBucket(policy);
      bucket.restore(allowed.bucketNanos());
    }
    return nanos;
  }

  private long earliest(Decision decision) {
    long firstNanos = Math.max(nanos, decision.atMs() * NANOS_PER_MS);
    long lastNanos = decision.atMs() * NANOS_PER_MS + NANOS_PER_MS - 1;
    if (decision instanceof Decision.Rejected rejected
        && rejected.reason() == RejectionReason.RATE_LIMITED) {
      return firstNanos;
    }
    if (decision instanceof Decision.Allowed allowed) {
      long takenNanos = allowed.bucketNanos() - bucket.intervalNanos();
      // Out of a full bucket, a token is taken at the time that it then says.
      if (takenNanos > bucket.arrivalNanos()
          && takenNanos >= firstNanos
          && takenNanos <= lastNanos) {
        return takenNanos;
      }
    }
    return Math.min(lastNanos, firstNanos + bucket.nanosUntilToken(firstNanos));
  }
}
