package io.connectionledger.app.websocket;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpResponse;
import java.net.http.WebSocket;
import java.net.http.WebSocketHandshakeException;
import java.time.Duration;
import java.util.Map;
import java.util.OptionalLong;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/**
 * Opens WebSockets and says how each attempt ended. Thread-safe; a thousand connections share a
 * handful of threads.
 */
public final class WebSocketClients implements AutoCloseable {

  private static final ObjectMapper JSON = new ObjectMapper();
  private static final int THREADS = 4;
  private static final Duration TIMEOUT = Duration.ofSeconds(20);

  private final ExecutorService executor = Executors.newFixedThreadPool(THREADS);
  private final HttpClient http = HttpClient.newBuilder().executor(executor).build();

  /** How an attempt ended. */
  public sealed interface Attempt {}

  /** The handshake succeeded. */
  public record Opened(Connection connection) implements Attempt {}

  /**
   * The handshake was answered, but not with 101.
   *
   * @param reason of the JSON body, else empty
   * @param retryAfterSeconds of the header {@code retry-after}
   */
  public record Refused(int status, String reason, OptionalLong retryAfterSeconds)
      implements Attempt {}

  /** There was no answer. */
  public record Broken(Throwable cause) implements Attempt {}

  /** An open WebSocket. */
  public static final class Connection {
    private final WebSocket socket;
    private final CompletableFuture<Integer> ended;

    private Connection(WebSocket socket, CompletableFuture<Integer> ended) {
      this.socket = socket;
      this.ended = ended;
    }

    /** Says goodbye and completes when the other side has too, or the connection broke. */
    public CompletableFuture<Integer> close() {
      return socket
          .sendClose(WebSocket.NORMAL_CLOSURE, "")
          .handle((sent, failure) -> sent)
          .thenCompose(sent -> ended);
    }

    /** Drops the TCP connection without a word. */
    public void abort() {
      socket.abort();
      ended.complete(ABNORMAL);
    }

    /** Completes with the close code when the connection has ended, 1006 when it broke. */
    public CompletableFuture<Integer> ended() {
      return ended.copy();
    }

    public CompletableFuture<WebSocket> send(String text) {
      return socket.sendText(text, true);
    }
  }

  private static final int ABNORMAL = 1006;

  /**
   * Attempts one WebSocket; the future never fails.
   *
   * @param uri {@code ws://host:port/path}
   */
  public CompletableFuture<Attempt> open(URI uri, Map<String, String> headers) {
    WebSocket.Builder builder = http.newWebSocketBuilder().connectTimeout(TIMEOUT);
    headers.forEach(builder::header);
    CompletableFuture<Integer> ended = new CompletableFuture<>();
    return builder
        .buildAsync(uri, new Listener(ended))
        .<Attempt>thenApply(socket -> new Opened(new Connection(socket, ended)))
        .exceptionally(WebSocketClients::failed);
  }

  private static Attempt failed(Throwable failure) {
    Throwable cause =
        failure instanceof CompletionException wrapper && wrapper.getCause() != null
            ? wrapper.getCause()
            : failure;
    return cause instanceof WebSocketHandshakeException refused && refused.getResponse() != null
        ? refused(refused.getResponse())
        : new Broken(cause);
  }

  private static Refused refused(HttpResponse<?> response) {
    return new Refused(
        response.statusCode(),
        reason(response.body()),
        response.headers().firstValueAsLong("retry-after"));
  }

  private static String reason(Object body) {
    try {
      return body instanceof String text ? JSON.readTree(text).path("reason").asText("") : "";
    } catch (JsonProcessingException notJson) {
      // Envoy's own refusals have a plain body, and no reason in our sense.
      return "";
    }
  }

  /** Drops what is still open. */
  @Override
  public void close() {
    http.shutdownNow();
    executor.shutdownNow();
  }

  private record Listener(CompletableFuture<Integer> ended) implements WebSocket.Listener {

    @Override
    public CompletionStage<?> onClose(WebSocket socket, int statusCode, String reason) {
      ended.complete(statusCode);
      return CompletableFuture.completedStage(null);
    }

    @Override
    public void onError(WebSocket socket, Throwable error) {
      ended.complete(ABNORMAL);
    }
  }
}
