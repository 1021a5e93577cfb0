package io.connectionledger.admission.decisionlog;

import static org.assertj.core.api.Assertions.assertThat;

import io.connectionledger.model.event.Decision;
import io.connectionledger.model.event.RejectionReason;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.kafka.clients.producer.MockProducer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.Cluster;
import org.apache.kafka.common.Node;
import org.apache.kafka.common.PartitionInfo;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.junit.jupiter.api.Test;

final class KafkaDecisionLogTest {

  @Test
  void shouldBeReadyOnceTheTopicIsKnownAndStaySo() {
    // Given
    PartitionInfo partition =
        new PartitionInfo("ledger.decisions", 0, Node.noNode(), new Node[0], new Node[0]);
    Cluster cluster = new Cluster("c", List.of(), List.of(partition), Set.of(), Set.of());
    ByteArraySerializer bytes = new ByteArraySerializer();
    MockProducer<byte[], byte[]> producer = new MockProducer<>(cluster, false, null, bytes, bytes);
    producer.partitionsForException = new TimeoutException("not present in metadata after 0 ms");
    try (KafkaDecisionLog log = new KafkaDecisionLog(producer)) {
      // When
      var before = log.unready();
      producer.partitionsForException = null;
      var after = log.unready();
      producer.partitionsForException = new TimeoutException("broker away");
      var later = log.unready();
      // Then
      assertThat(before)
          .hasValue(
              "topic ledger.decisions is not reachable yet: not present in metadata after 0 ms");
      assertThat(after).isEmpty();
      assertThat(later).isEmpty();
    }
  }

  @Test
  void shouldStampWhatWasCountedWithItsOwnTime() {
    // Given
    ByteArraySerializer bytes = new ByteArraySerializer();
    MockProducer<byte[], byte[]> producer = new MockProducer<>(true, null, bytes, bytes);
    Decision.Rejected one =
        new Decision.Rejected("chat", "d-1", RejectionReason.POD_LIMIT, null, 1, 1_999);
    try (KafkaDecisionLog log = new KafkaDecisionLog(producer)) {
      // When
      log.send(one, false, (recorded, failure) -> {});
      log.send(one.lastOf(5, 1_001), false, (recorded, failure) -> {});
      // Then
      assertThat(producer.history())
          .extracting(ProducerRecord::timestamp)
          .containsExactly(null, 1_999L);
    }
  }

  @Test
  void shouldNeverBlockWhateverTheOperatorConfigured() {
    // When
    Map<String, Object> configuration =
        KafkaDecisionLog.configuration(
            Map.of(
                ProducerConfig.BOOTSTRAP_SERVERS_CONFIG,
                "127.0.0.1:1",
                ProducerConfig.LINGER_MS_CONFIG,
                4,
                ProducerConfig.MAX_BLOCK_MS_CONFIG,
                60_000,
                ProducerConfig.ACKS_CONFIG,
                "1"));
    // Then
    assertThat(configuration)
        .containsEntry(ProducerConfig.MAX_BLOCK_MS_CONFIG, 0)
        .containsEntry(ProducerConfig.ACKS_CONFIG, "all")
        .containsEntry(ProducerConfig.LINGER_MS_CONFIG, 4);
  }

  /** The real producer, without a broker: what its max.block.ms of 0 promises. */
  @Test
  void shouldReportAnUnreachableBrokerInsteadOfWaitingForIt() {
    // Given
    try (KafkaDecisionLog log =
        KafkaDecisionLog.connect(Map.of(ProducerConfig.BOOTSTRAP_SERVERS_CONFIG, "127.0.0.1:1"))) {
      // When
      var reason = log.unready();
      // Then
      assertThat(reason)
          .hasValueSatisfying(r -> assertThat(r).contains("Topic ledger.decisions not present"));
    }
  }
}
