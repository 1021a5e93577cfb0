package io.connectionledger.streams.store;

import io.connectionledger.model.PodAddress;
import io.connectionledger.model.event.LedgerRecord;
import io.connectionledger.streams.ownership.PoolShard;
import io.connectionledger.streams.rules.state.Changes;
import io.connectionledger.streams.rules.state.StoredCircuitBreaker;
import io.connectionledger.streams.rules.state.StoredConnection;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.state.KeyValueIterator;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.WindowStore;
import org.jspecify.annotations.Nullable;

/** The state stores of one partition, read into a shard and written with what changes in it. */
public final class PartitionStores {

  public static final String CONNECTIONS = "connections";
  public static final String CIRCUITS = "circuits";
  public static final String BUCKETS = "token-buckets";
  public static final String HISTORY = "history";

  /** The names of all. */
  public static final List<String> ALL = List.of(CONNECTIONS, CIRCUITS, BUCKETS, HISTORY);

  /** Between a pool and the node id of an Envoy in the store of the circuits: no pod begins so. */
  private static final String ENVOY = "|@";

  private final KeyValueStore<String, byte[]> connections;
  private final KeyValueStore<String, byte[]> circuits;
  private final KeyValueStore<String, byte[]> buckets;
  private final WindowStore<String, byte[]> history;

  /** Those of a task; for its stream thread alone. */
  public PartitionStores(ProcessorContext<String, byte[]> context) {
    this(
        context.getStateStore(CONNECTIONS),
        context.getStateStore(CIRCUITS),
        context.getStateStore(BUCKETS),
        context.getStateStore(HISTORY));
  }

  /** These stores. */
  public PartitionStores(
      KeyValueStore<String, byte[]> connections,
      KeyValueStore<String, byte[]> circuits,
      KeyValueStore<String, byte[]> buckets,
      WindowStore<String, byte[]> history) {
    this.connections = connections;
    this.circuits = circuits;
    this.buckets = buckets;
    this.history = history;
  }

  /**
   * Puts everything back that is stored, and deletes what no policy knows any more.
   *
   * @return how many connections there were
   */
  public int restore(PoolShard shard) {
    int count = 0;
    try (KeyValueIterator<String, byte[]> all = connections.all()) {
      while (all.hasNext()) {
        KeyValue<String, byte[]> entry = all.next();
        int separator = entry.key.indexOf('|');
        StoredConnection connection = StoreCodec.connection(entry.value);
        if (separator < 0
            || connection == null
            || !shard.restore(
                entry.key.substring(0, separator),
                entry.key.substring(separator + 1),
                connection)) {
          connections.delete(entry.key);
        } else {
          count++;
        }
      }
    }
    try (KeyValueIterator<String, byte[]> all = circuits.all()) {
      all.forEachRemaining(entry -> restoreCircuit(shard, entry));
    }
    try (KeyValueIterator<String, byte[]> all = buckets.all()) {
      all.forEachRemaining(entry -> restoreBucket(shard, entry));
    }
    return count;
  }

  private void restoreBucket(PoolShard shard, KeyValue<String, byte[]> entry) {
    Long arrivalNanos = StoreCodec.bucket(entry.value);
    if (arrivalNanos == null || !shard.restoreBucket(entry.key, arrivalNanos)) {
      buckets.delete(entry.key);
    }
  }

  /** An open circuit by its pod, or an interval of heartbeats by its Envoy. */
  private void restoreCircuit(PoolShard shard, KeyValue<String, byte[]> entry) {
    int separator = entry.key.indexOf('|');
    Long intervalMs = StoreCodec.interval(entry.value);
    if (intervalMs != null) {
      int node = entry.key.indexOf(ENVOY);
      if (node < 0
          || !shard.restoreInterval(
              entry.key.substring(0, node),
              entry.key.substring(node + ENVOY.length()),
              intervalMs)) {
        circuits.delete(entry.key);
      }
      return;
    }
    StoredCircuitBreaker circuit = StoreCodec.circuit(entry.value);
    String written = entry.key.substring(separator + 1);
    // An older version stored every spelling as a pod of its own.
    PodAddress pod =
        PodAddress.find(written).filter(found -> found.toString().equals(written)).orElse(null);
    if (separator < 0
        || circuit == null
        || pod == null
        || !shard.restoreCircuit(entry.key.substring(0, separator), pod, circuit)) {
      circuits.delete(entry.key);
    }
  }

  /** Counts a record in the history; parameters as for {@link History#count}. */
  public void count(LedgerRecord record, @Nullable PodAddress pod, long offset, long timestampMs) {
    History.count(history, record, pod, offset, timestampMs);
  }

  /** Keeps in the history how many connections of a pool are open. */
  public void open(String pool, int count, long nowMs) {
    History.open(history, pool, count, nowMs);
  }

  /** Writes what has changed in a pool. */
  public void write(String pool, Changes changes) {
    write(connections, pool + '|', changes.connections(), StoreCodec::connection);
    write(circuits, pool + '|', changes.circuits(), StoreCodec::circuit);
    write(circuits, pool + ENVOY, changes.intervals(), StoreCodec::interval);
    if (changes.bucketArrivalNanos() != 0) {
      buckets.put(pool, StoreCodec.bucket(changes.bucketArrivalNanos()));
    }
  }

  private static <K, V> void write(
      KeyValueStore<String, byte[]> store,
      String prefix,
      Map<K, @Nullable V> changed,
      Function<V, byte[]> codec) {
    // Null is a delete; unlike delete(), it does not read what was there.
    changed.forEach(
        (key, value) -> store.put(prefix + key, value == null ? null : codec.apply(value)));
  }
}
