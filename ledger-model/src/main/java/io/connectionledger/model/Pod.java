package io.connectionledger.model;

/**
 * A pod that serves a pool.
 *
 * @param name what operators call it; unique within its pool
 * @param address where Envoy reaches it
 */
public record Pod(String name, PodAddress address) {
  public Pod {
    if (name.isBlank() || name.length() > 253) {
      throw new IllegalArgumentException("a pod's name has 1 to 253 characters");
    }
  }
}
