package io.connectionledger.app.e2e;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.Optional;

/** Asks the HTTP API of a ledger on this machine. */
public final class LedgerHttp implements AutoCloseable {

  private static final ObjectMapper JSON = new ObjectMapper();

  private final int port;
  private final Duration timeout;
  private final HttpClient client;

  /**
   * A client that has not asked yet.
   *
   * @param timeout of each request, after which nobody answers
   */
  public LedgerHttp(int port, Duration timeout) {
    this.port = port;
    this.timeout = timeout;
    this.client = HttpClient.newBuilder().connectTimeout(timeout).build();
  }

  /** What it answers; empty when nobody does. */
  Optional<HttpResponse<String>> send(String method, String path, String body) {
    HttpRequest request =
        HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + path))
            .timeout(timeout)
            .method(
                method,
                body.isEmpty()
                    ? HttpRequest.BodyPublishers.noBody()
                    : HttpRequest.BodyPublishers.ofString(body))
            .build();
    try {
      return Optional.of(client.send(request, HttpResponse.BodyHandlers.ofString()));
    } catch (IOException away) {
      return Optional.empty();
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException(interrupted);
    }
  }

  /** The body of an answer with status 200; empty for any other, and when nobody answers. */
  public Optional<String> find(String path) {
    return send("GET", path, "")
        .filter(answer -> answer.statusCode() == 200)
        .map(HttpResponse::body);
  }

  /** What it answers to a request that changes something; it must succeed. */
  JsonNode change(String method, String path, String body) {
    Optional<HttpResponse<String>> answer = send(method, path, body);
    if (answer.isEmpty() || answer.get().statusCode() != 200) {
      throw new IllegalStateException(
          "%s %s failed: %s"
              .formatted(method, path, answer.map(HttpResponse::body).orElse("no answer")));
    }
    return json(answer.get().body());
  }

  /** Reads what it answered. */
  public static JsonNode json(String body) {
    try {
      return JSON.readTree(body);
    } catch (IOException notJson) {
      throw new IllegalStateException("no JSON: " + body, notJson);
    }
  }

  @Override
  public void close() {
    client.shutdownNow();
  }
}
