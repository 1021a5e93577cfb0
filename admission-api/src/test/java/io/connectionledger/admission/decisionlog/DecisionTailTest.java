package io.connectionledger.admission.decisionlog;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.connectionledger.admission.decisionlog.DecisionArchive.Latest;
import io.connectionledger.model.PodAddress;
import io.connectionledger.model.Ticker;
import io.connectionledger.model.Topics;
import io.connectionledger.model.event.ConnectionIds;
import io.connectionledger.model.event.Decision;
import io.connectionledger.model.event.RecordCodec;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.MockConsumer;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.Node;
import org.apache.kafka.common.PartitionInfo;
import org.apache.kafka.common.TopicPartition;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(30)
class DecisionTailTest {

  private static final TopicPartition PARTITION = new TopicPartition(Topics.DECISIONS, 0);

  private final MockConsumer<byte[], byte[]> topic = new MockConsumer<>("latest");
  private final AtomicInteger readers = new AtomicInteger();
  private final DecisionTail tail =
      new DecisionTail(
          () -> {
            readers.incrementAndGet();
            return topic;
          },
          Ticker.system());
  private long end;

  DecisionTailTest() {
    topic.updatePartitions(
        Topics.DECISIONS,
        List.of(new PartitionInfo(Topics.DECISIONS, 0, Node.noNode(), new Node[0], new Node[0])));
    topic.updateBeginningOffsets(Map.of(PARTITION, 0L));
    topic.updateEndOffsets(Map.of(PARTITION, 0L));
  }

  @AfterEach
  void stop() {
    tail.close();
    assertThat(topic.closed()).isTrue();
  }

  private void decide(String pool, int count) {
    topic.schedulePollTask(
        () -> {
          for (int i = 0; i < count; i++) {
            Decision decision =
                new Decision.Allowed(
                    pool, ConnectionIds.next(1), PodAddress.parse("10.0.0.1:80"), 0, 1);
            topic.addRecord(
                new ConsumerRecord<>(
                    Topics.DECISIONS,
                    0,
                    end++,
                    pool.getBytes(UTF_8),
                    RecordCodec.encode(decision)));
          }
          topic.updateEndOffsets(Map.of(PARTITION, end));
        });
  }

  @Test
  void shouldGiveWhatIsNewSinceTheLastAnswerOfThePoolAlone() throws Exception {
    Latest before = tail.latest("chat", 0, 10);
    assertThat(before.decisions()).isEmpty();

    decide("chat", 2);
    decide("other", 3);
    decide("chat", 1);
    await().untilAsserted(() -> assertThat(tail.latest("chat", 0, 10).decisions()).hasSize(3));
    Latest first = tail.latest("chat", before.next(), 10);
    decide("chat", 1);
    await()
        .untilAsserted(
            () -> assertThat(tail.latest("chat", first.next(), 10).decisions()).hasSize(1));

    assertThat(first.more()).isFalse();
    assertThat(readers).hasValue(1);
  }

  @Test
  void shouldSayThatSomeAreLeftOut() throws Exception {
    tail.latest("chat", 0, 10);
    decide("chat", 700);
    await().untilAsserted(() -> assertThat(tail.latest("chat", 0, 10).next()).isEqualTo(700));

    Latest latest = tail.latest("chat", 1, 10);

    assertThat(latest.decisions()).hasSize(10);
    assertThat(latest.more()).isTrue();
    assertThat(tail.latest("chat", 0, 1_000).decisions()).hasSize(500);
  }

  @Test
  void shouldSayInOneLineThatKafkaIsAwayAndTryAgainWhenAsked() throws Exception {
    AtomicInteger tries = new AtomicInteger();
    DecisionTail away =
        new DecisionTail(
            () -> {
              if (tries.incrementAndGet() == 1) {
                throw new KafkaException("nobody there");
              }
              return topic;
            },
            Ticker.system());

    assertThatThrownBy(() -> away.latest("chat", 0, 10))
        .isInstanceOf(IOException.class)
        .hasMessage("ledger.decisions cannot be read now: nobody there");
    assertThat(away.latest("chat", 0, 10).decisions()).isEmpty();
    away.close();
  }
}
