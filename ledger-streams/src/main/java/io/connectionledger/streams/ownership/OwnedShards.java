package io.connectionledger.streams.ownership;

import io.connectionledger.model.view.PoolView.PodView;
import io.connectionledger.streams.PoolQueries;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.ObjIntConsumer;
import org.jspecify.annotations.Nullable;

/** The shards whose active task runs in this instance. Thread-safe. */
public final class OwnedShards {

  private final Map<Integer, PoolShard> byPartition = new ConcurrentHashMap<>();
  private final ObjIntConsumer<PoolShard> onAdded;

  private volatile PoolQueries.Watcher watcher = PoolQueries.Watcher.NONE;

  /** Being prepared, to be added soon. */
  private final Set<PoolShard> announced = ConcurrentHashMap.newKeySet();

  public OwnedShards() {
    this((shard, partition) -> {});
  }

  /**
   * No shards.
   *
   * @param onAdded takes each shard, with its partition, right after it was added
   */
  public OwnedShards(ObjIntConsumer<PoolShard> onAdded) {
    this.onAdded = onAdded;
  }

  /** {@code shard} is being prepared; {@link #add} or {@link #remove} ends that. */
  public void announce(PoolShard shard) {
    announced.add(shard);
  }

  /** Makes {@code shard} the one of its partition, in the place of one that still lingers. */
  public void add(int partition, PoolShard shard) {
    PoolShard before = byPartition.put(partition, shard);
    onAdded.accept(shard, partition);
    announced.remove(shard);
    if (before != null) {
      before.retire();
    }
  }

  /** Retires {@code shard}; a successor that has already been added stays. */
  public void remove(int partition, PoolShard shard) {
    announced.remove(shard);
    byPartition.remove(partition, shard);
    shard.retire();
  }

  /**
   * The shard of a partition.
   *
   * @param partition null for the partition of a pool that there is not
   */
  public @Nullable PoolShard get(@Nullable Integer partition) {
    return partition == null ? null : byPartition.get(partition);
  }

  /** Has {@code next} told what has changed, and no other. */
  public void watch(PoolQueries.Watcher next) {
    watcher = next;
  }

  /** Tells who watches. */
  public void changed(String pool, List<PodView> pods) {
    watcher.changed(pool, pods);
  }

  /**
   * How many decide now.
   *
   * @param nowNanos of the ticker
   */
  public long deciding(long nowNanos) {
    return byPartition.values().stream().filter(shard -> shard.isDeciding(nowNanos)).count();
  }

  /** How many cannot decide yet. */
  public long behind() {
    return announced.size()
        + byPartition.values().stream().filter(shard -> !shard.isCaughtUp()).count();
  }
}
