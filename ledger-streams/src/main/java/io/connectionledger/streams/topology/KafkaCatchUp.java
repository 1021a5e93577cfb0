package io.connectionledger.streams.topology;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.ListOffsetsResult.ListOffsetsResultInfo;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;

/** {@link CatchUp} from the offsets that the cluster knows. Thread-safe. */
final class KafkaCatchUp implements CatchUp {

  private final Admin admin;
  private final String group;
  private final List<String> topics;

  KafkaCatchUp(Admin admin, String group, List<String> topics) {
    this.admin = admin;
    this.group = group;
    this.topics = topics;
  }

  @Override
  public CompletionStage<Map<String, Long>> remaining(int partition) {
    List<TopicPartition> inputs =
        topics.stream().map(topic -> new TopicPartition(topic, partition)).toList();
    var ends = offsets(inputs, OffsetSpec.latest());
    var starts = offsets(inputs, OffsetSpec.earliest());
    var committed =
        admin
            .listConsumerGroupOffsets(group)
            .partitionsToOffsetAndMetadata()
            .toCompletionStage()
            .toCompletableFuture();
    return ends.thenCombine(
            starts,
            (end, start) ->
                committed.thenApply(position -> remaining(inputs, end, start, position)))
        .thenCompose(Function.identity());
  }

  private CompletionStage<Map<TopicPartition, ListOffsetsResultInfo>> offsets(
      List<TopicPartition> inputs, OffsetSpec spec) {
    return admin
        .listOffsets(inputs.stream().collect(Collectors.toMap(Function.identity(), input -> spec)))
        .all()
        .toCompletionStage();
  }

  private static Map<String, Long> remaining(
      List<TopicPartition> inputs,
      Map<TopicPartition, ListOffsetsResultInfo> ends,
      Map<TopicPartition, ListOffsetsResultInfo> starts,
      Map<TopicPartition, OffsetAndMetadata> committed) {
    Map<String, Long> remaining = new HashMap<>();
    for (TopicPartition input : inputs) {
      long end = Objects.requireNonNull(ends.get(input)).offset();
      long start = Objects.requireNonNull(starts.get(input)).offset();
      OffsetAndMetadata position = committed.get(input);
      long next = Math.max(start, position == null ? 0 : position.offset());
      if (next < end) {
        remaining.put(input.topic(), end);
      }
    }
    return remaining;
  }
}
