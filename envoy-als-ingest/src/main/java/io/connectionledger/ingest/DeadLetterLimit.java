package io.connectionledger.ingest;

import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Lets a dead letter pass that each heartbeat of its connection would bring again, once in a while.
 * For one stream; not thread-safe.
 */
final class DeadLetterLimit {

  private static final Duration INTERVAL = Duration.ofMinutes(1);

  /** More different ones are forgotten, the oldest first. */
  private static final int MAX_REMEMBERED = 256;

  private final Map<String, Long> passedNanos =
      new LinkedHashMap<>() {
        @Override
        protected boolean removeEldestEntry(Map.Entry<String, Long> eldest) {
          return size() > MAX_REMEMBERED;
        }
      };

  /** Whether it is to be written. */
  boolean passes(DeadLetter letter, long nowNanos) {
    if (!letter.cause().isRepeated()) {
      return true;
    }
    Long before = passedNanos.get(letter.reason());
    if (before != null && nowNanos - before < INTERVAL.toNanos()) {
      return false;
    }
    passedNanos.put(letter.reason(), nowNanos);
    return true;
  }
}
