package io.connectionledger.app.serve;

import io.grpc.Attributes;
import io.grpc.Grpc;
import io.grpc.ServerTransportFilter;
import io.grpc.Status;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Closes connections beyond a number that come from one address. Those count that can be used: with
 * TLS, after its handshake. Thread-safe.
 */
final class AddressCap extends ServerTransportFilter {

  private static final Attributes.Key<InetAddress> COUNTED = Attributes.Key.create("counted");

  private final int most;
  private final GrpcRefusals refusals;
  private final Map<InetAddress, Integer> open = new HashMap<>();

  AddressCap(int most, GrpcRefusals refusals) {
    this.most = most;
    this.refusals = refusals;
  }

  @Override
  public Attributes transportReady(Attributes connection) {
    if (!(connection.get(Grpc.TRANSPORT_ATTR_REMOTE_ADDR) instanceof InetSocketAddress from)) {
      return connection;
    }
    InetAddress address = from.getAddress();
    if (!enter(address)) {
      refusals.connection();
      throw Status.RESOURCE_EXHAUSTED
          .withDescription("too many connections of " + address)
          .asRuntimeException();
    }
    return connection.toBuilder().set(COUNTED, address).build();
  }

  /** Of one that was never ready, or refused, there are no attributes. */
  @Override
  public void transportTerminated(@Nullable Attributes connection) {
    InetAddress address = connection == null ? null : connection.get(COUNTED);
    if (address != null) {
      leave(address);
    }
  }

  // No lambdas here: the first connection would wait until their classes are made.
  private synchronized boolean enter(InetAddress address) {
    int before = open.getOrDefault(address, 0);
    if (before == most) {
      return false;
    }
    open.put(address, before + 1);
    return true;
  }

  private synchronized void leave(InetAddress address) {
    int before = open.getOrDefault(address, 0);
    if (before > 1) {
      open.put(address, before - 1);
    } else {
      open.remove(address);
    }
  }
}
