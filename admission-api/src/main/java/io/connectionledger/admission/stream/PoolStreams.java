package io.connectionledger.admission.stream;

import io.connectionledger.model.Ticker;
import io.connectionledger.model.event.ConnectionIds;
import io.connectionledger.model.policy.Policies;
import io.connectionledger.model.view.PoolView.PodView;
import io.connectionledger.streams.PoolQueries;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Function;
import org.eclipse.jetty.server.Response;
import org.eclipse.jetty.util.Callback;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The pools that somebody follows: one thread looks for changes and tells all readers, which take
 * them at their own pace. Thread-safe.
 */
public final class PoolStreams implements AutoCloseable {

  private static final Logger LOGGER = LoggerFactory.getLogger(PoolStreams.class);

  private static final Refusal STOPPING = new Refusal(503, "this instance is stopping");

  private final PoolQueries ledger;
  private final Policies policies;
  private final StreamJson json;
  private final Function<String, Refusal> missing;
  private final Runnable tooMany;
  private final StreamLimits limits;
  private final Ticker ticker;
  private final Map<String, Followed> byPool = new ConcurrentHashMap<>();
  private final AtomicInteger readers = new AtomicInteger();
  private final ScheduledExecutorService thread =
      new ScheduledThreadPoolExecutor(
          1,
          Thread.ofPlatform().name("pool-streams").daemon().factory(),
          // Nobody looks any more once it is closed.
          new ThreadPoolExecutor.DiscardPolicy());
  private final ExecutorService polls =
      Executors.newThreadPerTaskExecutor(Thread.ofVirtual().name("pool-poll-", 0).factory());
  private volatile boolean closed;

  /** One pool; the thread's own but for the stream. */
  private static final class Followed {
    final PoolStream stream;
    final PoolChangeDetector watch;
    int told;
    long usedNanos;

    Followed(PoolStream stream, PoolChangeDetector watch, long nowNanos) {
      this.stream = stream;
      this.watch = watch;
      this.usedNanos = nowNanos;
    }
  }

  /**
   * Nobody follows anything yet.
   *
   * @param ledger answers for any pool, and may wait for other instances when it does
   * @param missing says why a pool cannot be read
   * @param tooMany is told of each reader that is refused because there are enough
   */
  public PoolStreams(
      PoolQueries ledger,
      Policies policies,
      StreamJson json,
      Function<String, Refusal> missing,
      Runnable tooMany,
      StreamLimits limits,
      Ticker ticker) {
    this.ledger = ledger;
    this.policies = policies;
    this.json = json;
    this.missing = missing;
    this.tooMany = tooMany;
    this.limits = limits;
    this.ticker = ticker;
    ledger.watch(this::changed);
    long lookNanos = limits.look().toNanos();
    var unused =
        thread.scheduleWithFixedDelay(this::look, lookNanos, lookNanos, TimeUnit.NANOSECONDS);
  }

  private void changed(String pool, List<PodView> pods) {
    Followed followed = byPool.get(pool);
    if (followed != null) {
      followed.stream.changed(pods);
    }
  }

  /**
   * Answers with the pool's changes from now on, or with a problem. Does not wait.
   *
   * @param lastEventId that of the last event that the caller has; null when it has none
   */
  void follow(String pool, @Nullable String lastEventId, Response response, Callback callback) {
    if (closed) {
      StreamReader.refuse(response, STOPPING, json, callback);
    } else if (!ledger.pools().contains(pool)) {
      StreamReader.refuse(response, missing.apply(pool), json, callback);
    } else if (readers.incrementAndGet() > limits.readers()) {
      readers.decrementAndGet();
      tooMany.run();
      StreamReader.refuse(
          response,
          new Refusal(
              503, limits.readers() + " readers follow pools of this instance: no more may"),
          json,
          callback);
    } else {
      add(pool, EventId.parse(lastEventId), response, callback);
    }
  }

