package io.connectionledger.streams.query;

import io.connectionledger.model.Ticker;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.streams.processor.StandbyUpdateListener;
import org.apache.kafka.streams.processor.TaskId;

/** For how long this instance's copies of others' stores have been behind them. Thread-safe. */
public final class StandbyLag implements StandbyUpdateListener {

  private final Ticker ticker;
  private final Map<TopicPartition, Long> behindSinceMs = new ConcurrentHashMap<>();

  public StandbyLag(Ticker ticker) {
    this.ticker = ticker;
  }

  /** How long no store of the partition has been complete; 0 when all are. */
  long ofPartitionMs(int partition) {
    long nowMs = ticker.nowMs();
    return behindSinceMs.entrySet().stream()
        .filter(entry -> entry.getKey().partition() == partition)
        .mapToLong(entry -> nowMs - entry.getValue())
        .max()
        .orElse(0);
  }

  @Override
  public void onUpdateStart(TopicPartition changelog, String store, long startingOffset) {
    // Says nothing of how far there is to go.
  }

  @Override
  public void onBatchLoaded(
      TopicPartition changelog,
      String store,
      TaskId task,
      long batchEndOffset,
      long batchSize,
      long currentEndOffset) {
    if (batchEndOffset + 1 < currentEndOffset) {
      behindSinceMs.putIfAbsent(changelog, ticker.nowMs());
    } else {
      behindSinceMs.remove(changelog);
    }
  }

  @Override
  public void onUpdateSuspended(
      TopicPartition changelog,
      String store,
      long storeOffset,
      long currentEndOffset,
      SuspendReason reason) {
    behindSinceMs.remove(changelog);
  }
}
