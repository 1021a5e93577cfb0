package io.connectionledger.app.terminal;

import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/**
 * Turns Ctrl-C and SIGTERM into an orderly end with an exit code of our own. The signal asks the
 * program to stop; the process ends when the program says that it has.
 */
public final class StopSignal {

  private final CountDownLatch requested = new CountDownLatch(1);
  private final CountDownLatch finished = new CountDownLatch(1);
  private final Thread hook = new Thread(this::stop, "stop-signal");
  private volatile int exitCode;

  private StopSignal() {}

  /** Signals mean this one from now on, until it is finished. */
  public static StopSignal install() {
    StopSignal signal = new StopSignal();
    Runtime.getRuntime().addShutdownHook(signal.hook);
    return signal;
  }

  /** Waits until a stop is requested, at most {@code duration}; true when one is. */
  public boolean await(Duration duration) throws InterruptedException {
    return requested.await(duration.toMillis(), TimeUnit.MILLISECONDS);
  }

  /** Whether a stop is requested. */
  public boolean requested() {
    return requested.getCount() == 0;
  }

  /** Everything is stopped: ends a process that a signal is ending with {@code code}. */
  public void finish(int code) {
    exitCode = code;
    finished.countDown();
    try {
      Runtime.getRuntime().removeShutdownHook(hook);
    } catch (IllegalStateException signalled) {
      requested.countDown();
    }
  }

  private void stop() {
    requested.countDown();
    try {
      finished.await();
    } catch (InterruptedException nobodyInterruptsHooks) {
      Thread.currentThread().interrupt();
    }
    // Otherwise the exit code would be the signal's.
    Runtime.getRuntime().halt(exitCode);
  }
}
