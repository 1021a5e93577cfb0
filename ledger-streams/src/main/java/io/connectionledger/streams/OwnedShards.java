package io.connectionledger.streams;

import java.util.Collection;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.ObjIntConsumer;
import org.jspecify.annotations.Nullable;

/** The shards whose active task runs in this instance. Thread-safe. */
final class OwnedShards {

  private final Map<Integer, PoolShard> byPartition = new ConcurrentHashMap<>();
  private final ObjIntConsumer<PoolShard> onAdded;

  OwnedShards() {
    this((shard, partition) -> {});
  }

  /**
   * No shards.
   *
   * @param onAdded takes each shard, with its partition, right after it was added
   */
  OwnedShards(ObjIntConsumer<PoolShard> onAdded) {
    this.onAdded = onAdded;
  }

  void add(int partition, PoolShard shard) {
    byPartition.put(partition, shard);
    onAdded.accept(shard, partition);
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
