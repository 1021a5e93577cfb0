package io.connectionledger.admission.decisionlog;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.connectionledger.model.PodAddress;
import io.connectionledger.model.Ticker;
import io.connectionledger.model.Topics;
import io.connectionledger.model.event.ConnectionIds;
import io.connectionledger.model.event.Decision;
import io.connectionledger.model.event.DecisionInputs;
import io.connectionledger.model.event.RecordCodec;
import io.connectionledger.model.event.RejectionReason;
import io.connectionledger.testkit.ManualTicker;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.MockConsumer;
import org.apache.kafka.clients.consumer.OffsetAndTimestamp;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.Node;
import org.apache.kafka.common.PartitionInfo;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.common.record.TimestampType;
import org.junit.jupiter.api.Test;

class KafkaDecisionArchiveTest {

  private static final long NOW_MS = 1_800_000_000_000L;

  private final List<ConsumerRecord<byte[], byte[]>> topic = new ArrayList<>();
  private final KafkaDecisionArchive archive =
      new KafkaDecisionArchive(
          () -> new Topic(topic),
          new DecisionTail(() -> new Topic(topic), () -> NOW_MS * 1_000_000),
          () -> NOW_MS * 1_000_000);

  /** A topic of two partitions. */
  private static class Topic extends MockConsumer<byte[], byte[]> {
    private final List<ConsumerRecord<byte[], byte[]>> records;

    Topic(List<ConsumerRecord<byte[], byte[]>> records) {
      super("earliest");
      this.records = records;
      List<PartitionInfo> partitions = new ArrayList<>();
      for (int i = 0; i < 2; i++) {
        partitions.add(
            new PartitionInfo(Topics.DECISIONS, i, Node.noNode(), new Node[0], new Node[0]));
        long end = count(i);
        updateEndOffsets(Map.of(new TopicPartition(Topics.DECISIONS, i), end));
        updateBeginningOffsets(Map.of(new TopicPartition(Topics.DECISIONS, i), 0L));
      }
      updatePartitions(Topics.DECISIONS, partitions);
    }

    private long count(int partition) {
      return records.stream().filter(record -> record.partition() == partition).count();
    }

    @Override
    public synchronized void assign(Collection<TopicPartition> partitions) {
      super.assign(partitions);
      records.stream()
          .filter(
              record -> partitions.contains(new TopicPartition(record.topic(), record.partition())))
          .forEach(this::addRecord);
    }

    @Override
    public synchronized Map<TopicPartition, OffsetAndTimestamp> offsetsForTimes(
        Map<TopicPartition, Long> times, Duration timeout) {
      // As the real one has it.
      times.values().forEach(time -> assertThat(time).isNotNegative());
      Map<TopicPartition, OffsetAndTimestamp> found = new HashMap<>();
      times.forEach(
          (partition, time) ->
              records.stream()
                  .filter(record -> record.partition() == partition.partition())
                  .filter(record -> record.timestamp() >= time)
                  .findFirst()
                  .ifPresent(
                      record ->
                          found.put(
                              partition,
                              new OffsetAndTimestamp(record.offset(), record.timestamp()))));
      return found;
    }
  }

  private void stored(int partition, long atMs, byte[] value) {
    long offset = topic.stream().filter(record -> record.partition() == partition).count();
    topic.add(
        new ConsumerRecord<>(
            Topics.DECISIONS,
            partition,
            offset,
            atMs,
            TimestampType.CREATE_TIME,
            4,
            value.length,
            "chat".getBytes(StandardCharsets.UTF_8),
            value,
            new RecordHeaders(),
            Optional.empty()));
  }

  private static Decision.Rejected rejected(long atMs) {
    return new Decision.Rejected(
        "chat",
        ConnectionIds.next(atMs),
        RejectionReason.RATE_LIMITED,
        null,
        3,
        atMs,
        null,
        new DecisionInputs(null, 0.0, 3, 0, 1, 0, 10, null, 200L));
  }

