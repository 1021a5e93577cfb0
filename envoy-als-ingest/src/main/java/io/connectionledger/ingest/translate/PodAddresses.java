package io.connectionledger.ingest.translate;

import io.connectionledger.model.PodAddress;
import org.jspecify.annotations.Nullable;

/**
 * Remembers the pods of one stream, so that each heartbeat does not validate its pod's address
 * anew. It is asked by what Envoy wrote and answers with the canonical address, so several
 * spellings of one pod are one pod. A fixed number of slots; two that share one take turns. Not
 * thread-safe.
 */
final class PodAddresses {

  private static final int SLOTS = 256;

  /** An address by how its IP was written. */
  private record Known(String ip, PodAddress address) {}

  private final @Nullable Known[] slots = new @Nullable Known[SLOTS];

  /**
   * The address of {@code ip} and {@code port}.
   *
   * @throws IllegalArgumentException with a sentence for the operator when they are none
   */
  PodAddress of(String ip, int port) {
    int slot = (31 * ip.hashCode() + port) & (SLOTS - 1);
    Known known = slots[slot];
    if (known != null && known.address().port() == port && known.ip().equals(ip)) {
      return known.address();
    }
    PodAddress address = new PodAddress(ip, port);
    slots[slot] = new Known(ip, address);
    return address;
  }
}
