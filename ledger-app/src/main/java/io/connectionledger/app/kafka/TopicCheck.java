package io.connectionledger.app.kafka;

import io.connectionledger.app.config.LedgerConfig;
import io.connectionledger.model.Topics;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.kafka.common.config.TopicConfig;

/**
 * Judges the settings of a topic that the ledger may not have made: fatal is what loses records or
 * refuses them, all else that differs only costs.
 */
final class TopicCheck {

  /** Kafka's default of {@code max.message.bytes}. */
  private static final int DEFAULT_MESSAGE_BYTES = 1_048_588;

  /** Their records grow with the number of pods, or of Envoys. */
  private static final Set<String> GROWING = Set.of(Topics.POLICIES, Topics.ENVOYS);

  private static final String UNLIMITED = "-1";

  private final String topic;
  private final Map<String, String> settings;
  private final List<Finding> findings = new ArrayList<>();

  /**
   * What is wrong with one setting.
   *
   * @param isFatal whether the ledger cannot be run so
   */
  record Finding(String topic, String setting, String value, String allowed, boolean isFatal) {

    @Override
    public String toString() {
      return "topic " + topic + ": " + setting + " is " + value + ": allowed is " + allowed;
    }
  }

  private TopicCheck(String topic, Map<String, String> settings) {
    this.topic = topic;
    this.settings = settings;
  }

  /**
   * All that is wrong with a topic, the fatal first.
   *
   * @param replicas of each partition
   * @param config says how they should be
   * @param settings by Kafka's names; what is not there is not judged
   */
  static List<Finding> findings(
      Topics.Spec topic, int replicas, LedgerConfig.Kafka config, Map<String, String> settings) {
    TopicCheck check = new TopicCheck(topic.name(), settings);
    check.cleanup(topic);
    check.retention(topic);
    check.retainedBytes(topic, config.retentionBytes());
    check.replicas(replicas, config.replication());
    check.size();
    return check.sorted();
  }

  /** {@link #findings} of a topic of Kafka Streams, whose other settings are its own. */
  static List<Finding> ofChangelog(
      String topic, int replicas, int wanted, Map<String, String> settings) {
    TopicCheck check = new TopicCheck(topic, settings);
    check.replicas(replicas, wanted);
    return check.sorted();
  }

  private List<Finding> sorted() {
    return Stream.concat(
            findings.stream().filter(Finding::isFatal),
            findings.stream().filter(finding -> !finding.isFatal()))
        .toList();
  }

  private void cleanup(Topics.Spec topic) {
    String value = settings.get(TopicConfig.CLEANUP_POLICY_CONFIG);
    if (value == null) {
      return;
    }
    Set<String> policies =
        Stream.of(value.split(",", -1)).map(String::strip).collect(Collectors.toSet());
    String wanted =
        topic.isCompacted()
            ? TopicConfig.CLEANUP_POLICY_COMPACT
            : TopicConfig.CLEANUP_POLICY_DELETE;
    if (!policies.equals(Set.of(wanted))) {
      String why =
          topic.isCompacted()
              ? ", as the latest record of each key must stay"
              : ", as every record of a key must stay";
      add(TopicConfig.CLEANUP_POLICY_CONFIG, value, wanted + why, true);
    }
  }

  private void retention(Topics.Spec topic) {
    if (topic.isCompacted()) {
      return;
    }
    String value = settings.get(TopicConfig.RETENTION_MS_CONFIG);
    if (value != null && !value.equals(UNLIMITED)) {
      long ms = Long.parseLong(value);
      long wantedMs = Long.parseLong(topic.configs().get(TopicConfig.RETENTION_MS_CONFIG));
      if (ms < topic.leastRetention().toMillis()) {
        add(
            TopicConfig.RETENTION_MS_CONFIG,
            value,
            topic.leastRetention().toMillis() + " (" + text(topic.leastRetention()) + ") or more",
            true);
      } else if (ms < wantedMs) {
        add(
            TopicConfig.RETENTION_MS_CONFIG,
            value,
            wantedMs
                + " ("
                + text(Duration.ofMillis(wantedMs))
                + ") or more, to reach as far back as the documentation says",
            false);
      }
    }
  }

  private void retainedBytes(Topics.Spec topic, long wanted) {
    String value = settings.get(TopicConfig.RETENTION_BYTES_CONFIG);
    if (value == null || topic.isCompacted()) {
      return;
    }
    boolean unlimited = value.equals(UNLIMITED);
    if (!topic.isFilledByOthers()) {
      if (!unlimited) {
        add(
            TopicConfig.RETENTION_BYTES_CONFIG,
            value,
            "-1, as a flood would push out records before their time",
            false);
      }
    } else if (unlimited || Long.parseLong(value) > wanted) {
      add(
          TopicConfig.RETENTION_BYTES_CONFIG,
          value,
          wanted + " (kafka.retention-bytes), as a flood could fill the disk",
          false);
    } else if (Long.parseLong(value) < wanted) {
      add(
          TopicConfig.RETENTION_BYTES_CONFIG,
          value,
          wanted + " (kafka.retention-bytes), to reach as far back",
          false);
    }
  }

  private void replicas(int replicas, int wanted) {
    if (replicas < wanted) {
      add("replicas", Integer.toString(replicas), wanted + ", as kafka.replication says", false);
    }
    String value = settings.get(TopicConfig.MIN_IN_SYNC_REPLICAS_CONFIG);
    if (value == null) {
      return;
    }
    int least = Integer.parseInt(value);
    if (least > replicas) {
      add(
          TopicConfig.MIN_IN_SYNC_REPLICAS_CONFIG,
          value,
          "up to the topic's replicas, which are " + replicas + ": it can never be written",
          true);
    } else if (least == 1 && replicas > 1) {
      add(
          TopicConfig.MIN_IN_SYNC_REPLICAS_CONFIG,
          value,
          "2 of " + replicas + " replicas, as what is acknowledged may be on one broker alone",
          false);
    }
  }

  private void size() {
    String value = settings.get(TopicConfig.MAX_MESSAGE_BYTES_CONFIG);
    if (value == null) {
      return;
    }
    int bytes = Integer.parseInt(value);
    if (bytes < Topics.LEAST_MESSAGE_BYTES) {
      add(
          TopicConfig.MAX_MESSAGE_BYTES_CONFIG,
          value,
          Topics.LEAST_MESSAGE_BYTES + " or more, which the largest records need",
          true);
    } else if (bytes < DEFAULT_MESSAGE_BYTES && GROWING.contains(topic)) {
      add(
          TopicConfig.MAX_MESSAGE_BYTES_CONFIG,
          value,
          DEFAULT_MESSAGE_BYTES + " or more, as its records grow with pods or Envoys",
          false);
    }
  }

  private void add(String setting, String value, String allowed, boolean fatal) {
    findings.add(new Finding(topic, setting, value, allowed, fatal));
  }

  private static String text(Duration duration) {
    return duration.toMinutesPart() == 0 ? duration.toHours() + "h" : duration.toMinutes() + "m";
  }
}
