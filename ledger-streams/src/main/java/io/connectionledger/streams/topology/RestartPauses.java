package io.connectionledger.streams.topology;

import io.connectionledger.model.Ticker;
import java.time.Duration;

/**
 * How long to wait before a stream thread that failed is replaced: a short while at first, so that
 * a fault that passes costs little, and twice as long each time that the next one fails soon.
 * Thread-safe.
 */
final class RestartPauses {

  static final Duration FIRST = Duration.ofMillis(500);

  /** Less than Kafka takes until it gives a member up that does not poll. */
  static final Duration LONGEST = Duration.ofSeconds(30);

  /** A thread that has run for so long failed by something new. */
  static final Duration SOUND = Duration.ofMinutes(2);

  private final Ticker ticker;
  private Duration last = Duration.ZERO;
  private long endNanos;

  RestartPauses(Ticker ticker) {
    this.ticker = ticker;
  }

  /** The next one, which begins now. */
  synchronized Duration next() {
    long nowNanos = ticker.nowNanos();
    boolean again = !last.isZero() && nowNanos - endNanos < SOUND.toNanos();
    Duration doubled = last.multipliedBy(2);
    last = !again ? FIRST : doubled.compareTo(LONGEST) > 0 ? LONGEST : doubled;
    endNanos = nowNanos + last.toNanos();
    return last;
  }
}
