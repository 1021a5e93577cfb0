package io.connectionledger.streams.query;

import static org.assertj.core.api.Assertions.assertThat;

import io.connectionledger.testkit.ManualTicker;
import java.time.Duration;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.streams.processor.StandbyUpdateListener.SuspendReason;
import org.apache.kafka.streams.processor.TaskId;
import org.junit.jupiter.api.Test;

class StandbyLagTest {

  private static final TopicPartition CONNECTIONS = new TopicPartition("connections", 3);
  private static final TopicPartition HISTORY = new TopicPartition("history", 3);
  private static final TaskId TASK = new TaskId(0, 3);

  private final ManualTicker ticker = new ManualTicker();
  private final StandbyLag lag = new StandbyLag(ticker);

  private void loaded(TopicPartition changelog, long end, long last) {
    lag.onBatchLoaded(changelog, "store", TASK, end, 10, last);
  }

  @Test
  void shouldTellForHowLongAnyStoreOfThePartitionIsBehind() {
    loaded(CONNECTIONS, 9, 20);
    ticker.advance(Duration.ofSeconds(1));
    loaded(HISTORY, 4, 20);
    ticker.advance(Duration.ofSeconds(2));
    loaded(CONNECTIONS, 15, 20);

    assertThat(lag.ofPartitionMs(3)).isEqualTo(3_000);
    assertThat(lag.ofPartitionMs(2)).isZero();

    loaded(CONNECTIONS, 19, 20);
    assertThat(lag.ofPartitionMs(3)).isEqualTo(2_000);

    lag.onUpdateSuspended(HISTORY, "store", 5, 20, SuspendReason.MIGRATED);
    assertThat(lag.ofPartitionMs(3)).isZero();
  }
}
