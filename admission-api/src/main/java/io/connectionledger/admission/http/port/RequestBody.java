package io.connectionledger.admission.http.port;

import io.connectionledger.model.Ticker;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import org.eclipse.jetty.io.Content;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.util.BufferUtil;
import org.eclipse.jetty.util.thread.Scheduler;
import org.jspecify.annotations.Nullable;

/**
 * Reads the body of a request as it comes, without a thread that waits for it, and gives up on one
 * that is too large or comes too slowly.
 */
public final class RequestBody {

  private static final long LOOK_SECONDS = 1;

  private final Request request;
  private final Ticker ticker;
  private final long beganNanos;
  private final Consumer<byte[]> whole;
  private final Consumer<HttpRefusal> refused;
  private final ByteArrayOutputStream read = new ByteArrayOutputStream();
  private final AtomicBoolean ended = new AtomicBoolean();
  private final AtomicLong received = new AtomicLong();
  private volatile Scheduler.@Nullable Task next;

  private RequestBody(
      Request request, Ticker ticker, Consumer<byte[]> whole, Consumer<HttpRefusal> refused) {
    this.request = request;
    this.ticker = ticker;
    this.beganNanos = ticker.nowNanos();
    this.whole = whole;
    this.refused = refused;
  }

  /**
   * Reads it all; one of the two is called, once, on any thread, and must not wait.
   *
   * @param whole takes the body
   * @param refused takes why it was given up
   */
  public static void read(
      Request request, Ticker ticker, Consumer<byte[]> whole, Consumer<HttpRefusal> refused) {
    RequestBody body = new RequestBody(request, ticker, whole, refused);
    body.lookLater();
    body.take();
  }

  private void lookLater() {
    next =
        request.getComponents().getScheduler().schedule(this::look, LOOK_SECONDS, TimeUnit.SECONDS);
  }

  private void look() {
    long tookNanos = ticker.nowNanos() - beganNanos;
    long expected =
        TimeUnit.NANOSECONDS.toMillis(tookNanos) * HttpBounds.MIN_BODY_BYTES_PER_SECOND / 1_000;
    if (tookNanos > HttpBounds.BODY_TIMEOUT.toNanos()
        || (tookNanos > HttpBounds.BODY_GRACE.toNanos() && received.get() < expected)) {
      end(() -> refused.accept(HttpRefusal.BODY_TOO_SLOW));
    } else if (!ended.get()) {
      lookLater();
    }
  }

  private void take() {
    while (!ended.get()) {
      Content.Chunk chunk = request.read();
      if (chunk == null) {
        request.demand(this::take);
        return;
      }
      if (Content.Chunk.isFailure(chunk)) {
        // Nothing came for as long as a connection may be idle, or it is closed.
        end(() -> refused.accept(HttpRefusal.BODY_TOO_SLOW));
        return;
      }
      boolean last = chunk.isLast();
      add(chunk.getByteBuffer());
      chunk.release();
      // A client that still sends when the connection is closed never sees the answer.
      if (received.get() > 2L * HttpBounds.MAX_BODY_BYTES
          || (last && received.get() > HttpBounds.MAX_BODY_BYTES)) {
        end(() -> refused.accept(HttpRefusal.BODY_TOO_LARGE));
      } else if (last) {
        end(() -> whole.accept(read.toByteArray()));
      }
    }
  }

  private void add(ByteBuffer bytes) {
    if (received.addAndGet(bytes.remaining()) <= HttpBounds.MAX_BODY_BYTES) {
      byte[] some = BufferUtil.toArray(bytes);
      read.write(some, 0, some.length);
    }
  }

  private void end(Runnable how) {
    if (ended.compareAndSet(false, true)) {
      Scheduler.Task task = next;
      if (task != null) {
        task.cancel();
      }
      how.run();
    }
  }
}
