package io.connectionledger.admission.http.port;

import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.util.Callback;
import org.eclipse.jetty.util.thread.Scheduler;

/**
 * Ends the connection of a client that does not take its answer, which is kept for it until then.
 */
public final class AnswerTimeout extends Callback.Nested {

  private final AtomicBoolean ended = new AtomicBoolean();
  private final Scheduler.Task timeout;

  /** The time begins now. */
  public AnswerTimeout(Request request, Callback callback, HttpRefusals refusals) {
    super(callback);
    timeout =
        request
            .getComponents()
            .getScheduler()
            .schedule(
                () -> {
                  if (ended.compareAndSet(false, true)) {
                    refusals.count(HttpRefusal.ANSWER_TOO_SLOW);
                    request.getConnectionMetaData().getConnection().getEndPoint().close();
                  }
                },
                HttpBounds.ANSWER_TIMEOUT.toMillis(),
                TimeUnit.MILLISECONDS);
  }

  @Override
  public void succeeded() {
    end();
    super.succeeded();
  }

  @Override
  public void failed(Throwable failure) {
    end();
    super.failed(failure);
  }

  private void end() {
    if (ended.compareAndSet(false, true)) {
      timeout.cancel();
    }
  }
}
