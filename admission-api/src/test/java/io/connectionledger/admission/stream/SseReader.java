package io.connectionledger.admission.stream;

import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Flow;
import org.jspecify.annotations.Nullable;

/** Follows a pool as a browser's EventSource does, and keeps what it is told. */
public final class SseReader implements AutoCloseable {

  public final List<SseEvent> events = new CopyOnWriteArrayList<>();
  public final List<String> comments = new CopyOnWriteArrayList<>();

  /** Completes when the stream ends. */
  public final CompletableFuture<HttpResponse<Void>> end;

  private final Lines lines = new Lines();
  private volatile boolean ended;

  public record SseEvent(String id, String type, String data) {

    /** The number in the id. */
    public long number() {
      return Long.parseLong(id.substring(id.indexOf('.') + 1));
    }
  }

  private SseReader(HttpClient client, URI pool, @Nullable String lastEventId) {
    HttpRequest.Builder request =
        HttpRequest.newBuilder(pool).header("accept", "text/event-stream");
    if (lastEventId != null) {
      request.header("last-event-id", lastEventId);
    }
    end = client.sendAsync(request.build(), HttpResponse.BodyHandlers.fromLineSubscriber(lines));
    var unused = end.whenComplete((response, failure) -> ended = true);
  }

  public static SseReader of(HttpClient client, URI stream) {
    return new SseReader(client, stream, null);
  }

  public static SseReader after(String lastEventId, HttpClient client, URI stream) {
    return new SseReader(client, stream, lastEventId);
  }

  public boolean isEnded() {
    return ended;
  }

  public SseEvent last() {
    return events.getLast();
  }

  public List<String> types() {
    return events.stream().map(SseEvent::type).toList();
  }

  @Override
  public void close() {
    Flow.Subscription subscription = lines.subscription;
    if (subscription != null) {
      subscription.cancel();
    }
    end.cancel(true);
  }

  private final class Lines implements Flow.Subscriber<String> {
    private volatile Flow.@Nullable Subscription subscription;
    private String id = "";
    private String type = "";

    @Override
    public void onSubscribe(Flow.Subscription given) {
      subscription = given;
      given.request(Long.MAX_VALUE);
    }

    @Override
    public void onNext(String line) {
      if (line.startsWith(":")) {
        comments.add(line);
      } else if (line.startsWith("id: ")) {
        id = line.substring(4);
      } else if (line.startsWith("event: ")) {
        type = line.substring(7);
      } else if (line.startsWith("data: ")) {
        events.add(new SseEvent(id, type, line.substring(6)));
      }
    }

    @Override
    public void onError(Throwable failure) {
      // The future fails, too.
    }

    @Override
    public void onComplete() {
      // The future completes, too.
    }
  }
}
