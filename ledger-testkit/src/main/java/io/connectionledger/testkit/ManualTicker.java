package io.connectionledger.testkit;

import io.connectionledger.model.Ticker;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicLong;

/** Time that stands still until a test moves it. Thread-safe. */
public final class ManualTicker implements Ticker {

  private final AtomicLong nowNanos = new AtomicLong(1_800_000_000_000_000_000L);

  @Override
  public long nowNanos() {
    return nowNanos.get();
  }

  public void advance(Duration by) {
    nowNanos.addAndGet(by.toNanos());
  }
}
