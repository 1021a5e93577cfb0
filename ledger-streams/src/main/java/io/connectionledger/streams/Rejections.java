package io.connectionledger.streams;

import io.connectionledger.model.ConnectionIds;
import io.connectionledger.model.Decision;
import io.connectionledger.model.PoolPolicy.Mode;
import io.connectionledger.model.RejectionReason;
import java.util.concurrent.ThreadLocalRandom;
import org.jspecify.annotations.Nullable;

/** Rejections that need no pool's state. */
final class Rejections {

  /** A client may come back soon: owners change within seconds, and policies come as fast. */
  private static final int RETRY_AFTER_SECONDS = 2;

  /** All clients of a pool are told so at the same time, and should not come back at once. */
  private static final int SPREAD_SECONDS = 4;

  private Rejections() {}

  static Decision.Rejected of(
      String pool, RejectionReason reason, long nowNanos, @Nullable Mode mode) {
    long nowMs = nowNanos / 1_000_000;
    int seconds = RETRY_AFTER_SECONDS + ThreadLocalRandom.current().nextInt(SPREAD_SECONDS);
    return new Decision.Rejected(
        pool, ConnectionIds.next(nowMs), reason, null, seconds, nowMs, mode);
  }
}
