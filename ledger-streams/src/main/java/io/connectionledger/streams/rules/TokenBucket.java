package io.connectionledger.streams.rules;

import io.connectionledger.model.policy.PoolPolicy;
import org.jspecify.annotations.Nullable;

/**
 * A token bucket as the generic cell rate algorithm (ITU-T I.371): one number, the theoretical
 * arrival time, says how full it is. Nothing has to refill it, and the number is all that must
 * survive a restart. In any span of {@code t} seconds it gives at most {@code burst + rate × t}
 * tokens.
 */
final class TokenBucket {

  private static final double NANOS_PER_SECOND = 1e9;

  private final boolean unlimited;
  private final long intervalNanos;
  private final long toleranceNanos;
  private long arrivalNanos;

  /** A full bucket with the limits of {@code policy}. */
  TokenBucket(PoolPolicy policy) {
    unlimited = policy.connectionsPerSecond() == PoolPolicy.UNLIMITED_RATE;
    // Rounded up: a bucket may be a nanosecond slower than asked for, never faster.
    intervalNanos =
        unlimited ? 0 : (long) Math.ceil(NANOS_PER_SECOND / policy.connectionsPerSecond());
    toleranceNanos = intervalNanos * (policy.burstCapacity() - 1L);
  }

  /**
   * A bucket with the limits of {@code policy} that continues this one: tokens that are out stay
   * out, as many of them as the new bucket can hold. So a larger bucket has its additional tokens
   * at once, a faster one refills at its new rate from now on, and none ever holds more than its
   * burst.
   */
  TokenBucket converted(PoolPolicy policy, long nowNanos) {
    TokenBucket next = new TokenBucket(policy);
    if (!unlimited && !next.unlimited) {
      double out =
          Math.clamp((arrivalNanos - nowNanos) / (double) intervalNanos, 0, policy.burstCapacity());
      next.arrivalNanos = nowNanos + (long) Math.ceil(out * next.intervalNanos);
    }
    return next;
  }

  /** How long until a token is there; 0 when there is one now. Takes none. */
  long nanosUntilToken(long nowNanos) {
    if (unlimited) {
      return 0;
    }
    // Emptier than empty is the mark of a clock that ran ahead of ours: that one must not stop us.
    arrivalNanos = Math.min(arrivalNanos, nowNanos + toleranceNanos + intervalNanos);
    return Math.max(0, arrivalNanos - toleranceNanos - nowNanos);
  }

  /** The time between two tokens; 0 without a rate limit. */
  long intervalNanos() {
    return intervalNanos;
  }

  /** How many are there, to the thousandth; null without a rate limit. */
  @Nullable Double tokens(long nowNanos) {
    if (unlimited) {
      return null;
    }
    double missing = Math.max(0, arrivalNanos - nowNanos);
    return Math.floor((toleranceNanos + intervalNanos - missing) * 1_000 / intervalNanos) / 1_000;
  }

  /** Takes a token. Call it only when {@link #nanosUntilToken} says that there is one. */
  void take(long nowNanos) {
    if (!unlimited) {
      arrivalNanos = Math.max(arrivalNanos, nowNanos) + intervalNanos;
    }
  }

  /** What {@link #restore} needs to continue elsewhere, nanoseconds since the epoch; 0 if full. */
  long arrivalNanos() {
    return arrivalNanos;
  }

  /** Makes it no fuller than the bucket whose {@link #arrivalNanos} this was. */
  void restore(long otherArrivalNanos) {
    arrivalNanos = Math.max(arrivalNanos, otherArrivalNanos);
  }
}
