package io.connectionledger.admission.peer.grpc;

import io.connectionledger.model.Ticker;
import io.grpc.ManagedChannel;
import java.time.Duration;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Function;

/**
 * The connections to other instances, by address. Instances come back with other addresses: one to
 * which nothing was asked for a while is closed, and so is that of longest ago when there are too
 * many. Thread-safe.
 */
final class PeerChannels implements AutoCloseable {

  /** The most that are kept. */
  static final int MAX_CHANNELS = 256;

  /** How long one is kept that nothing is asked through: an instance is asked every few seconds. */
  static final Duration IDLE = Duration.ofMinutes(10);

  private final Function<String, ManagedChannel> connect;
  private final Ticker ticker;

  /** Least lately used first. */
  private final Map<String, Used> channels = new LinkedHashMap<>(16, 0.75f, true);

  private static final class Used {
    final ManagedChannel channel;
    long atNanos;

    Used(ManagedChannel channel) {
      this.channel = channel;
    }
  }

  /** None; {@code connect} makes one, without waiting. */
  PeerChannels(Function<String, ManagedChannel> connect, Ticker ticker) {
    this.connect = connect;
    this.ticker = ticker;
  }

  /** That of an address, which is used now. */
  synchronized ManagedChannel of(String address) {
    long nowNanos = ticker.nowNanos();
    Used used = channels.get(address);
    if (used == null) {
      forget(nowNanos);
      used = new Used(connect.apply(address));
      channels.put(address, used);
    }
    used.atNanos = nowNanos;
    return used.channel;
  }

  private void forget(long nowNanos) {
    for (Iterator<Used> all = channels.values().iterator(); all.hasNext(); ) {
      Used oldest = all.next();
      if (channels.size() < MAX_CHANNELS && nowNanos - oldest.atNanos < IDLE.toNanos()) {
        return;
      }
      all.remove();
      // What is underway may end.
      oldest.channel.shutdown();
    }
  }

  synchronized int size() {
    return channels.size();
  }

  @Override
  public synchronized void close() {
    channels.values().forEach(used -> used.channel.shutdownNow());
    channels.clear();
  }
}