  /** Answers as {@link #follow} begins, and ends there. */
  void describe(String pool, Response response, Callback callback) {
    if (ledger.pools().contains(pool)) {
      StreamReader.describe(response);
      callback.succeeded();
    } else {
      StreamReader.refuse(response, missing.apply(pool), json, callback);
    }
  }

  private void add(String pool, @Nullable EventId last, Response response, Callback callback) {
    AtomicReference<StreamReader> joined = new AtomicReference<>();
    Followed followed =
        byPool.compute(
            pool,
            (name, present) -> {
              Followed of = present == null ? begin(name) : present;
              joined.set(join(of.stream, last, response, callback));
              return of;
            });
    if (closed) {
      stop(followed);
    } else {
      joined.get().iterate();
      soon();
    }
  }

  private StreamReader join(
      PoolStream stream, @Nullable EventId last, Response response, Callback callback) {
    StreamReader joining =
        new StreamReader(
            stream,
            stream.after(last),
            response,
            callback,
            json,
            ticker,
            reader -> {
              stream.readers().remove(reader);
              readers.decrementAndGet();
            });
    stream.readers().add(joining);
    return joining;
  }

  private Followed begin(String pool) {
    long nowNanos = ticker.nowNanos();
    PoolStream stream = new PoolStream(ConnectionIds.next(ticker.nowMs()), limits);
    return new Followed(
        stream,
        new PoolChangeDetector(
            pool, stream, ledger, policies, json, limits, ticker, polls, this::soon),
        nowNanos);
  }

  private void soon() {
    thread.execute(this::look);
  }

  private void look() {
    byPool.forEach(
        (pool, followed) -> {
          try {
            look(pool, followed);
          } catch (RuntimeException bug) {
            // An exception would end the schedule, and with it every stream.
            LOGGER.atError().addKeyValue("pool", pool).setCause(bug).log("A pool was not followed");
          }
        });
  }

  private void look(String pool, Followed followed) {
    PoolStream stream = followed.stream;
    long nowNanos = ticker.nowNanos();
    if (!stream.readers().isEmpty()) {
      followed.usedNanos = nowNanos;
    }
    boolean isKnown = ledger.pools().contains(pool);
    if (!isKnown || !followed.watch.look()) {
      drop(pool, followed, missing.apply(pool));
    } else if (nowNanos - followed.usedNanos >= limits.linger().toNanos()) {
      // Nobody who has come meanwhile is lost: a pool with readers stays.
      byPool.computeIfPresent(
          pool, (name, present) -> present.stream.readers().isEmpty() ? null : present);
    } else {
      tell(followed);
    }
  }

  private void drop(String pool, Followed followed, Refusal why) {
    byPool.remove(pool, followed);
    followed.stream.readers().forEach(reader -> reader.refuse(why));
  }

  private void tell(Followed followed) {
    PoolStream stream = followed.stream;
    int version = stream.version();
    for (StreamReader reader : stream.readers()) {
      if (version != followed.told) {
        reader.iterate();
      }
      reader.look(limits);
    }
    followed.told = version;
  }

  /** How many follow a pool now. */
  public int readers() {
    return readers.get();
  }

  /** The bytes of all events that are kept for readers, each counted once. */
  long keptBytes() {
    Set<byte[]> kept = Collections.newSetFromMap(new IdentityHashMap<>());
    byPool.values().forEach(followed -> followed.stream.forEachKept(kept::add));
    return kept.stream().mapToLong(event -> event.length).sum();
  }

  /** Ends every stream; who comes from now on is refused. */
  @Override
  public void close() {
    closed = true;
    ledger.watch(PoolQueries.Watcher.NONE);
    thread.close();
    polls.shutdownNow();
    byPool.values().forEach(PoolStreams::stop);
  }

  private static void stop(Followed followed) {
    followed.stream.readers().forEach(reader -> reader.stop(STOPPING));
  }
}
