package io.connectionledger.app.websocket;

import io.connectionledger.model.PodAddress;
import io.javalin.Javalin;
import io.javalin.http.HttpResponseException;
import io.javalin.websocket.WsConfig;
import io.javalin.websocket.WsConnectContext;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.eclipse.jetty.server.HttpConfiguration;
import org.eclipse.jetty.server.HttpConnectionFactory;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.server.ServerConnector;

/**
 * A real WebSocket server that echoes and keeps its own count, independent of the ledger's.
 * Thread-safe.
 */
public final class WebSocketPod implements AutoCloseable {

  private static final String LOOPBACK = "127.0.0.1";
  private static final int ACCEPTING = 0;

  /** Envoy's mark on what it lets in by itself because nobody answered its check in time. */
  private static final String FAILED_OPEN = "x-envoy-auth-failure-mode-allowed";

  /** Java's default of 50 loses connections in a burst. */
  private static final int ACCEPT_QUEUE = 4096;

  private final Javalin server;
  private final PodAddress address;
  private final Map<String, Map<String, String>> open = new ConcurrentHashMap<>();
  private final Tally tally = new Tally();
  private volatile int refusal = ACCEPTING;

  private WebSocketPod(String host, int port) {
    server =
        Javalin.create(
            config -> {
              config.startup.showJavalinBanner = false;
              config.jetty.addConnector((jetty, http) -> connector(jetty, http, host, port));
              // Connections of the demo are silent; Jetty would close them after 30 s.
              config.jetty.modifyWebSocketServletFactory(
                  factory -> factory.setIdleTimeout(Duration.ZERO));
              config.routes.wsBeforeUpgrade(context -> refuseIfAsked());
              config.routes.ws("/*", this::serve);
              config.routes.get("/*", context -> context.result("a pod, not a WebSocket"));
            });
    server.start();
    address = new PodAddress(host, server.port());
  }

  /** A pod on a free port of the loopback, accepting. */
  public static WebSocketPod start() {
    return start(0);
  }

  /** A pod on {@code port} of the loopback, accepting; 0 for any free one. */
  public static WebSocketPod start(int port) {
    return start(LOOPBACK, port);
  }

  /**
   * A pod for others than this machine's, accepting.
   *
   * @param host an address of this machine
   */
  public static WebSocketPod start(String host, int port) {
    return new WebSocketPod(host, port);
  }

  private static ServerConnector connector(
      Server jetty, HttpConfiguration http, String host, int port) {
    ServerConnector connector = new ServerConnector(jetty, new HttpConnectionFactory(http));
    connector.setHost(host);
    connector.setPort(port);
    connector.setAcceptQueueSize(ACCEPT_QUEUE);
    return connector;
  }

  private void serve(WsConfig socket) {
    socket.onConnect(this::opened);
    socket.onMessage(context -> context.send(context.message()));
    socket.onClose(
        context -> {
          Map<String, String> headers = open.remove(context.sessionId());
          if (headers != null) {
            tally.closed(failedOpen(headers));
          }
        });
  }

  private void opened(WsConnectContext context) {
    Map<String, String> headers = context.headerMap();
    open.put(context.sessionId(), headers);
    tally.opened(failedOpen(headers));
  }

  private static boolean failedOpen(Map<String, String> headers) {
    return headers.keySet().stream().anyMatch(FAILED_OPEN::equalsIgnoreCase);
  }

  private void refuseIfAsked() {
    int status = refusal;
    if (status != ACCEPTING) {
      throw new HttpResponseException(status, "refused");
    }
  }

  /** Answers further handshakes with {@code status}, for example 503. */
  public void refuse(int status) {
    refusal = status;
  }

  /** Accepts handshakes again. */
  public void accept() {
    refusal = ACCEPTING;
  }

  public PodAddress address() {
    return address;
  }

  /** What it has counted up to now. */
  public Count count() {
    return tally.count();
  }

  /** The values of a request header of the open connections that have it. */
  public List<String> headersOfOpen(String name) {
    return open.values().stream()
        .flatMap(headers -> headers.entrySet().stream())
        .filter(header -> header.getKey().equalsIgnoreCase(name))
        .map(Map.Entry::getValue)
        .toList();
  }

  /** Closes every connection and stops. */
  @Override
  public void close() {
    server.stop();
  }

  /**
   * A pod's own count.
   *
   * @param current open connections
   * @param peak the most that were ever open at once
   * @param admittedPeak the most that were ever open at once without those that failed open
   * @param failedOpen how many of the opened ones Envoy let in by itself
   */
  public record Count(
      int current, int peak, int admittedPeak, long opened, long closed, long failedOpen) {}

  /** The arithmetic; one lock, so that a {@link Count} is always of one moment. */
  private static final class Tally {
    private int peak;
    private int admitted;
    private int admittedPeak;
    private long opened;
    private long closed;
    private long failedOpen;

    synchronized void opened(boolean failed) {
      opened++;
      peak = Math.max(peak, (int) (opened - closed));
      if (failed) {
        failedOpen++;
      } else {
        admitted++;
        admittedPeak = Math.max(admittedPeak, admitted);
      }
    }

    synchronized void closed(boolean failed) {
      closed++;
      if (!failed) {
        admitted--;
      }
    }

    synchronized Count count() {
      return new Count((int) (opened - closed), peak, admittedPeak, opened, closed, failedOpen);
    }
  }
}
