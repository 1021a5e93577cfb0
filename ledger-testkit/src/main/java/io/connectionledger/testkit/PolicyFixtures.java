package io.connectionledger.testkit;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.connectionledger.model.PodAddress;
import io.connectionledger.model.policy.Pod;
import io.connectionledger.model.policy.PolicyCodec;
import io.connectionledger.model.policy.PolicyRecord;
import io.connectionledger.model.policy.PoolPolicy;
import io.connectionledger.model.policy.PoolPolicy.OnOwnerLoss;
import java.util.List;
import java.util.Set;
import java.util.stream.IntStream;

/** Policies that are enforced and have the defaults for whatever a test does not name. */
public final class PolicyFixtures {

  private PolicyFixtures() {}

  /** Without a rate; denies while nobody owns the pool. */
  public static PoolPolicy unlimited(String pool, int perPod, List<Pod> pods) {
    return unlimited(pool, perPod, OnOwnerLoss.DENY, pods);
  }

  /** Without a rate. */
  public static PoolPolicy unlimited(
      String pool, int perPod, OnOwnerLoss onOwnerLoss, List<Pod> pods) {
    return limited(pool, PoolPolicy.UNLIMITED_RATE, 1, perPod, onOwnerLoss, pods);
  }

  /** With a rate; denies while nobody owns the pool. */
  public static PoolPolicy limited(
      String pool, double perSecond, int burst, int perPod, List<Pod> pods) {
    return limited(pool, perSecond, burst, perPod, OnOwnerLoss.DENY, pods);
  }

  /** With a rate. */
  public static PoolPolicy limited(
      String pool,
      double perSecond,
      int burst,
      int perPod,
      OnOwnerLoss onOwnerLoss,
      List<Pod> pods) {
    return new PoolPolicy(
        pool, perSecond, burst, perPod, PoolPolicy.Mode.ENFORCE, onOwnerLoss, pods);
  }

  /** Without a rate, on the pods behind the Service of this name. */
  public static PoolPolicy inKubernetes(String pool, int perPod, String service) {
    return PolicyCodec.changed(
        unlimited(pool, perPod, List.of()),
        """
        { "kubernetes": { "namespace": "shop", "service": "%s", "port": "http" } }
        """
            .formatted(service)
            .getBytes(UTF_8),
        Set.of());
  }

  /** As the topic has one that nobody has changed. */
  public static PolicyRecord record(PoolPolicy policy) {
    return PolicyRecord.ofBase(policy, Set.of(), 0);
  }

  /** From pod-1 at 10.0.0.1:80 on. */
  public static List<Pod> pods(int count) {
    return IntStream.rangeClosed(1, count)
        .mapToObj(i -> new Pod("pod-" + i, new PodAddress("10.0.0." + i, 80)))
        .toList();
  }
}
