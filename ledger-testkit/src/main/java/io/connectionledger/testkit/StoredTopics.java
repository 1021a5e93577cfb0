package io.connectionledger.testkit;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.MockConsumer;
import org.apache.kafka.clients.consumer.OffsetAndTimestamp;
import org.apache.kafka.common.Node;
import org.apache.kafka.common.PartitionInfo;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.common.record.TimestampType;

/** Topics that a test fills and a consumer reads, by offset or by time. */
public final class StoredTopics {

  private final Map<TopicPartition, List<ConsumerRecord<byte[], byte[]>>> records =
      new LinkedHashMap<>();
  private final Map<TopicPartition, Long> beginnings = new HashMap<>();

  /** Empty topics. */
  public StoredTopics(List<String> topics, int partitions) {
    for (String topic : topics) {
      for (int i = 0; i < partitions; i++) {
        records.put(new TopicPartition(topic, i), new ArrayList<>());
      }
    }
  }

  /** Adds a record to the end of a partition. */
  public void add(String topic, int partition, byte[] key, byte[] value, long atMs) {
    List<ConsumerRecord<byte[], byte[]>> stored = of(new TopicPartition(topic, partition));
    stored.add(
        new ConsumerRecord<>(
            topic,
            partition,
            stored.size(),
            atMs,
            TimestampType.CREATE_TIME,
            key.length,
            value.length,
            key,
            value,
            new RecordHeaders(),
            Optional.empty()));
  }

  /** Has the first {@code count} records of a partition deleted, as retention does. */
  public void delete(String topic, int partition, long count) {
    beginnings.put(new TopicPartition(topic, partition), count);
  }

  private List<ConsumerRecord<byte[], byte[]>> of(TopicPartition partition) {
    return records.getOrDefault(partition, List.of());
  }

  /** A new consumer of them, which finds what is stored when it is made. */
  public MockConsumer<byte[], byte[]> consumer() {
    return new StoredConsumer();
  }

  private final class StoredConsumer extends MockConsumer<byte[], byte[]> {

    StoredConsumer() {
      super("earliest");
      Map<String, List<PartitionInfo>> infos = new HashMap<>();
      records.forEach(
          (partition, stored) -> {
            updateBeginningOffsets(Map.of(partition, beginnings.getOrDefault(partition, 0L)));
            updateEndOffsets(Map.of(partition, (long) stored.size()));
            infos
                .computeIfAbsent(partition.topic(), topic -> new ArrayList<>())
                .add(
                    new PartitionInfo(
                        partition.topic(),
                        partition.partition(),
                        Node.noNode(),
                        new Node[0],
                        new Node[0]));
          });
      infos.forEach(this::updatePartitions);
    }

    @Override
    public synchronized void assign(Collection<TopicPartition> partitions) {
      super.assign(partitions);
      partitions.forEach(
          partition ->
              of(partition).stream()
                  .skip(beginnings.getOrDefault(partition, 0L))
                  .forEach(this::addRecord));
    }

    @Override
    public synchronized Map<TopicPartition, OffsetAndTimestamp> offsetsForTimes(
        Map<TopicPartition, Long> times, Duration timeout) {
      Map<TopicPartition, OffsetAndTimestamp> found = new HashMap<>();
      times.forEach(
          (partition, time) ->
              of(partition).stream()
                  .skip(beginnings.getOrDefault(partition, 0L))
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
}
