package io.connectionledger.app.kafka;

import io.connectionledger.app.config.LedgerConfig.Listener;
import io.connectionledger.app.config.StartupException;
import java.io.IOException;
import java.net.BindException;
import java.net.InetSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.UnresolvedAddressException;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.kafka.server.ServerSocketFactory;

/**
 * The broker's listening sockets, bound before the broker is built: so a port in use is known
 * before anything has been written, and a port of 0 has its number when others must be told it.
 */
final class Sockets implements ServerSocketFactory, AutoCloseable {

  private static final int BACKLOG = 128;

  private final Map<String, ServerSocketChannel> bound = new ConcurrentHashMap<>();

  /**
   * Binds the listener {@code name}.
   *
   * @param key the configuration's section, for errors
   * @return the port
   */
  int bind(String name, Listener listener, String key) {
    try {
      ServerSocketChannel channel = ServerSocketChannel.open();
      bound.put(name, channel);
      channel.bind(listener.socketAddress(), BACKLOG);
      channel.configureBlocking(false);
      return channel.socket().getLocalPort();
    } catch (BindException inUse) {
      throw new StartupException(
          key
              + ".port is "
              + listener.port()
              + ", which cannot be bound on "
              + listener.bind()
              + " ("
              + inUse.getMessage()
              + "): allowed is a free port, or 0 for any",
          inUse);
    } catch (IOException | UnresolvedAddressException | SecurityException failed) {
      throw new StartupException(
          key
              + ".bind is '"
              + listener.bind()
              + "': allowed is an address of this machine ("
              + failed
              + ")",
          failed);
    }
  }

  @Override
  public ServerSocketChannel openServerSocket(
      String listener, InetSocketAddress address, int backlog, int receiveBuffer)
      throws IOException {
    ServerSocketChannel channel = bound.remove(listener);
    if (channel == null) {
      throw new IOException("listener " + listener + " was not bound at the start");
    }
    return channel;
  }

  /** Closes the sockets that the broker has not taken over. */
  @Override
  public void close() throws IOException {
    for (ServerSocketChannel channel : bound.values()) {
      channel.close();
    }
  }
}
