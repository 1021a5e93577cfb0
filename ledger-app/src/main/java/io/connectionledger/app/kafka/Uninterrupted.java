package io.connectionledger.app.kafka;

import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.function.Supplier;

/** Shields from interrupts what would take them for a fault: Kafka, that of its disk. */
final class Uninterrupted {

  private Uninterrupted() {}

  /**
   * What {@code work} returns or throws, on a thread of its own. An interrupt of the caller meets
   * whatever the caller does next.
   */
  static <T> T call(String thread, Supplier<T> work) {
    FutureTask<T> task = new FutureTask<>(work::get);
    Thread.ofPlatform().name(thread).start(task);
    boolean interrupted = false;
    try {
      while (true) {
        try {
          return task.get();
        } catch (InterruptedException later) {
          interrupted = true;
        }
      }
    } catch (ExecutionException failed) {
      if (failed.getCause() instanceof RuntimeException cause) {
        throw cause;
      }
      throw new IllegalStateException(failed.getCause());
    } finally {
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }
}
