package io.connectionledger.app.cli;

import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Runs something until SIGTERM, Ctrl-C or a limit of time, closes it in order, and lets the process
 * end with 0: being told to stop is no failure.
 *
 * <p>The virtual machine would end with 143 or 130 after a signal. So its shutdown hook waits until
 * the caller's thread, which started everything, has closed everything, and then halts with the
 * code that this brought.
 */
public final class UntilStopped {

  private static final Logger LOGGER = LoggerFactory.getLogger(UntilStopped.class);

  /** Less than the 30 s after which Kubernetes kills. */
  private static final Duration CLOSING = Duration.ofSeconds(25);

  private final Thread caller = Thread.currentThread();
  private final CountDownLatch stop = new CountDownLatch(1);
  private final CountDownLatch closed = new CountDownLatch(1);
  private final AtomicInteger exitCode = new AtomicInteger(1);
  private boolean starting = true;

  private UntilStopped() {}

  /**
   * Starts, waits, closes.
   *
   * @param start is interrupted when the stop comes early, and then leaves nothing behind
   * @return the exit code
   * @throws Exception what start or close threw
   */
  public static int run(Callable<? extends AutoCloseable> start) throws Exception {
    return run(start, Optional.empty());
  }

  /** {@link #run(Callable)} that stops by itself after {@code limit}, counted from the start. */
  public static int run(Callable<? extends AutoCloseable> start, Optional<Duration> limit)
      throws Exception {
    UntilStopped until = new UntilStopped();
    Thread hook = new Thread(until::onShutdown, "stop");
    Runtime.getRuntime().addShutdownHook(hook);
    try {
      until.startAndWait(start, limit);
      until.exitCode.set(0);
    } finally {
      until.closed.countDown();
      until.remove(hook);
    }
    return 0;
  }

  private void startAndWait(Callable<? extends AutoCloseable> start, Optional<Duration> limit)
      throws Exception {
    try (AutoCloseable running = start.call()) {
      started();
      if (limit.isPresent()) {
        stop.await(limit.get().toMillis(), TimeUnit.MILLISECONDS);
      } else {
        stop.await();
      }
    } catch (Exception failed) {
      if (!givenUp()) {
        throw failed;
      }
      LOGGER.atDebug().setCause(failed).log("The start was given up");
    }
  }

  private synchronized void started() {
    starting = false;
    if (stop.getCount() == 0) {
      // The stop came in the last moment of the start; its interrupt would disturb the closing.
      Thread.interrupted();
    }
  }

  private synchronized boolean givenUp() {
    return starting && stop.getCount() == 0;
  }

  private synchronized void askToStop() {
    stop.countDown();
    if (starting) {
      caller.interrupt();
    }
  }

  private void onShutdown() {
    askToStop();
    try {
      if (!closed.await(CLOSING.toSeconds(), TimeUnit.SECONDS)) {
        exitCode.set(1);
      }
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
    }
    Runtime.getRuntime().halt(exitCode.get());
  }

  private void remove(Thread hook) {
    if (stop.getCount() > 0) {
      try {
        Runtime.getRuntime().removeShutdownHook(hook);
      } catch (IllegalStateException endingAlready) {
        LOGGER.atDebug().setCause(endingAlready).log("A signal came together with the end");
      }
    }
  }
}
