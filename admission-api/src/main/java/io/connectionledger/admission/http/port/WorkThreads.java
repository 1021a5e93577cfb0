package io.connectionledger.admission.http.port;

import java.time.Duration;
import java.util.concurrent.Executor;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;

/** The threads that work on requests, which may wait: so many, and no more requests for them. */
public final class WorkThreads implements Executor, AutoCloseable {

  private static final Duration IDLE = Duration.ofSeconds(60);

  private final ThreadPoolExecutor pool;

  /**
   * Some threads, which start when they are needed.
   *
   * @param name of the threads
   * @param waiting how many requests may wait for one
   */
  public WorkThreads(String name, int threads, int waiting) {
    pool =
        new ThreadPoolExecutor(
            threads,
            threads,
            IDLE.toSeconds(),
            TimeUnit.SECONDS,
            new LinkedBlockingQueue<>(waiting),
            Thread.ofPlatform().daemon().name(name + "-", 0).factory());
    pool.allowCoreThreadTimeOut(true);
  }

  /**
   * Has a thread do it.
   *
   * @throws RejectedExecutionException when too many wait already
   */
  @Override
  public void execute(Runnable work) {
    pool.execute(work);
  }

  /** Interrupts what is done. */
  @Override
  public void close() {
    pool.shutdownNow();
  }
}
