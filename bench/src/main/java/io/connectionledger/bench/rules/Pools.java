package io.connectionledger.bench.rules;

import io.connectionledger.model.PodAddress;
import io.connectionledger.model.event.ConnectionEvent.Alive;
import io.connectionledger.model.event.ConnectionIds;
import io.connectionledger.model.policy.Pod;
import io.connectionledger.model.policy.PoolPolicy;
import io.connectionledger.streams.rules.PoolLedger;
import io.connectionledger.streams.rules.lease.LeaseTerms;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/** Pools of any size for the benchmarks of the rules. */
final class Pools {

  static final String POOL = "bench";
  static final String ENVOY = "envoy-7d9c5b8f6-x2x9k";
  static final LeaseTerms TERMS = new LeaseTerms(Duration.ofSeconds(10), 3, Duration.ofSeconds(15));

  private static final int ALIVE_SIZE = 1_000;
  private static final long ID_TIME_MS = 1_780_000_000_000L;

  private Pools() {}

  static PodAddress address(int index) {
    return new PodAddress(
        "10." + (index >> 16) + "." + (index >> 8 & 255) + "." + (index & 255), 8080);
  }

  /** A pool with a rate limit and a pod limit that are never reached. */
  static PoolLedger empty(int pods, LeaseTerms terms) {
    List<Pod> named =
        IntStream.range(0, pods).mapToObj(i -> new Pod("pod-" + i, address(i))).toList();
    PoolPolicy policy =
        new PoolPolicy(
            POOL,
            PoolPolicy.MAX_RATE,
            PoolPolicy.MAX_BURST,
            PoolPolicy.MAX_PER_POD,
            PoolPolicy.Mode.ENFORCE,
            PoolPolicy.OnOwnerLoss.DENY,
            named);
    return new PoolLedger(policy, terms, 0);
  }

  /** Heartbeats of {@code connections} new connections, spread evenly over {@code pods} pods. */
  static List<Alive> heartbeats(int connections, int pods) {
    List<Alive> records = new ArrayList<>();
    for (int from = 0; from < connections; from += ALIVE_SIZE) {
      List<String> ids =
          IntStream.range(from, Math.min(connections, from + ALIVE_SIZE))
              .mapToObj(i -> ConnectionIds.next(ID_TIME_MS + i))
              .toList();
      records.add(new Alive(POOL, ENVOY, Map.of(address(records.size() % pods), ids), 0));
    }
    return records;
  }
}
