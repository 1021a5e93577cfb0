package io.connectionledger.ingest;

import io.connectionledger.model.PodAddress;
import org.jspecify.annotations.Nullable;

/**
 * Remembers the pods of one stream, so that each heartbeat does not validate its pod's address
 * anew. A fixed number of slots; two pods that share one take turns. Not thread-safe.
 */
final class PodAddresses {

  private static final int SLOTS = 256;

  private final @Nullable PodAddress[] slots = new @Nullable PodAddress[SLOTS];

  /**
   * The address of {@code ip} and {@code port}.
   *
   * @throws IllegalArgumentException with a sentence for the operator when they are none
   */
  PodAddress of(String ip, int port) {
    int slot = (31 * ip.hashCode() + port) & (SLOTS - 1);
    PodAddress known = slots[slot];
    if (known != null && known.port() == port && known.ip().equals(ip)) {
      return known;
    }
    PodAddress address = new PodAddress(ip, port);
    slots[slot] = address;
    return address;
  }
}
