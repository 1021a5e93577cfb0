package io.connectionledger.app.browser;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.WebSocket;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * A connection to one page of a browser that speaks the Chrome DevTools Protocol. Thread-safe; each
 * call waits for the browser, some seconds at most.
 */
final class DevTools implements AutoCloseable {

  private static final ObjectMapper JSON = new ObjectMapper();
  private static final int TIMEOUT_SECONDS = 30;

  private final Map<Integer, CompletableFuture<JsonNode>> calls = new ConcurrentHashMap<>();
  private final List<JsonNode> events = new CopyOnWriteArrayList<>();
  private final AtomicInteger ids = new AtomicInteger();
  private final WebSocket socket;

  private DevTools(HttpClient client, URI page) {
    this.socket = client.newWebSocketBuilder().buildAsync(page, new Messages()).join();
  }

  /** Connects to a page's {@code webSocketDebuggerUrl}. */
  static DevTools connect(HttpClient client, URI page) {
    return new DevTools(client, page);
  }

  /** Messages come in pieces. */
  private final class Messages implements WebSocket.Listener {
    private final StringBuilder message = new StringBuilder();

    @Override
    public CompletionStage<?> onText(WebSocket from, CharSequence piece, boolean last) {
      message.append(piece);
      if (last) {
        take(message.toString());
        message.setLength(0);
      }
      from.request(1);
      return CompletableFuture.completedFuture(null);
    }

    @Override
    public CompletionStage<?> onClose(WebSocket from, int status, String reason) {
      end(new IOException("the browser has closed the page"));
      return CompletableFuture.completedFuture(null);
    }

    @Override
    public void onError(WebSocket from, Throwable failure) {
      end(failure);
    }
  }

  private void take(String json) {
    JsonNode message;
    try {
      message = JSON.readTree(json);
    } catch (JsonProcessingException notTheProtocol) {
      end(notTheProtocol);
      return;
    }
    CompletableFuture<JsonNode> call =
        message.has("id") ? calls.remove(message.path("id").asInt()) : null;
    if (call != null) {
      call.complete(message);
    } else {
      events.add(message);
    }
  }

  private void end(Throwable why) {
    calls.values().forEach(call -> call.completeExceptionally(why));
  }

  /** The events of a method so far, each its parameters. */
  List<JsonNode> events(String method) {
    return events.stream()
        .filter(event -> event.path("method").asText().equals(method))
        .map(event -> event.path("params"))
        .toList();
  }

  /**
   * Calls a method.
   *
   * @return its result
   * @throws IOException when the browser refuses it, is gone or does not answer
   */
  JsonNode call(String method, Map<String, Object> parameters)
      throws IOException, InterruptedException {
    int id = ids.incrementAndGet();
    ObjectNode message = JSON.createObjectNode().put("id", id).put("method", method);
    message.set("params", JSON.valueToTree(parameters));
    CompletableFuture<JsonNode> call = new CompletableFuture<>();
    calls.put(id, call);
    try {
      socket.sendText(message.toString(), true).get(TIMEOUT_SECONDS, TimeUnit.SECONDS);
      JsonNode answer = call.get(TIMEOUT_SECONDS, TimeUnit.SECONDS);
      if (answer.has("error")) {
        throw new IOException(method + ": " + answer.path("error").path("message").asText());
      }
      return answer.path("result");
    } catch (ExecutionException | TimeoutException failure) {
      throw new IOException(method + ": the browser does not answer", failure);
    }
  }

  @Override
  public void close() {
    socket.abort();
  }
}
