package io.connectionledger.admission.check;

import io.grpc.Context;
import io.grpc.Deadline;
import java.time.Duration;
import java.util.concurrent.TimeUnit;

/** How long whoever is asking now waits for an answer. */
final class Patience {

  /** However long the caller waits. */
  static final Duration MAX = Duration.ofSeconds(10);

  private Patience() {}

  /**
   * Within how many nanoseconds to answer: three quarters of the caller's time, as a quarter is
   * left for the way back.
   *
   * @param unlessSaid the time of a caller that does not say how long it waits
   */
  static long nanos(Duration unlessSaid) {
    Deadline deadline = Context.current().getDeadline();
    long leftNanos =
        deadline == null
            ? unlessSaid.toNanos()
            : Math.min(deadline.timeRemaining(TimeUnit.NANOSECONDS), MAX.toNanos());
    return leftNanos / 4 * 3;
  }
}
