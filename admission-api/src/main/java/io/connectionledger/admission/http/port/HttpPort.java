package io.connectionledger.admission.http.port;

import io.connectionledger.model.Ticker;
import java.io.UncheckedIOException;
import java.net.BindException;
import java.util.concurrent.TimeoutException;
import org.eclipse.jetty.http.UriCompliance;
import org.eclipse.jetty.server.Handler;
import org.eclipse.jetty.server.HttpConfiguration;
import org.eclipse.jetty.server.HttpConnectionFactory;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.server.ServerConnector;
import org.eclipse.jetty.server.handler.GracefulHandler;
import org.eclipse.jetty.util.thread.QueuedThreadPool;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One port with its own threads. These never wait for a client nor for work, so its handler must
 * not either: what waits belongs on {@link WorkThreads}. Thread-safe.
 */
public final class HttpPort implements AutoCloseable {

  private static final Logger LOGGER = LoggerFactory.getLogger(HttpPort.class);

  private static final long STOP_TIMEOUT_MS = 5_000;

  /** Those that select work on checks, too. */
  private static final int SELECTORS = Math.max(2, Runtime.getRuntime().availableProcessors() / 2);

  /** Of many at once none has to wait for its next SYN, which comes a second later and more. */
  private static final int ACCEPT_QUEUE = 1_024;

  private static final int MAX_THREADS = SELECTORS + 16;
  private static final int MIN_THREADS = SELECTORS + 2;

  private final Server server;
  private final ServerConnector connector;
  private final String name;

  private HttpPort(
      String name,
      HttpAddress address,
      @Nullable HttpTls tls,
      int maxConnections,
      Handler handler,
      Request.Handler problems,
      HttpRefusals refusals,
      Ticker ticker) {
    this.name = name;
    QueuedThreadPool threads = new QueuedThreadPool(MAX_THREADS, MIN_THREADS);
    threads.setName(name);
    server = new Server(threads);
    server.setStopTimeout(STOP_TIMEOUT_MS);
    server.setErrorHandler(problems);
    server.setHandler(new GracefulHandler(new HeadAsGet(handler)));
    HttpConfiguration http = everyPath();
    HttpConnectionFactory plain = new HttpConnectionFactory(http);
    connector =
        tls == null
            ? new ServerConnector(server, 1, SELECTORS, plain)
            : new ServerConnector(
                server, 1, SELECTORS, tls.before(http, plain.getProtocol()), plain);
    connector.setHost(address.bind());
    connector.setPort(address.port());
    connector.setAcceptQueueSize(ACCEPT_QUEUE);
    connector.setIdleTimeout(HttpBounds.IDLE_TIMEOUT.toMillis());
    connector.addBean(new ConnectionGuard(connector, maxConnections, refusals, ticker));
    server.addConnector(connector);
  }

  /**
   * Starts listening.
   *
   * @param name of the port, for its threads and for the operator
   * @param tls null for plain text
   * @param handler answers requests; never waits
   * @param problems answers what fails before that
   * @throws UncheckedIOException with one line that names the address when it cannot be listened on
   */
  public static HttpPort open(
      String name,
      HttpAddress address,
      @Nullable HttpTls tls,
      int maxConnections,
      Handler handler,
      Request.Handler problems,
      HttpRefusals refusals,
      Ticker ticker) {
    HttpPort port =
        new HttpPort(name, address, tls, maxConnections, handler, problems, refusals, ticker);
    try {
      port.server.start();
    } catch (Exception failure) {
      port.close();
      BindException bind =
          new BindException(
              "cannot listen on "
                  + name
                  + " port "
                  + address.port()
                  + " of "
                  + address.bind()
                  + ": "
                  + rootMessage(failure));
      bind.initCause(failure);
      throw new UncheckedIOException(bind.getMessage(), bind);
    }
    return port;
  }

  /** The port that is listened on. */
  public int port() {
    return connector.getLocalPort();
  }

  /** Lets what is being answered end, for some seconds. */
  @Override
  public void close() {
    try {
      server.stop();
    } catch (TimeoutException slow) {
      LOGGER.atWarn().addKeyValue("port", name).log("Ended requests that took too long to answer");
    } catch (Exception failure) {
      throw new IllegalStateException("the " + name + " port does not close", failure);
    }
  }

  /** A check has path and head of whatever request Envoy took. */
  private static HttpConfiguration everyPath() {
    HttpConfiguration http = new HttpConfiguration();
    http.setSendServerVersion(false);
    http.setRequestHeaderSize(HttpBounds.MAX_HEAD_BYTES);
    http.setUriCompliance(UriCompliance.UNSAFE);
    return http;
  }

  private static String rootMessage(Throwable failure) {
    Throwable root = failure;
    while (root.getCause() != null) {
      root = root.getCause();
    }
    return root.getMessage() == null ? root.toString() : root.getMessage();
  }
}
