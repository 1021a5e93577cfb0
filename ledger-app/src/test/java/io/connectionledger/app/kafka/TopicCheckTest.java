package io.connectionledger.app.kafka;

import static org.assertj.core.api.Assertions.assertThat;

import io.connectionledger.app.config.LedgerConfig;
import io.connectionledger.model.Topics;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class TopicCheckTest {

  private static final LedgerConfig.Kafka CONFIG =
      new LedgerConfig.Kafka(
          "broker:9092",
          new LedgerConfig.Listener("127.0.0.1", 0),
          12,
          (short) 3,
          1_000_000_000,
          Map.of());

  private static Topics.Spec spec(String name) {
    return Topics.ALL.stream()
        .filter(topic -> topic.name().equals(name))
        .findFirst()
        .orElseThrow(() -> new IllegalArgumentException(name));
  }

  private static List<TopicCheck.Finding> findings(String topic, String setting, String value) {
    Map<String, String> settings = new HashMap<>(spec(topic).configs());
    settings.put("max.message.bytes", "1048588");
    settings.put("min.insync.replicas", "2");
    settings.put("retention.bytes", spec(topic).isFilledByOthers() ? "1000000000" : "-1");
    settings.put(setting, value);
    return TopicCheck.findings(spec(topic), 3, CONFIG, settings);
  }

  @Test
  void shouldFindNothingAboutATopicAsTheLedgerMakesIt() {
    for (Topics.Spec topic : Topics.ALL) {
      assertThat(findings(topic.name(), "min.insync.replicas", "2")).as(topic.name()).isEmpty();
    }
  }

  @ParameterizedTest
  @CsvSource({
    "ledger.policies,    cleanup.policy,      delete",
    "ledger.policies,    cleanup.policy,      'compact,delete'",
    "ledger.pods,        cleanup.policy,      delete",
    "ledger.connections, cleanup.policy,      compact",
    "ledger.decisions,   cleanup.policy,      'delete,compact'",
    "ledger.connections, retention.ms,        7199999",
    "ledger.envoys,      retention.ms,        1000",
    "ledger.decisions,   min.insync.replicas, 4",
    "ledger.connections, max.message.bytes,   131071",
  })
  void shouldRefuseWhatLosesRecords(String topic, String setting, String value) {
    assertThat(findings(topic, setting, value))
        .singleElement()
        .satisfies(
            finding -> {
              assertThat(finding.isFatal()).isTrue();
              assertThat(finding.toString())
                  .startsWith("topic " + topic + ": " + setting + " is " + value + ": allowed is ");
            });
  }

  @ParameterizedTest
  @CsvSource({
    "ledger.connections,  retention.ms,        7200000",
    "ledger.dead-letters, retention.ms,        1",
    "ledger.decisions,    retention.bytes,     999999999",
    "ledger.dead-letters, retention.bytes,     -1",
    "ledger.connections,  retention.bytes,     1000000001",
    "ledger.owners,       retention.bytes,     1000000000",
    "ledger.decisions,    min.insync.replicas, 1",
    "ledger.policies,     max.message.bytes,   131072",
  })
  void shouldWarnOfWhatOnlyCosts(String topic, String setting, String value) {
    assertThat(findings(topic, setting, value))
        .singleElement()
        .extracting(TopicCheck.Finding::isFatal)
        .isEqualTo(false);
  }

  @ParameterizedTest
  @CsvSource({
    "ledger.connections,  retention.ms,        -1",
    "ledger.connections,  retention.ms,        604800000",
    "ledger.dead-letters, retention.bytes,     1000000000",
    "ledger.connections,  max.message.bytes,   131072",
    "ledger.policies,     retention.ms,        1",
  })
  void shouldTakeWhatDoesNoHarm(String topic, String setting, String value) {
    assertThat(findings(topic, setting, value)).isEmpty();
  }

  @Test
  void shouldNameTheFatalFirst() {
    assertThat(
            TopicCheck.findings(
                spec(Topics.DECISIONS),
                3,
                CONFIG,
                Map.of("min.insync.replicas", "1", "max.message.bytes", "1000")))
        .extracting(TopicCheck.Finding::setting)
        .containsExactly("max.message.bytes", "min.insync.replicas");
  }

  @Test
  void shouldWarnOfFewerReplicasThanAreConfigured() {
    assertThat(
            TopicCheck.ofChangelog(
                "connection-ledger-history-changelog", 2, 3, Map.of("min.insync.replicas", "1")))
        .extracting(TopicCheck.Finding::toString)
        .containsExactly(
            "topic connection-ledger-history-changelog: replicas is 2: allowed is 3, as"
                + " kafka.replication says",
            "topic connection-ledger-history-changelog: min.insync.replicas is 1: allowed is 2 of"
                + " 2 replicas, as what is acknowledged may be on one broker alone");
    assertThat(TopicCheck.findings(spec(Topics.PODS), 1, CONFIG, Map.of()))
        .singleElement()
        .extracting(TopicCheck.Finding::isFatal)
        .isEqualTo(false);
  }
}
