package io.connectionledger.streams.topology;

import io.connectionledger.model.Ticker;
import io.connectionledger.streams.ownership.OwnedShards;
import io.connectionledger.streams.ownership.Ownership;
import io.connectionledger.streams.ownership.PoolShard;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * When the shard of a partition whose task has come here begins to decide: its ownership is claimed
 * when the task runs, and once no other instance may decide any more, and every record that existed
 * then is applied, the shard decides. For the stream thread; what ends the wait may come on any, as
 * nobody decides until then.
 */
final class TakeoverBarrier {

  private static final Logger LOGGER = LoggerFactory.getLogger(TakeoverBarrier.class);

  /** How often the stream thread looks; more than twice as long, and it had other work. */
  static final Duration LOOK = Duration.ofMillis(100);

  /** After so many looks in time, the thread has nothing else to do. */
  private static final int PROMPT_LOOKS = 2;

  /** How long a claim waits for the moment at which it costs least: less than an owner lingers. */
  private static final Duration PATIENCE = Duration.ofSeconds(5);

  private final int partition;
  private final PoolShard shard;
  private final OwnedShards shards;
  private final Ownership ownership;
  private final CatchUp catchUp;
  private final Ticker ticker;

  private @Nullable CompletableFuture<Map<String, Long>> backlog;
  private long runningSinceNanos;
  private long lookedNanos;
  private int promptLooks;
  private Ownership.@Nullable Claim claim;
  private CompletableFuture<Map<String, Long>> remaining = new CompletableFuture<>();
  private boolean left;

  /** The offset after the last record that was applied, by topic. */
  private final Map<String, Long> nextOffsets = new HashMap<>();

  /** Of a shard that is being prepared. */
  TakeoverBarrier(
      int partition,
      PoolShard shard,
      OwnedShards shards,
      Ownership ownership,
      CatchUp catchUp,
      Ticker ticker) {
    this.partition = partition;
    this.shard = shard;
    this.shards = shards;
    this.ownership = ownership;
    this.catchUp = catchUp;
    this.ticker = ticker;
    shards.announce(shard);
  }

  /** The record before {@code nextOffset} of a topic has been applied. */
  synchronized void applied(String topic, long nextOffset) {
    nextOffsets.put(topic, nextOffset);
    if (!shard.isCaughtUp()) {
      pass();
    }
  }

  /** Takes the next step, if one is due. */
  synchronized void look() {
    if (shard.isCaughtUp()) {
      return;
    }
    if (claim == null) {
      // Not before the task runs: the owner before decides until it reads the claim, and then
      // nobody does until this one has caught up.
      if (!mayClaim()) {
        return;
      }
      claim = ownership.claim(partition, shard);
      shards.add(partition, shard);
      askHowFar(claim);
    } else if (remaining.isCompletedExceptionally()) {
      LOGGER
          .atWarn()
          .addKeyValue("partition", partition)
          .setCause(remaining.exceptionNow())
          .log("Kafka did not say how far to catch up, asking again");
      askHowFar(claim);
    }
    pass();
  }

  /**
   * Between the claim and the end of what there is to read then nobody decides. So while another
   * does, the claim waits until all that is there already is read, and until this thread has done
   * what else came with the assignment, such as opening the stores of other tasks. An instance that
   * still starts leaves the pool where it is: nobody could ask it.
   */
  private boolean mayClaim() {
    long nowNanos = ticker.nowNanos();
    if (backlog == null) {
      backlog = catchUp.remaining(partition).toCompletableFuture();
      runningSinceNanos = nowNanos;
      lookedNanos = nowNanos;
    }
    promptLooks = nowNanos - lookedNanos > 2 * LOOK.toNanos() ? 0 : promptLooks + 1;
    lookedNanos = nowNanos;
    if (!ownership.isDecidedElsewhere(partition)) {
      return true;
    }
    boolean prompt =
        promptLooks >= PROMPT_LOOKS && (backlog.isCompletedExceptionally() || hasRead(backlog));
    return ownership.isAnswering()
        && (prompt || nowNanos - runningSinceNanos >= PATIENCE.toNanos());
  }

  private boolean hasRead(CompletableFuture<Map<String, Long>> ends) {
    return ends.isDone()
        && ends.resultNow().entrySet().stream()
            .allMatch(end -> nextOffsets.getOrDefault(end.getKey(), 0L) >= end.getValue());
  }

  /** Asks how much there is to read once the claim is won: the owner before may add to it. */
  private void askHowFar(Ownership.Claim claimed) {
    remaining =
        claimed.won().thenCompose(won -> catchUp.remaining(partition)).toCompletableFuture();
    var unused = remaining.thenRun(this::pass);
  }

  private synchronized void pass() {
    if (claim == null
        || left
        || shard.isCaughtUp()
        || remaining.isCompletedExceptionally()
        || !hasRead(remaining)) {
      return;
    }
    if (claim.isUnclean()) {
      shard.reserveHeadroom(ticker.nowMs());
    }
    shard.caughtUp();
    claim.decides();
    LOGGER.atDebug().addKeyValue("partition", partition).log("Caught up, deciding from now on");
  }

  /** Claims the partition again where another claim came between, and is worth contesting. */
  synchronized void contest() {
    if (claim != null && claim.isLost()) {
      shard.behind();
      claim = ownership.claim(partition, shard);
      askHowFar(claim);
    }
  }

  /** The task moves away. */
  synchronized void leave() {
    left = true;
    if (claim == null) {
      shards.remove(partition, shard);
    } else {
      claim.leave();
    }
  }
}
