package io.connectionledger.app.tail;

import io.connectionledger.app.cli.FailedException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.consumer.CloseOptions;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndTimestamp;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.PartitionInfo;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;

/**
 * The records of some topics as they come, read without a consumer group: it leaves no trace in the
 * cluster. Not thread-safe.
 */
final class TopicTail implements AutoCloseable {

  private static final Duration PATIENCE = Duration.ofSeconds(10);
  private static final Duration POLL = Duration.ofMillis(200);

  private final Consumer<byte[], byte[]> consumer;

  private TopicTail(Consumer<byte[], byte[]> consumer) {
    this.consumer = consumer;
  }

  /**
   * Connects.
   *
   * @param nowMs milliseconds since the epoch
   * @throws FailedException when there is no such cluster, or it has no such topics
   */
  static TopicTail open(
      Map<String, Object> kafka, Collection<String> topics, Start start, long nowMs)
      throws FailedException {
    String servers = String.valueOf(kafka.get(ConsumerConfig.BOOTSTRAP_SERVERS_CONFIG));
    Map<String, Object> configuration = new HashMap<>(kafka);
    configuration.put(ConsumerConfig.CLIENT_ID_CONFIG, "ledger-tail");
    configuration.put(ConsumerConfig.ENABLE_AUTO_COMMIT_CONFIG, false);
    configuration.put(ConsumerConfig.ALLOW_AUTO_CREATE_TOPICS_CONFIG, false);
    configuration.put(ConsumerConfig.ENABLE_METRICS_PUSH_CONFIG, false);
    ByteArrayDeserializer bytes = new ByteArrayDeserializer();
    try {
      TopicTail tail = new TopicTail(new KafkaConsumer<>(configuration, bytes, bytes));
      boolean opened = false;
      try {
        tail.seek(topics, start, nowMs);
        opened = true;
        return tail;
      } finally {
        if (!opened) {
          tail.close();
        }
      }
    } catch (KafkaException unusable) {
      String why =
          unusable.getCause() == null ? unusable.getMessage() : unusable.getCause().getMessage();
      throw FailedException.failed("Kafka at " + servers + " cannot be read: " + why).by(unusable);
    }
  }

  private void seek(Collection<String> topics, Start start, long nowMs) throws FailedException {
    List<TopicPartition> partitions = new ArrayList<>();
    for (String topic : topics) {
      List<PartitionInfo> known = consumer.partitionsFor(topic, PATIENCE);
      if (known == null || known.isEmpty()) {
        throw FailedException.failed("Kafka has no topic " + topic + ": is it the ledger's?");
      }
      known.forEach(one -> partitions.add(new TopicPartition(topic, one.partition())));
    }
    consumer.assign(partitions);
    switch (start) {
      case Start.Beginning all -> consumer.seekToBeginning(partitions);
      case Start.Now none -> consumer.seekToEnd(partitions);
      case Start.Ago ago -> seek(partitions, nowMs - ago.time().toMillis());
    }
    // Seeking is lazy: what is produced from now on must be seen.
    partitions.forEach(partition -> consumer.position(partition, PATIENCE));
  }

  private void seek(List<TopicPartition> partitions, long fromMs) {
    Map<TopicPartition, Long> times = new HashMap<>();
    partitions.forEach(partition -> times.put(partition, fromMs));
    Map<TopicPartition, OffsetAndTimestamp> firsts = consumer.offsetsForTimes(times, PATIENCE);
    for (TopicPartition partition : partitions) {
      OffsetAndTimestamp first = firsts.get(partition);
      if (first == null) {
        consumer.seekToEnd(List.of(partition));
      } else {
        consumer.seek(partition, first.offset());
      }
    }
  }

  /** What has come, for a moment at most; in the order of time as far as it came together. */
  List<ConsumerRecord<byte[], byte[]>> next() {
    List<ConsumerRecord<byte[], byte[]>> records = new ArrayList<>();
    consumer.poll(POLL).forEach(records::add);
    records.sort(Comparator.comparingLong(ConsumerRecord::timestamp));
    return records;
  }

  @Override
  public void close() {
    // It commits nothing and is in no group: it would only wait for the end of a fetch that waits.
    consumer.close(CloseOptions.timeout(Duration.ZERO));
  }
}
