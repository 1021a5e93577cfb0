package io.connectionledger.model.view;

import io.connectionledger.model.PodAddress;
import io.connectionledger.model.event.EnvoyRejection;
import java.util.List;
import java.util.Map;

/**
 * What was not admitted to a pool of late: by the ledger, under the label of its {@link
 * RejectionReason}, and by an Envoy itself, under that of its {@link EnvoyRejection}.
 *
 * @param asOfMs milliseconds since the epoch; where every window ends
 * @param windows by label, shortest first; in each the count by reason. Every window is present, a
 *     reason without rejections is not
 * @param pods those of the pool in its order, then others that had rejections; each counts those
 *     that were about it alone
 */
public record PoolRejections(
    String pool, long asOfMs, Map<String, Map<String, Long>> windows, List<PodRejections> pods) {

  /**
   * One pod.
   *
   * @param pod its name; its address when the policy does not name it
   */
  public record PodRejections(
      String pod, PodAddress address, Map<String, Map<String, Long>> windows) {}
}
