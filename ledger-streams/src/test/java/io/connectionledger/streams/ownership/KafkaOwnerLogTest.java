package io.connectionledger.streams.ownership;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.connectionledger.model.Topics;
import io.connectionledger.model.UnreadableRecordException;
import io.connectionledger.model.event.OwnershipHeartbeat;
import io.connectionledger.model.event.OwnershipHeartbeat.Kind;
import io.connectionledger.model.event.RecordCodec;
import java.util.Optional;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.common.record.TimestampType;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class KafkaOwnerLogTest {

  private static final long TAKEN_MS = 1_800_000_000_000L;

  private static ConsumerRecord<byte[], byte[]> claim(long term) {
    OwnershipHeartbeat beat =
        new OwnershipHeartbeat(Kind.CLAIMING, "instance-1", "run-1", term, "host:1", 5, 7);
    return record(RecordCodec.encode(beat));
  }

  private static ConsumerRecord<byte[], byte[]> record(byte[] value) {
    return new ConsumerRecord<>(
        Topics.OWNERS,
        0,
        0,
        TAKEN_MS,
        TimestampType.LOG_APPEND_TIME,
        0,
        0,
        null,
        value,
        new RecordHeaders(),
        Optional.empty());
  }

  /** After it no other could be higher, and the partition would have no owner for ever. */
  @ParameterizedTest
  @ValueSource(longs = {Long.MAX_VALUE, Long.MAX_VALUE - 1, TAKEN_MS + 86_400_001})
  void shouldRefuseATermThatIsFarAheadOfItsTime(long term) {
    assertThatThrownBy(() -> KafkaOwnerLog.beat(claim(term)))
        .isInstanceOf(UnreadableRecordException.class)
        .hasMessageContaining("term " + term);
  }

  @ParameterizedTest
  @ValueSource(longs = {1, TAKEN_MS, TAKEN_MS + 86_400_000})
  void shouldTakeATermThatAClockMayHaveMade(long term) throws UnreadableRecordException {
    assertThat(KafkaOwnerLog.beat(claim(term)).term()).isEqualTo(term);
  }

  @Test
  void shouldRefuseARecordWithoutAValue() {
    @SuppressWarnings("NullAway") // Kafka may hand out what its type does not promise
    ConsumerRecord<byte[], byte[]> tombstone = record(null);

    assertThatThrownBy(() -> KafkaOwnerLog.beat(tombstone))
        .isInstanceOf(UnreadableRecordException.class);
  }
}
