package io.connectionledger.streams.store;

import io.connectionledger.model.PodAddress;
import io.connectionledger.model.event.ConnectionIds;
import io.connectionledger.model.policy.Pod;
import io.connectionledger.model.policy.PolicyRecord;
import io.connectionledger.model.view.PoolReadiness;
import io.connectionledger.model.view.PoolView;
import io.connectionledger.model.view.PoolView.PodView;
import io.connectionledger.model.view.PoolView.State;
import io.connectionledger.streams.rules.state.StoredConnection;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.state.KeyValueIterator;
import org.apache.kafka.streams.state.ReadOnlyKeyValueStore;
import org.apache.kafka.streams.state.ReadOnlyWindowStore;

/**
 * What an instance's stores say of a pool that another instance owns.
 *
 * @param staleMs how old it may be
 * @param held by pod that holds connections
 * @param unreported how many should have had an outcome and have none
 * @param unleased how many are open and were never admitted
 * @param tripped pods whose circuit is open
 * @param rejected of the last hour before {@code asOfMs}
 */
public record StandbyCopy(
    long staleMs,
    long asOfMs,
    Map<PodAddress, Held> held,
    int unreported,
    int unleased,
    Set<PodAddress> tripped,
    Rejected rejected) {

  private static final Held NOTHING = new Held(0, 0);

  /** How many connections a pod holds. */
  public record Held(int active, int reserved) {
    Held plus(Held other) {
      return new Held(active + other.active, reserved + other.reserved);
    }
  }

  /** The stores of a partition as a standby may read them. */
  public record Stores(
      ReadOnlyKeyValueStore<String, byte[]> connections,
      ReadOnlyKeyValueStore<String, byte[]> circuits,
      ReadOnlyWindowStore<String, byte[]> history) {}

  /** Reads all connections of the pool, however many they are. */
  public static StandbyCopy read(Stores stores, String pool, long nowMs, long staleMs) {
    String from = pool + '|';
    String to = pool + (char) ('|' + 1);
    Map<PodAddress, Held> held = new HashMap<>();
    int unreported = 0;
    int unleased = 0;
    try (KeyValueIterator<String, byte[]> all = stores.connections.range(from, to)) {
      while (all.hasNext()) {
        KeyValue<String, byte[]> entry = all.next();
        StoredConnection connection = StoreCodec.connection(entry.value);
        if (connection instanceof StoredConnection.Open open) {
          held.merge(open.pod(), new Held(1, 0), Held::plus);
          unleased += ConnectionIds.isUnleased(entry.key.substring(from.length())) ? 1 : 0;
        } else if (connection instanceof StoredConnection.Reserved reserved) {
          held.merge(reserved.pod(), new Held(0, 1), Held::plus);
          unreported += reserved.overdue() ? 1 : 0;
        }
      }
    }
    Set<PodAddress> tripped = new HashSet<>();
    try (KeyValueIterator<String, byte[]> all = stores.circuits.range(from, to)) {
      all.forEachRemaining(
          entry -> {
            if (StoreCodec.circuit(entry.value) != null) {
              PodAddress.find(entry.key.substring(from.length())).ifPresent(tripped::add);
            }
          });
    }
    return new StandbyCopy(
        staleMs,
        nowMs,
        held,
        unreported,
        unleased,
        tripped,
        History.rejected(stores.history, pool, nowMs));
  }

  /** The pool as its owner would show it. */
  public PoolView view(PolicyRecord record) {
    int limit = record.policy().perPodMaxConnections();
    Map<PodAddress, Held> others = new TreeMap<>(held);
    List<PodView> pods = new ArrayList<>();
    for (Pod pod : record.policy().pods()) {
      Held holds = others.remove(pod.address());
      pods.add(view(record, pod, holds == null ? NOTHING : holds, limit));
    }
    others.forEach(
        (address, holds) ->
            pods.add(
                new PodView(
                    address.toString(), address, holds.active, holds.reserved, limit, State.GONE)));
    Held all = held.values().stream().reduce(NOTHING, Held::plus);
    return new PoolView(
        record.pool(),
        asOfMs,
        record.policy().mode(),
        all.active,
        all.reserved,
        // Which of the reserved were lent is known to the owner alone.
        0,
        unreported,
        unleased,
        pods);
  }

  private PodView view(PolicyRecord record, Pod pod, Held holds, int limit) {
    PodAddress address = pod.address();
    State state =
        State.of(
            true,
            record.draining().contains(address),
            !record.notReady().contains(address),
            tripped.contains(address),
            holds.active + holds.reserved,
            limit);
    return new PodView(pod.name(), address, holds.active, holds.reserved, limit, state);
  }

  /** Never ready: nobody has confirmed what is counted. */
  public PoolReadiness readiness(String pool) {
    boolean none = held.values().stream().allMatch(holds -> holds.active == 0);
    return new PoolReadiness(
        pool,
        asOfMs,
        false,
        none ? 1 : 0,
        List.of(),
        List.of("incomplete: the owner cannot be asked, and this is what a standby knows"));
  }
}
