package io.connectionledger.admission.http.port;

import io.connectionledger.model.Ticker;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.Collection;
import java.util.HashMap;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import org.eclipse.jetty.io.Connection;
import org.eclipse.jetty.io.EndPoint;
import org.eclipse.jetty.io.ssl.SslConnection;
import org.eclipse.jetty.server.ServerConnector;
import org.eclipse.jetty.util.component.AbstractLifeCycle;
import org.eclipse.jetty.util.thread.Scheduler;
import org.jspecify.annotations.Nullable;

/**
 * Closes connections beyond a number, in all and of one address, and those whose next request's
 * head takes too long: Jetty's idle timeout begins anew with each byte of it. A look a second costs
 * less than a timer for each request.
 */
final class ConnectionGuard extends AbstractLifeCycle implements Connection.Listener {

  private static final long LOOK_SECONDS = 1;

  private final ServerConnector connector;
  private final int maxConnections;
  private final HttpRefusals refusals;
  private final Ticker ticker;

  /** Of connections that are between two requests; the looking thread's own. */
  private Map<EndPoint, Pause> pauses = new HashMap<>();

  private volatile Scheduler.@Nullable Task next;

  /**
   * Between two requests.
   *
   * @param requests that came before
   * @param bytes that had come when it was first seen
   * @param headSinceNanos when it was first seen that more had; 0 while none have
   */
  private record Pause(long requests, long bytes, long headSinceNanos) {}

  ConnectionGuard(
      ServerConnector connector, int maxConnections, HttpRefusals refusals, Ticker ticker) {
    this.connector = connector;
    this.maxConnections = maxConnections;
    this.refusals = refusals;
    this.ticker = ticker;
  }

  @Override
  protected void doStart() {
    lookLater();
  }

  @Override
  protected void doStop() {
    Scheduler.Task task = next;
    if (task != null) {
      task.cancel();
    }
  }

  private void lookLater() {
    next = connector.getScheduler().schedule(this::look, LOOK_SECONDS, TimeUnit.SECONDS);
  }

  @Override
  public void onOpened(Connection connection) {
    Collection<EndPoint> all = connector.getConnectedEndPoints();
    if (all.size() > maxConnections) {
      close(connection, HttpRefusal.CONNECTIONS);
    } else if (all.size() > maxConnections / HttpBounds.ADDRESS_SHARE
        && ofAddress(connection, all) > maxConnections / HttpBounds.ADDRESS_SHARE) {
      close(connection, HttpRefusal.CONNECTIONS_OF_ADDRESS);
    }
  }

  private static long ofAddress(Connection connection, Collection<EndPoint> all) {
    InetAddress from = address(connection.getEndPoint());
    return all.stream().filter(each -> Objects.equals(from, address(each))).count();
  }

  private static @Nullable InetAddress address(EndPoint endPoint) {
    return endPoint.getRemoteSocketAddress() instanceof InetSocketAddress from
        ? from.getAddress()
        : null;
  }

  private void close(Connection connection, HttpRefusal reason) {
    refusals.count(reason);
    connection.getEndPoint().close();
  }

  @Override
  public void onClosed(Connection connection) {
    // The next look forgets it.
  }

  private void look() {
    Map<EndPoint, Pause> now = new HashMap<>();
    for (EndPoint endPoint : connector.getConnectedEndPoints()) {
      Connection connection = endPoint.getConnection();
      if (connection != null) {
        look(endPoint, connection, now);
      }
    }
    pauses = now;
    if (isRunning()) {
      lookLater();
    }
  }

  private void look(EndPoint endPoint, Connection connection, Map<EndPoint, Pause> now) {
    Connection http =
        connection instanceof SslConnection tls ? tls.getSslEndPoint().getConnection() : connection;
    long requests = http == null ? 0 : http.getMessagesIn();
    if (http != null && requests != http.getMessagesOut()) {
      return;
    }
    Pause before = pauses.get(endPoint);
    // The first request may begin with the connection, the next ones not before the last answer.
    long bytes = requests == 0 ? 0 : connection.getBytesIn();
    if (before == null || before.requests != requests) {
      before = new Pause(requests, bytes, 0);
    }
    if (before.headSinceNanos == 0 && connection.getBytesIn() > before.bytes) {
      before = new Pause(requests, before.bytes, ticker.nowNanos());
    }
    if (before.headSinceNanos != 0
        && ticker.nowNanos() - before.headSinceNanos > HttpBounds.HEAD_TIMEOUT.toNanos()) {
      refusals.count(HttpRefusal.HEAD_TOO_SLOW);
      endPoint.close();
    } else {
      now.put(endPoint, before);
    }
  }
}
