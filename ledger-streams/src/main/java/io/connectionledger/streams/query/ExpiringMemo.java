package io.connectionledger.streams.query;

import io.connectionledger.model.Ticker;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.function.Supplier;

/**
 * Keeps what costs much to find out for a second, and finds out one thing at a time, so that it
 * costs no more however many ask. Thread-safe.
 */
final class ExpiringMemo<V> {

  private static final long KEPT_NANOS = Duration.ofSeconds(1).toNanos();

  private final Ticker ticker;
  private final Map<String, Found<V>> found = new HashMap<>();

  private record Found<V>(V value, long atNanos) {}

  ExpiringMemo(Ticker ticker) {
    this.ticker = ticker;
  }

  /** What was found out for the key less than a second ago, or what {@code source} says now. */
  synchronized V of(String key, Supplier<V> source) {
    long nowNanos = ticker.nowNanos();
    found.values().removeIf(old -> nowNanos - old.atNanos >= KEPT_NANOS);
    Found<V> kept = found.get(key);
    if (kept == null) {
      kept = new Found<>(source.get(), nowNanos);
      found.put(key, kept);
    }
    return kept.value;
  }
}
