package io.connectionledger.streams.ownership;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/** For an instance that is alone with its topology. */
public record UndisputedOwnership(OwnedShards shards) implements Ownership {

  @Override
  public boolean isAnswering() {
    return true;
  }

  @Override
  public boolean isDecidedElsewhere(int partition) {
    return false;
  }

  @Override
  public Claim claim(int partition, PoolShard shard) {
    return new Undisputed(shards, partition, shard);
  }

  private record Undisputed(OwnedShards shards, int partition, PoolShard shard) implements Claim {

    @Override
    public CompletionStage<Void> won() {
      return CompletableFuture.completedFuture(null);
    }

    @Override
    public boolean isUnclean() {
      return false;
    }

    @Override
    public void decides() {
      // It does, without anybody's leave.
    }

    @Override
    public boolean isLost() {
      return false;
    }

    @Override
    public void leave() {
      shards.remove(partition, shard);
    }
  }
}
