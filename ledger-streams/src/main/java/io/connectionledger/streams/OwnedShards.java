package io.connectionledger.streams;

import java.util.Collection;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/** The shards whose active task runs in this instance. Thread-safe. */
final class OwnedShards {

  private final Map<Integer, PoolShard> byPartition = new ConcurrentHashMap<>();

  /** Makes {@code shard} the one of its partition, in the place of one that still lingers. */
  void add(int partition, PoolShard shard) {
    PoolShard before = byPartition.put(partition, shard);
    if (before != null) {
      before.retire();
    }
  }

  /** Retires {@code shard}; a successor that has already been added stays. */
  void remove(int partition, PoolShard shard) {
    byPartition.remove(partition, shard);
    shard.retire();
  }

  @Nullable PoolShard get(int partition) {
    return byPartition.get(partition);
  }

  Collection<PoolShard> all() {
    return byPartition.values();
  }
}
