package io.connectionledger.model.view;

import io.connectionledger.model.PodAddress;
import java.util.List;

/**
 * What a scaling controller may do with a pool at one moment.
 *
 * @param asOfMs milliseconds since the epoch
 * @param ready whether it may act on this at all
 * @param reasons why it may not, a line each; empty when it may
 * @param scaleDown the pods of the policy in the order in which they may be removed
 * @param desiredPods how many pods should take connections; at least 1
 */
public record PoolScaling(
    String pool,
    long asOfMs,
    boolean ready,
    List<String> reasons,
    List<Candidate> scaleDown,
    int desiredPods) {

  /**
   * One pod.
   *
   * @param priority 1 for the first to be removed
   * @param active established connections
   */
  public record Candidate(String pod, PodAddress address, int priority, int active) {}
}
