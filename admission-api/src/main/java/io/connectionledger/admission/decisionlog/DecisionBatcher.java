package io.connectionledger.admission.decisionlog;

import io.connectionledger.model.event.Decision;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.apache.kafka.clients.producer.Callback;

/**
 * Gathers decisions for a moment and passes them on together, in their order, on a thread of its
 * own: a check that is answered before its decision is recorded waits for none of that work, and
 * Kafka gets one request where it would get dozens. Thread-safe.
 */
public final class DecisionBatcher implements DecisionLog, AutoCloseable {

  /**
   * How long a decision for which nobody waits stays here. An instance that dies loses what is
   * here, of which there is never more than {@code MaxUnacknowledged} allows, however long it is.
   */
  static final Duration LINGER = Duration.ofMillis(50);

  private final DecisionLog next;
  private final Thread thread = new Thread(this::run, "decisions");
  private final ReentrantLock lock = new ReentrantLock();
  private final Condition changed = lock.newCondition();

  /** Guarded by the lock, as all that follows. */
  private List<Entry> waiting = new ArrayList<>();

  private long taken;
  private long passedOn;
  private boolean urgent;
  private boolean closed;

  private record Entry(Decision decision, boolean awaited, Callback callback) {}

  /** In front of {@code next}. */
  public DecisionBatcher(DecisionLog next) {
    this.next = next;
    thread.setDaemon(true);
    thread.start();
  }

  @Override
  public void send(Decision decision, boolean awaited, Callback callback) {
    lock.lock();
    try {
      if (!closed) {
        boolean first = waiting.isEmpty();
        waiting.add(new Entry(decision, awaited, callback));
        taken++;
        if (first || (awaited && !urgent)) {
          urgent |= awaited;
          changed.signalAll();
        }
        return;
      }
    } finally {
      lock.unlock();
    }
    next.send(decision, awaited, callback);
  }

  /** Returns when all that was taken before is passed on. */
  public void drain() {
    lock.lock();
    try {
      urgent = true;
      changed.signalAll();
      for (long before = taken; passedOn < before; ) {
        changed.awaitUninterruptibly();
      }
    } finally {
      lock.unlock();
    }
  }

  private void run() {
    for (List<Entry> batch = gather(); !batch.isEmpty(); batch = gather()) {
      for (Entry entry : batch) {
        next.send(entry.decision, entry.awaited, entry.callback);
      }
      passedOn(batch.size());
    }
  }

  private void passedOn(int entries) {
    lock.lock();
    try {
      passedOn += entries;
      changed.signalAll();
    } finally {
      lock.unlock();
    }
  }

  /** Waits for the next ones; none when there will be no more. */
  private List<Entry> gather() {
    lock.lock();
    try {
      while (waiting.isEmpty() && !closed) {
        changed.awaitUninterruptibly();
      }
      linger();
      List<Entry> batch = waiting;
      waiting = new ArrayList<>();
      urgent = false;
      return batch;
    } finally {
      lock.unlock();
    }
  }

  private void linger() {
    try {
      long leftNanos = LINGER.toNanos();
      while (!urgent && !closed && leftNanos > 0) {
        leftNanos = changed.awaitNanos(leftNanos);
      }
    } catch (InterruptedException hurried) {
      // Nobody interrupts this thread; whoever did would want it to go on.
      urgent = true;
    }
  }

  /** Passes on what is left; whatever comes later is passed on at once. */
  @Override
  public void close() {
    lock.lock();
    try {
      closed = true;
      changed.signalAll();
    } finally {
      lock.unlock();
    }
    drain();
  }
}
