package io.connectionledger.streams.local;

import io.connectionledger.model.event.ConnectionIds;
import io.connectionledger.model.event.Decision;
import io.connectionledger.model.event.RejectionReason;
import io.connectionledger.model.policy.PoolPolicy.Mode;
import java.util.concurrent.ThreadLocalRandom;
import org.jspecify.annotations.Nullable;

/** Makes the rejections that need no pool's state. */
final class Rejections {

  /** A client may come back soon: owners change within seconds, and policies come as fast. */
  private static final int RETRY_AFTER_SECONDS = 2;

  /** All clients of a pool are told so at the same time, and should not come back at once. */
  private static final int SPREAD_SECONDS = 4;

  private Rejections() {}

  public static Decision.Rejected of(
      String pool, RejectionReason reason, long nowNanos, @Nullable Mode mode) {
    long nowMs = nowNanos / 1_000_000;
    int seconds = RETRY_AFTER_SECONDS + ThreadLocalRandom.current().nextInt(SPREAD_SECONDS);
    return new Decision.Rejected(
        pool, ConnectionIds.next(nowMs), reason, null, seconds, nowMs, mode);
  }
}
