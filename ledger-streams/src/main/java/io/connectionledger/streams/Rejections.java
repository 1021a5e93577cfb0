package io.connectionledger.streams;

import io.connectionledger.model.ConnectionIds;
import io.connectionledger.model.Decision;
import io.connectionledger.model.PoolPolicy.Mode;
import io.connectionledger.model.RejectionReason;
import org.jspecify.annotations.Nullable;

/** Rejections that need no pool's state. */
final class Rejections {

  /** A client may come back soon: owners change within seconds, and policies come as fast. */
  private static final int RETRY_AFTER_SECONDS = 2;

  private Rejections() {}

  static Decision.Rejected of(
      String pool, RejectionReason reason, long nowNanos, @Nullable Mode mode) {
    long nowMs = nowNanos / 1_000_000;
    return new Decision.Rejected(
        pool, ConnectionIds.next(nowMs), reason, null, RETRY_AFTER_SECONDS, nowMs, mode);
  }
}
