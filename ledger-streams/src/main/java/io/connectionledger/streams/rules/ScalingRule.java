package io.connectionledger.streams.rules;

import io.connectionledger.model.policy.PoolPolicy;
import io.connectionledger.streams.rules.connections.CloseRate;
import java.time.Duration;

/** How many pods a pool should have. Pure. */
public final class ScalingRule {

  /** Over which time rejections for want of room are demand. */
  public static final Duration LATELY = Duration.ofMinutes(1);

  /**
   * How long a rejected client stays away: it is told to come back within so long, before the
   * spread of the crowd. Whoever still wants in is rejected about once in this time.
   */
  private static final Duration RETRY = Duration.ofMillis(CloseRate.MAX_MS);

  /** So that 0.1 + 0.2 pods are not 0.30000000000000004, and then one more. */
  private static final double ROUNDING = 1e-9;

  private ScalingRule() {}

  /**
   * As many pods as hold the demand when each is used to the policy's target: the connections that
   * are there, and the clients that would be if there had been room. Those are not the rejections,
   * because a client that still wants in comes back and is rejected again; they are as many as are
   * rejected in the time in which each comes back once. Rejections by the rate limit or because of
   * circuits are no demand: more pods would not admit them. At least 1: without a pod, nobody would
   * be there to be counted.
   *
   * @param active open connections, those on pods that leave included: they will want another.
   *     Reservations become open within seconds, and some are only lent to other instances
   * @param rejected how many were rejected within {@link #LATELY} because no pod had room
   */
  public static int desiredPods(PoolPolicy policy, int active, long rejected) {
    double waiting = (double) rejected * RETRY.toMillis() / LATELY.toMillis();
    double each = policy.perPodMaxConnections() * policy.targetUtilisation();
    return (int) Math.max(1, Math.ceil((active + waiting) / each - ROUNDING));
  }
}
