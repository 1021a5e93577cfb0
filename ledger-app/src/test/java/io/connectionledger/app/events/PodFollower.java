package io.connectionledger.app.events;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.PrintStream;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.StringDeserializer;

/**
 * An example for those who read the ledger's topics: follows {@code ledger.pods}, which is
 * compacted, so that reading it from the beginning gives every pod's last state. It needs no
 * consumer group, because it wants all partitions and remembers nothing. Knows nothing of the
 * ledger's code.
 */
public final class PodFollower {

  private static final String TOPIC = "ledger.pods";
  private static final ObjectMapper JSON = new ObjectMapper();

  private final Consumer<String, String> consumer;
  private final PrintStream out;
  private final Map<String, Pod> pods = new TreeMap<>();

  /** What this program needs of a record; it ignores all other fields, those to come included. */
  private record Pod(int active, int reserved, int limit, String state) {

    static Pod of(String json) throws IOException {
      JsonNode record = JSON.readTree(json);
      return new Pod(
          record.path("active").asInt(),
          record.path("reserved").asInt(),
          record.path("limit").asInt(),
          record.path("state").asText());
    }
  }

  PodFollower(Consumer<String, String> consumer, PrintStream out) {
    this.consumer = consumer;
    this.out = out;
  }

  /** Prints what is there, then each change until the process ends. */
  public static void main(String[] args) throws IOException {
    if (args.length != 1) {
      System.err.println("usage: PodFollower BOOTSTRAP_SERVERS");
      System.exit(2);
    }
    StringDeserializer text = new StringDeserializer();
    try (KafkaConsumer<String, String> consumer =
        new KafkaConsumer<>(Map.of("bootstrap.servers", args[0]), text, text)) {
      PodFollower follower = new PodFollower(consumer, System.out);
      follower.catchUp();
      while (!System.out.checkError()) {
        follower.poll(Duration.ofSeconds(1));
      }
    }
  }

  /** Reads all that is there, and prints every pod once. */
  void catchUp() throws IOException {
    List<TopicPartition> partitions =
        consumer.partitionsFor(TOPIC).stream()
            .map(partition -> new TopicPartition(TOPIC, partition.partition()))
            .toList();
    consumer.assign(partitions);
    consumer.seekToBeginning(partitions);
    Map<TopicPartition, Long> ends = consumer.endOffsets(partitions);
    while (ends.entrySet().stream()
        .anyMatch(end -> consumer.position(end.getKey()) < end.getValue())) {
      for (ConsumerRecord<String, String> record : consumer.poll(Duration.ofSeconds(1))) {
        take(record);
      }
    }
    pods.keySet().forEach(this::print);
  }

  /** Waits for changes and prints them. */
  void poll(Duration timeout) throws IOException {
    for (ConsumerRecord<String, String> record : consumer.poll(timeout)) {
      take(record);
      print(record.key());
    }
  }

  private void take(ConsumerRecord<String, String> record) throws IOException {
    if (record.value() == null) {
      pods.remove(record.key());
    } else {
      pods.put(record.key(), Pod.of(record.value()));
    }
  }

  private void print(String key) {
    Pod pod = pods.get(key);
    out.println(
        pod == null
            ? key + " is gone"
            : "%s holds %d of %d%s, %s"
                .formatted(
                    key,
                    pod.active(),
                    pod.limit(),
                    pod.reserved() > 0 ? " (and " + pod.reserved() + " to come)" : "",
                    pod.state()));
  }
}
