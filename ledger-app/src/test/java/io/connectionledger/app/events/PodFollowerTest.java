package io.connectionledger.app.events;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.MockConsumer;
import org.apache.kafka.common.Node;
import org.apache.kafka.common.PartitionInfo;
import org.apache.kafka.common.TopicPartition;
import org.junit.jupiter.api.Test;

class PodFollowerTest {

  private static final String TOPIC = "ledger.pods";

  private final MockConsumer<String, String> kafka = new MockConsumer<>("earliest");
  private final ByteArrayOutputStream written = new ByteArrayOutputStream();
  private final PodFollower follower =
      new PodFollower(kafka, new PrintStream(written, true, UTF_8));
  private long offset;

  @Test
  void shouldTellTheLastStateOfEachPodAndThenEveryChange() throws IOException {
    // Given
    kafka.updatePartitions(
        TOPIC,
        IntStream.range(0, 2)
            .mapToObj(
                partition ->
                    new PartitionInfo(TOPIC, partition, Node.noNode(), new Node[0], new Node[0]))
            .toList());
    kafka.updateBeginningOffsets(Map.of(partition(0), 0L, partition(1), 0L));
    kafka.updateEndOffsets(Map.of(partition(0), 4L, partition(1), 0L));
    kafka.schedulePollTask(
        () -> {
          add("chat|chat-0", pod(1, 1, "available"));
          add("chat|chat-1", pod(2, 0, "full"));
          add("chat|chat-0", pod(2, 0, "full"));
          add("chat|chat-1", null);
        });
    follower.catchUp();
    // When
    add("chat|chat-0", pod(1, 1, "somethingNew"));
    add("chat|chat-0", null);
    follower.poll(Duration.ZERO);
    // Then
    assertThat(written.toString(UTF_8).lines().toList())
        .isEqualTo(
            List.of(
                "chat|chat-0 holds 2 of 2, full",
                "chat|chat-0 holds 1 of 2 (and 1 to come), somethingNew",
                "chat|chat-0 is gone"));
  }

  private void add(String key, String value) {
    kafka.addRecord(new ConsumerRecord<>(TOPIC, 0, offset++, key, value));
  }

  private static String pod(int active, int reserved, String state) {
    return """
        {"active":%d,"reserved":%d,"limit":2,"state":"%s","later":{"a":[1]}}"""
        .formatted(active, reserved, state);
  }

  private static TopicPartition partition(int number) {
    return new TopicPartition(TOPIC, number);
  }
}
