package io.connectionledger.model.policy;

import io.connectionledger.model.PodAddress;

/**
 * A pod that serves a pool.
 *
 * @param name what operators call it; unique within its pool
 * @param address where Envoy reaches it
 */
public record Pod(String name, PodAddress address) {
  public Pod {
    // What reads JSON leaves absent components null, whatever their type promises.
    if (name == null || name.isBlank() || name.length() > 253) {
      throw new IllegalArgumentException("a pod's name has 1 to 253 characters");
    }
    if (address == null) {
      throw new IllegalArgumentException("a pod's address is " + PodAddress.ALLOWED);
    }
  }
}
