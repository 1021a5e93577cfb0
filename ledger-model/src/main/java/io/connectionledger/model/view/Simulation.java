package io.connectionledger.model.view;

import io.connectionledger.model.PodAddress;
import io.connectionledger.model.event.RejectionReason;
import io.connectionledger.model.policy.PoolPolicy;
import java.util.List;
import java.util.Map;

/**
 * What became of the attempts of a window, and what would have become of them.
 *
 * @param fromMs the first moment that was looked at, milliseconds since the epoch
 * @param toMs the last
 * @param recorded what the records say
 * @param repeated what the calculation makes of the same attempts with the limits that they met: by
 *     as much as it differs from {@code recorded}, what the records do not tell had a part in it
 * @param simulated what it makes of them with the other limits
 * @param policy the last of the window, with the other limits
 * @param assumptions what was taken for granted, a sentence each
 */
public record Simulation(
    String pool,
    long fromMs,
    long toMs,
    Outcome recorded,
    Outcome repeated,
    Outcome simulated,
    PoolPolicy policy,
    List<String> assumptions) {

  public Simulation {
    assumptions = List.copyOf(assumptions);
  }

  /**
   * How attempts were answered and how full the pods were.
   *
   * @param rejected by reason; one without rejections is not there
   * @param pods in the order of their addresses
   */
  public record Outcome(long admitted, Map<RejectionReason, Long> rejected, List<Peak> pods) {

    public Outcome {
      rejected = Map.copyOf(rejected);
      pods = List.copyOf(pods);
    }
  }

  /**
   * A pod at its fullest.
   *
   * @param held open and reserved connections
   */
  public record Peak(String pod, PodAddress address, int held) {}
}
