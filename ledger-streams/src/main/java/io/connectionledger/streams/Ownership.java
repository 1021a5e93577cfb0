package io.connectionledger.streams;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/** Where a partition's processor asks whether its shard may decide. */
@FunctionalInterface
interface Ownership {

  /** A processor's claim on its partition, for the stream thread. */
  interface Claim {

    /** Completes, on any thread, when no other instance may decide any more. */
    CompletionStage<Void> won();

    /**
     * Whether an owner before may have admitted connections that it did not record and that may not
     * have shown yet; once the claim is won.
     */
    boolean isUnclean();

    /** The shard has caught up since the claim was won. */
    void decides();

    /** Whether another claim came between, and is worth contesting. */
    boolean isLost();

    /** The task moves away; the shard may decide on until another instance claims the partition. */
    void leave();
  }

  /** Claims a partition for its shard, which decides only while the claim holds. */
  Claim claim(int partition, PoolShard shard);

  /** For an instance that is alone with its topology. */
  static Ownership undisputed(OwnedShards shards) {
    return (partition, shard) ->
        new Claim() {
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
        };
  }
}
