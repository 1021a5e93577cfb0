package io.connectionledger.bench.process;

import io.connectionledger.model.Ticker;
import java.time.Duration;
import java.util.concurrent.Callable;
import java.util.concurrent.locks.LockSupport;

/** Waits for conditions. */
public final class Wait {

  private static final Duration POLL = Duration.ofMillis(100);
  private static final Ticker TICKER = Ticker.system();

  private Wait() {}

  public static long nowNanos() {
    return TICKER.nowNanos();
  }

  /**
   * Returns when {@code condition} holds.
   *
   * @throws IllegalStateException when it does not within {@code limit}
   */
  public static void until(String what, Duration limit, Callable<Boolean> condition)
      throws Exception {
    long deadline = TICKER.nowNanos() + limit.toNanos();
    while (!condition.call()) {
      if (TICKER.nowNanos() > deadline) {
        throw new IllegalStateException("waited " + limit + " in vain until " + what);
      }
      LockSupport.parkNanos(POLL.toNanos());
    }
  }
}
