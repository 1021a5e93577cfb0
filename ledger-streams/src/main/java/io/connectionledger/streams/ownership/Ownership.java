package io.connectionledger.streams.ownership;

import java.util.concurrent.CompletionStage;

/** Where a partition's processor asks whether its shard may decide. */
public interface Ownership {

  /** A processor's claim on its partition. Thread-safe. */
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

  /** Whether another instance decides for the partition, and goes on until somebody claims it. */
  boolean isDecidedElsewhere(int partition);

  /**
   * Whether other instances can ask this one, so that it may take over what one of them decides.
   */
  boolean isAnswering();
}
