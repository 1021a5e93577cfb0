package io.connectionledger.admission.stream;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.connectionledger.model.Ticker;
import java.nio.ByteBuffer;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import org.eclipse.jetty.http.HttpFields;
import org.eclipse.jetty.server.Response;
import org.eclipse.jetty.util.Callback;
import org.eclipse.jetty.util.IteratingCallback;
import org.jspecify.annotations.Nullable;

/**
 * One who follows a pool: a position in its stream, and no thread. {@link #iterate} looks for the
 * next event and writes it; it never waits, and any thread may call it. While a write is under way
 * nothing is queued: what comes meanwhile is found in the stream afterwards.
 */
final class StreamReader extends IteratingCallback {

  private static final byte[] KEEP_ALIVE = ": still here\n\n".getBytes(UTF_8);
  private static final int RETRY_MS = 1_000;

  private final PoolStream stream;
  private final Response response;
  private final Callback callback;
  private final StreamJson json;
  private final Ticker ticker;
  private final Consumer<StreamReader> onEnd;
  private final AtomicBoolean ended = new AtomicBoolean();

  /** The number of the event to read next. */
  private long next;

  private boolean begun;
  private volatile byte @Nullable [] writing;
  private volatile long atNanos;
  private volatile boolean keepAlive;
  private volatile boolean ending;
  private volatile @Nullable Refusal refusal;

  /**
   * A reader that has read nothing.
   *
   * @param next the number of the first event to read, or 0
   * @param onEnd called once, when it reads no more
   */
  StreamReader(
      PoolStream stream,
      long next,
      Response response,
      Callback callback,
      StreamJson json,
      Ticker ticker,
      Consumer<StreamReader> onEnd) {
    this.stream = stream;
    this.next = next;
    this.response = response;
    this.callback = callback;
    this.json = json;
    this.ticker = ticker;
    this.onEnd = onEnd;
    this.atNanos = ticker.nowNanos();
  }

  /** Answers with a problem when nothing has been answered yet; ends it otherwise. */
  void refuse(Refusal why) {
    refusal = why;
    ending = true;
    iterate();
  }

  /**
   * Ends it when it takes an event for too long, and lets it hear from us when it hears nothing.
   */
  void look(StreamLimits limits) {
    long sinceNanos = ticker.nowNanos() - atNanos;
    if (writing != null) {
      if (sinceNanos >= limits.stall().toNanos()) {
        abort(new TimeoutException("a reader of a stream takes nothing"));
      }
    } else if (sinceNanos >= limits.keepAlive().toNanos()) {
      keepAlive = true;
      iterate();
    }
  }

  /** Ends it, even in the middle of an event. */
  void stop(Refusal why) {
    refuse(why);
    if (writing != null) {
      abort(new IllegalStateException(why.detail()));
    }
  }

  @Override
  protected Action process() {
    if (ending) {
      Refusal why = refusal;
      if (begun || why == null) {
        return Action.SUCCEEDED;
      }
      begun = true;
      refuse(response, why, json, this);
      return Action.SCHEDULED;
    }
    byte[] piece = piece();
    if (piece == null) {
      return Action.IDLE;
    }
    atNanos = ticker.nowNanos();
    writing = piece;
    response.write(false, ByteBuffer.wrap(piece), this);
    return Action.SCHEDULED;
  }

  private byte @Nullable [] piece() {
    if (!stream.isOpen()) {
      return null;
    }
    if (!begun) {
      begun = true;
      describe(response);
      // Readers that lose the same instance come back one after the other.
      int retryMs = RETRY_MS + ThreadLocalRandom.current().nextInt(RETRY_MS);
      return ("retry: " + retryMs + "\n\n").getBytes(UTF_8);
    }
    if (stream.reaches(next)) {
      byte[] event = stream.event(next);
      if (event != null) {
        next++;
        return event;
      }
    } else {
      PoolStream.Snapshot snapshot = stream.snapshot();
      if (snapshot != null) {
        next = snapshot.number + 1;
        return snapshot.event;
      }
    }
    if (keepAlive) {
      keepAlive = false;
      return KEEP_ALIVE;
    }
    return null;
  }

  /** Puts the head of a stream. */
  static void describe(Response response) {
    HttpFields.Mutable headers = response.getHeaders();
    headers.put("content-type", "text/event-stream");
    headers.put("cache-control", "no-store");
    headers.put("x-accel-buffering", "no");
  }

  /** Answers with a problem. */
  static void refuse(Response response, Refusal why, StreamJson json, Callback callback) {
    byte[] problem = json.problem(why);
    response.setStatus(why.status());
    response.getHeaders().put("content-type", "application/problem+json");
    response.getHeaders().put("content-length", problem.length);
    response.write(true, ByteBuffer.wrap(problem), callback);
  }

  @Override
  protected void onSuccess() {
    writing = null;
    keepAlive = false;
    atNanos = ticker.nowNanos();
  }

  @Override
  protected void onCompleteSuccess() {
    if (ended.compareAndSet(false, true)) {
      onEnd.accept(this);
      callback.succeeded();
    }
  }

  @Override
  protected void onCompleteFailure(Throwable cause) {
    fail(cause);
  }

  /** Does not wait for the write that is under way: the end of the connection ends it, too. */
  @Override
  protected void onAborted(Throwable cause) {
    fail(cause);
  }

  private void fail(Throwable cause) {
    if (ended.compareAndSet(false, true)) {
      onEnd.accept(this);
      callback.failed(cause);
    }
  }

  void forEachKept(Consumer<byte[]> action) {
    byte[] event = writing;
    if (event != null) {
      action.accept(event);
    }
  }

  @Override
  public InvocationType getInvocationType() {
    return InvocationType.NON_BLOCKING;
  }
}
