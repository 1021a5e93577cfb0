package io.connectionledger.model.policy;

import io.connectionledger.model.PodAddress;

/**
 * A pod that serves a pool.
 *
 * @param name what operators call it; unique within its pool
 * @param address where Envoy reaches it
 */
public record Pod(String name, PodAddress address) {

  private static final int MAX_NAME = 253;

  public Pod {
    // What reads JSON leaves absent components null, whatever their type promises.
    if (name == null || name.isBlank() || name.length() > MAX_NAME) {
      throw new InvalidPolicyException(
          "name", name == null ? "missing" : name, "1 to " + MAX_NAME + " characters");
    }
    if (address == null) {
      throw new InvalidPolicyException("address", "missing", PodAddress.ALLOWED);
    }
  }
}
