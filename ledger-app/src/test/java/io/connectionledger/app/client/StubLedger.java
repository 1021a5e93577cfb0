package io.connectionledger.app.client;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;

/** A ledger that answers what it is told to, and remembers what it was asked. */
public final class StubLedger implements AutoCloseable {

  private final HttpServer server;
  private final Map<String, Reply> replies = new ConcurrentHashMap<>();
  private final List<String> requests = new CopyOnWriteArrayList<>();
  private volatile String authorization = "";

  private StubLedger(HttpServer server) {
    this.server = server;
  }

  private record Reply(int status, String body) {}

  public static StubLedger start() throws IOException {
    StubLedger stub =
        new StubLedger(
            HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0));
    stub.server.createContext("/", stub::answer);
    stub.server.start();
    return stub;
  }

  /**
   * Tells it an answer.
   *
   * @param request the method, and the path as it is sent
   */
  public StubLedger on(String request, int status, String body) {
    replies.put(request, new Reply(status, body));
    return this;
  }

  /** The header of that name of the last request; empty when it had none. */
  public String authorization() {
    return authorization;
  }

  /** Each as method, path and body. */
  public List<String> requests() {
    return requests;
  }

  public String url() {
    return "http://127.0.0.1:" + server.getAddress().getPort();
  }

  private void answer(HttpExchange exchange) throws IOException {
    String request = exchange.getRequestMethod() + " " + exchange.getRequestURI();
    String body = new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8);
    authorization =
        Objects.requireNonNullElse(exchange.getRequestHeaders().getFirst("authorization"), "");
    requests.add((request + " " + body).strip());
    Reply reply =
        replies.getOrDefault(
            request, new Reply(404, "{\"status\":404,\"detail\":\"no such path\"}"));
    byte[] bytes = reply.body().getBytes(StandardCharsets.UTF_8);
    exchange.sendResponseHeaders(reply.status(), bytes.length == 0 ? -1 : bytes.length);
    exchange.getResponseBody().write(bytes);
    exchange.close();
  }

  @Override
  public void close() {
    server.stop(0);
  }
}