  @Test
  void shouldFindADecisionAmongThoseOfItsTime() throws IOException {
    List<Decision> decisions = new ArrayList<>();
    for (int i = 0; i < 500; i++) {
      long atMs = NOW_MS - 3_600_000 + i * 100L;
      Decision decision =
          i % 2 == 0
              ? rejected(atMs)
              : new Decision.Allowed(
                  "chat", ConnectionIds.next(atMs), new PodAddress("10.0.0.1", 80), 0, atMs);
      decisions.add(decision);
      stored(i % 3 == 0 ? 1 : 0, atMs + 3, RecordCodec.encode(decision));
    }

    for (Decision decision : List.of(decisions.get(0), decisions.get(251), decisions.get(499))) {
      assertThat(archive.find(decision.id())).contains(decision);
    }
  }

  @Test
  void shouldFindNothingThatIsNotThere() throws IOException {
    stored(0, NOW_MS, "{ poison".getBytes(StandardCharsets.UTF_8));
    stored(0, NOW_MS, RecordCodec.encode(rejected(NOW_MS)));

    assertThat(archive.find(ConnectionIds.next(NOW_MS))).isEmpty();
    assertThat(archive.find(ConnectionIds.next(NOW_MS + 60_000))).isEmpty();
    assertThat(archive.find("not an id")).isEmpty();
  }

  /** Kafka refuses to look for a time before the epoch, which was a 500 with a stack trace. */
  @Test
  void shouldFindNothingOfAnIdThatSaysToBeFromTheBeginningOfTime() throws IOException {
    stored(0, NOW_MS, RecordCodec.encode(rejected(NOW_MS)));

    assertThat(archive.find("AAAAAAAAAAAAAAAA")).isEmpty();
  }

  @Test
  void shouldSayInOneLineThatKafkaIsAway() {
    KafkaDecisionArchive away =
        new KafkaDecisionArchive(
            () -> {
              throw new KafkaException("nobody there");
            },
            new DecisionTail(() -> new Topic(topic), () -> NOW_MS * 1_000_000),
            () -> NOW_MS * 1_000_000);

    assertThatThrownBy(() -> away.find(ConnectionIds.next(NOW_MS)))
        .isInstanceOf(IOException.class)
        .hasMessage("ledger.decisions cannot be read: nobody there");
  }

  @Test
  void shouldLookForOneDecisionAtATime() throws IOException {
    List<String> second = new ArrayList<>();
    List<KafkaDecisionArchive> it = new ArrayList<>();
    it.add(
        archive(
            () -> {
              try {
                second.add("found " + it.getFirst().find(ConnectionIds.next(NOW_MS)));
              } catch (IOException refused) {
                second.add(refused.getMessage());
              }
              return new Topic(topic);
            },
            () -> NOW_MS * 1_000_000));

    assertThat(it.getFirst().find(ConnectionIds.next(NOW_MS))).isEmpty();

    assertThat(second).containsExactly("another decision is being looked for, ask again");
  }

  @Test
  void shouldLookForSoLong() {
    ManualTicker ticker = new ManualTicker();
    stored(0, ticker.nowMs(), RecordCodec.encode(rejected(ticker.nowMs())));
    KafkaDecisionArchive slow =
        archive(
            () ->
                new Topic(topic) {
                  @Override
                  public synchronized ConsumerRecords<byte[], byte[]> poll(Duration timeout) {
                    ticker.advance(Duration.ofSeconds(1));
                    return ConsumerRecords.empty();
                  }
                },
            ticker);

    assertThatThrownBy(() -> slow.find(ConnectionIds.next(ticker.nowMs())))
        .isInstanceOf(IOException.class)
        .hasMessage("not found within 5 s");
  }

  private KafkaDecisionArchive archive(
      Supplier<Consumer<byte[], byte[]>> consumers, Ticker ticker) {
    return new KafkaDecisionArchive(
        consumers, new DecisionTail(() -> new Topic(topic), ticker), ticker);
  }
}
