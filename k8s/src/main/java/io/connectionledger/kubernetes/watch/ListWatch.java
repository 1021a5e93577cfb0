package io.connectionledger.kubernetes.watch;

import io.connectionledger.model.Ticker;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.KubernetesResourceList;
import io.fabric8.kubernetes.api.model.ListOptions;
import io.fabric8.kubernetes.api.model.ListOptionsBuilder;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.fabric8.kubernetes.client.Watch;
import io.fabric8.kubernetes.client.Watcher;
import io.fabric8.kubernetes.client.WatcherException;
import io.fabric8.kubernetes.client.dsl.FilterWatchListDeletable;
import java.net.HttpURLConnection;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The objects of one kind, listed and then watched for as long as this is open, on a thread of its
 * own. An informer of the client library does the same, but it says nothing of a connection that
 * has died, never notices one that dies without a word, and may take half a minute to try again.
 *
 * <p>So when nothing has come for {@link #SILENCE}, the API server is asked for one object and the
 * watch opened anew from where it was: if the API server is away, that fails, and if all is well,
 * it costs next to nothing.
 *
 * @param <T> the kind
 */
public final class ListWatch<T extends HasMetadata> implements AutoCloseable {

  /** What becomes of the objects; called by the one thread. */
  public interface Listener<T> {

    /** These are all there are; what there was before counts no more. */
    void listed(List<T> objects, long version);

    /**
     * One is new, other than it was, or gone; or nothing is but the version.
     *
     * @param action never an error
     */
    void changed(Watcher.Action action, T object, long version);
  }

  /** Since when there is no watch, and what was last in the way. */
  public record Outage(long sinceNanos, String reason) {}

  private record Event<T>(Watcher.@Nullable Action action, @Nullable T object, boolean gone) {}

  static final Duration SILENCE = Duration.ofSeconds(10);
  private static final long PAGE = 500;
  private static final Duration SHORT = Duration.ofSeconds(1);
  private static final int FIRST_PAUSE_MS = 50;
  private static final int MAX_DOUBLINGS = 5;
  private static final int REASON_LENGTH = 200;
  private static final Logger LOGGER = LoggerFactory.getLogger(ListWatch.class);

  private final String what;
  private final FilterWatchListDeletable<T, ? extends KubernetesResourceList<T>, ?> request;
  private final Listener<T> listener;
  private final Ticker ticker;
  private final CountDownLatch closed = new CountDownLatch(1);
  private final Thread thread;

  /** Null while there is a watch. */
  private volatile @Nullable Outage outage;

  /** Up to which all changes are known; null when they have to be listed. The thread's own. */
  private @Nullable String version;

  /**
   * Starts at once.
   *
   * @param what names the objects in logs
   */
  public ListWatch(
      String what,
      FilterWatchListDeletable<T, ? extends KubernetesResourceList<T>, ?> request,
      Listener<T> listener,
      Ticker ticker) {
    this.what = what;
    this.request = request;
    this.listener = listener;
    this.ticker = ticker;
    outage = new Outage(ticker.nowNanos(), "not listed yet");
    thread = Thread.ofVirtual().name("watch-" + what).start(this::run);
  }

  /** The outage that there is now. Safe for any thread. */
  public Optional<Outage> outage() {
    return Optional.ofNullable(outage);
  }

  private void run() {
    int failures = 0;
    boolean told = false;
    while (closed.getCount() > 0) {
      try {
        if (version == null) {
          list();
        } else {
          ask();
        }
        failures = watch() ? 0 : failures + 1;
        told = false;
      } catch (InterruptedException e) {
        return;
      } catch (RuntimeException e) {
        if (closed.getCount() == 0) {
          return;
        }
        failures++;
        if (e instanceof KubernetesClientException k
            && k.getCode() == HttpURLConnection.HTTP_GONE) {
          version = null;
        }
        String reason = reason(e);
        ended(reason);
        if (!told) {
          told = true;
          LOGGER
              .atWarn()
              .addKeyValue("objects", what)
              .addKeyValue("reason", reason)
              .log("Kubernetes cannot be watched");
        }
      }
      if (!pause(failures)) {
        return;
      }
    }
  }

  private void list() {
    List<T> objects = new ArrayList<>();
    String next = null;
    String first = null;
    do {
      KubernetesResourceList<T> page =
          request.list(new ListOptionsBuilder().withLimit(PAGE).withContinue(next).build());
      objects.addAll(page.getItems());
      next = page.getMetadata().getContinue();
      first = first == null ? page.getMetadata().getResourceVersion() : first;
    } while (next != null && !next.isEmpty());
    version = first;
    listener.listed(objects, Long.parseLong(first));
  }

  /**
   * Finds out whether the API server answers. That a watch has been opened does not show it: where
   * there are no WebSockets, it is open before anything was sent.
   */
  private void ask() {
    KubernetesResourceList<T> unused = request.list(new ListOptionsBuilder().withLimit(1L).build());
  }

  /**
   * One watch, from its beginning to its end.
   *
   * @return false when another should not begin at once
   */
  private boolean watch() throws InterruptedException {
    BlockingQueue<Event<T>> events = new LinkedBlockingQueue<>();
    ListOptions options =
        new ListOptionsBuilder().withResourceVersion(version).withAllowWatchBookmarks(true).build();
    long begunNanos = ticker.nowNanos();
    try (Watch watch = request.watch(options, new Queueing<>(events))) {
      began();
      while (true) {
        Event<T> event = events.poll(SILENCE.toNanos(), TimeUnit.NANOSECONDS);
        if (event == null) {
          ended("nothing is heard");
          return true;
        }
        Watcher.Action action = event.action();
        T object = event.object();
        if (action == null || object == null) {
          ended("the watch ended");
          if (event.gone()) {
            version = null;
          }
          return ticker.nowNanos() - begunNanos >= SHORT.toNanos();
        }
        String seen = object.getMetadata().getResourceVersion();
        version = seen;
        listener.changed(action, object, Long.parseLong(seen));
      }
    }
  }

  private void began() {
    Outage was = outage;
    outage = null;
    if (was != null && ticker.nowNanos() - was.sinceNanos() >= SHORT.toNanos()) {
      LOGGER.atInfo().addKeyValue("objects", what).log("Kubernetes is watched");
    }
  }

  private void ended(String reason) {
    Outage was = outage;
    outage = new Outage(was == null ? ticker.nowNanos() : was.sinceNanos(), reason);
  }

  /** Longer after each failure, and not at the same time as the other instances. */
  private boolean pause(int failures) {
    if (failures == 0) {
      return true;
    }
    int longest = FIRST_PAUSE_MS << Math.min(failures, MAX_DOUBLINGS);
    try {
      return !closed.await(
          ThreadLocalRandom.current().nextInt(longest / 2, longest), TimeUnit.MILLISECONDS);
    } catch (InterruptedException e) {
      return false;
    }
  }

  /** One line of what went wrong: what the API server says, or else what lies at the bottom. */
  private static String reason(RuntimeException e) {
    Throwable cause = e;
    while (cause.getCause() != null) {
      cause = cause.getCause();
    }
    String said =
        e instanceof KubernetesClientException k && k.getStatus() != null
            ? k.getStatus().getMessage()
            : cause.getMessage();
    String line =
        said == null || said.isBlank()
            ? cause.getClass().getSimpleName()
            : said.strip().replaceAll("\\s+", " ");
    return line.length() > REASON_LENGTH ? line.substring(0, REASON_LENGTH) : line;
  }

  /** Ends the watch and waits until nobody is told anything any more. */
  @Override
  public void close() throws InterruptedException {
    closed.countDown();
    thread.interrupt();
    thread.join();
  }

  private record Queueing<T>(BlockingQueue<Event<T>> events) implements Watcher<T> {

    @Override
    public void eventReceived(Action action, T object) {
      events.add(new Event<>(action, object, false));
    }

    @Override
    public void onClose(WatcherException cause) {
      events.add(new Event<>(null, null, cause.isHttpGone()));
    }

    @Override
    public void onClose() {
      events.add(new Event<>(null, null, false));
    }
  }
}
