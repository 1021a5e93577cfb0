package io.connectionledger.bench.abuse;

import io.connectionledger.model.Ticker;
import java.time.Duration;
import java.util.concurrent.locks.LockSupport;

/** When an attack is over. Thread-safe. */
final class Deadline {

  private static final Ticker TICKER = Ticker.system();

  private final long endNanos;

  Deadline(Duration left) {
    endNanos = TICKER.nowNanos() + left.toNanos();
  }

  boolean isOver() {
    return TICKER.nowNanos() >= endNanos;
  }

  /** Waits so long, or until it is over. */
  void pause(Duration span) {
    long untilNanos = Math.min(endNanos, TICKER.nowNanos() + span.toNanos());
    for (long left = untilNanos - TICKER.nowNanos();
        left > 0;
        left = untilNanos - TICKER.nowNanos()) {
      LockSupport.parkNanos(left);
    }
  }
}
