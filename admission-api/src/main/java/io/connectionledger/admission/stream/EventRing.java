package io.connectionledger.admission.stream;

import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The latest events of a pool, numbered from 1 and encoded once for all readers. One thread adds;
 * any thread reads.
 */
final class EventRing {

  private final byte[] @Nullable [] events;
  private long first = 1;
  private long next = 1;
  private long bytes;

  /**
   * No events.
   *
   * @param capacity how many are kept at most
   */
  EventRing(int capacity) {
    events = new byte[capacity][];
  }

  /** The number that the next event gets. */
  synchronized long next() {
    return next;
  }

  /**
   * Adds an event, and forgets the oldest that are too many.
   *
   * @param maxBytes to keep; the new one is kept, however large
   */
  synchronized void add(byte[] event, long maxBytes) {
    if (next - first == events.length) {
      forgetFirst();
    }
    events[slot(next)] = event;
    next++;
    bytes += event.length;
    while (bytes > maxBytes && first < next - 1) {
      forgetFirst();
    }
  }

  private void forgetFirst() {
    byte[] oldest = events[slot(first)];
    bytes -= oldest == null ? 0 : oldest.length;
    events[slot(first)] = null;
    first++;
  }

  /** Whether a reader that has seen everything before {@code number} misses nothing. */
  synchronized boolean reaches(long number) {
    return first <= number && number <= next;
  }

  /** The event of that number; null when there is none yet, or none any more. */
  synchronized byte @Nullable [] at(long number) {
    return first <= number && number < next ? events[slot(number)] : null;
  }

  synchronized void forEach(Consumer<byte[]> action) {
    for (long number = first; number < next; number++) {
      byte[] event = events[slot(number)];
      if (event != null) {
        action.accept(event);
      }
    }
  }

  private int slot(long number) {
    return (int) (number % events.length);
  }
}
