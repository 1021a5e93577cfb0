package io.connectionledger.streams;

import io.connectionledger.model.Decision;
import io.connectionledger.model.Pod;
import io.connectionledger.model.PodAddress;
import io.connectionledger.model.PoolPolicy;
import io.connectionledger.model.RecordCodec;
import io.connectionledger.model.UnreadableRecordException;
import io.connectionledger.streams.rules.Changes;
import java.util.List;
import java.util.Objects;
import java.util.UUID;
import java.util.stream.IntStream;

/** The pools of {@link Ledger#rehearse}: together their checks take every way through the rules. */
final class Rehearsal {

  /** No partition of a topic. */
  static final int PARTITION = -1;

  private static final int FEW_PODS = 3;

  /**
   * So many that each answer of a warm-up is the first about its pod, as the first answers of a
   * fresh instance are: what is made once a pod is warm then, too.
   */
  private static final int MANY_PODS = 1_000;

  private static final int REPLAYS = 3_000;

  private Rehearsal() {}

  /** One that allows, one that soon is full, one that soon is rate limited. */
  static List<PoolPolicy> pools() {
    return List.of(
        pool(
            "allows", MANY_PODS, PoolPolicy.MAX_RATE, PoolPolicy.MAX_BURST, PoolPolicy.MAX_PER_POD),
        pool("full", FEW_PODS, PoolPolicy.UNLIMITED_RATE, 1, 1),
        pool("limited", FEW_PODS, PoolPolicy.MIN_RATE, 1, PoolPolicy.MAX_PER_POD));
  }

  /**
   * Has decisions come back as they do from Kafka: that takes the lock that checks wait for, so it
   * must be as warm as they are.
   */
  static void replay(PoolShard shard, List<String> pools, long nowNanos) {
    Changes changes = new Changes();
    for (int i = 0; i < REPLAYS; i++) {
      Decision decision =
          Objects.requireNonNull(shard.decide(pools.get(i % pools.size()), nowNanos));
      try {
        shard.apply(RecordCodec.decodeDecision(RecordCodec.encode(decision)), changes);
      } catch (UnreadableRecordException impossible) {
        throw new IllegalStateException("own decisions are readable", impossible);
      }
      changes.clear();
    }
  }

  private static PoolPolicy pool(String way, int count, double perSecond, int burst, int perPod) {
    List<Pod> pods =
        IntStream.rangeClosed(1, count)
            .mapToObj(i -> new Pod("pod-" + i, new PodAddress("127.0.0.1", i)))
            .toList();
    // A name that no operator has chosen and no check can guess.
    return new PoolPolicy(
        way + '-' + UUID.randomUUID(),
        perSecond,
        burst,
        perPod,
        PoolPolicy.Mode.ENFORCE,
        PoolPolicy.OnOwnerLoss.DENY,
        pods);
  }
}
