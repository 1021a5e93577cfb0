package io.connectionledger.streams.history;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.connectionledger.model.PodAddress;
import io.connectionledger.model.Topics;
import io.connectionledger.model.event.Decision;
import io.connectionledger.model.event.LedgerRecord;
import io.connectionledger.model.event.Presence;
import io.connectionledger.model.event.RecordCodec;
import io.connectionledger.model.event.RejectionReason;
import io.connectionledger.model.policy.Pod;
import io.connectionledger.model.policy.PolicyCodec;
import io.connectionledger.model.policy.PolicyRecord;
import io.connectionledger.model.policy.PoolPolicy;
import io.connectionledger.streams.Partitions;
import io.connectionledger.testkit.PolicyFixtures;
import io.connectionledger.testkit.StoredTopics;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;

class TopicHistoryTest {

  private static final long BEGIN_MS = 1_800_000_000_000L;
  private static final List<String> TOPICS =
      List.of(Topics.POLICIES, Topics.ENVOYS, Topics.DECISIONS, Topics.CONNECTIONS);

  private final StoredTopics topics = new StoredTopics(TOPICS, 2);
  private final List<String> seen = new ArrayList<>();
  private final HistoryListener past =
      new HistoryListener() {
        @Override
        public void policy(int partition, PolicyRecord policy, long atMs) {
          seen.add("policy " + policy.policy().perPodMaxConnections() + " @" + (atMs - BEGIN_MS));
        }

        @Override
        public void presence(int partition, Presence presence, long atMs) {
          seen.add("presence @" + (atMs - BEGIN_MS));
        }

        @Override
        public void record(int partition, LedgerRecord record, long atMs) {
          seen.add("decision @" + (atMs - BEGIN_MS));
        }
      };

  private static int partition() {
    return Partitions.of("chat", 2);
  }

  private void policy(int limit, long atMs) {
    PoolPolicy policy =
        PolicyFixtures.limited(
            "chat", 1, 1, limit, List.of(new Pod("one", PodAddress.parse("10.0.0.1:80"))));
    topics.add(
        Topics.POLICIES,
        partition(),
        "chat".getBytes(UTF_8),
        PolicyCodec.encode(PolicyRecord.ofBase(policy, Set.of(), BEGIN_MS + atMs)),
        BEGIN_MS + atMs);
  }

  private void presence(long atMs) {
    topics.add(
        Topics.ENVOYS,
        partition(),
        "ingest".getBytes(UTF_8),
        RecordCodec.encode(new Presence("ingest", Map.of(), BEGIN_MS + atMs)),
        BEGIN_MS + atMs);
  }

  private void decision(long atMs) {
    decision("chat", atMs);
  }

  private void decision(String key, long atMs) {
    Decision decision =
        new Decision.Rejected(
            "chat", "id-" + atMs, RejectionReason.POD_LIMIT, null, 1, BEGIN_MS + atMs);
    topics.add(
        Topics.DECISIONS,
        partition(),
        key.getBytes(UTF_8),
        RecordCodec.encode(decision),
        BEGIN_MS + atMs);
  }

  private TopicHistory.Gaps read(long fromMs, long toMs) throws HistoryUnavailableException {
    try (TopicHistory history = StoredHistory.of(topics)) {
      return history.read("chat", BEGIN_MS + fromMs, BEGIN_MS + toMs, past, (records, total) -> {});
    }
  }

  @Test
  void shouldHandOutSeveralTopicsInTheOrderOfTheirTimes() throws Exception {
    policy(1, 0);
    for (int i = 1; i < 6_000; i++) {
      presence(10L * i);
    }
    for (long atMs : new long[] {5, 25, 25, 60_000, 70_000}) {
      decision(atMs);
    }
    policy(2, 26);

    TopicHistory.Gaps gaps = read(0, 60_000);

    assertThat(gaps).isEqualTo(new TopicHistory.Gaps(Map.of(), Map.of(), Set.of(), 0));
    assertThat(seen)
        .startsWith(
            "policy 1 @0",
            "decision @5",
            "presence @10",
            "presence @20",
            "decision @25",
            "decision @25",
            "policy 2 @26",
            "presence @30")
        .endsWith("presence @59990", "decision @60000")
        .hasSize(5_999 + 4 + 2);
  }

  @Test
  void shouldBeginAndEndAtTheMomentsThatWereAskedFor() throws Exception {
    policy(1, 0);
    policy(2, 150);
    policy(3, 350);
    for (int i = 1; i <= 5; i++) {
      decision(100L * i);
    }

    TopicHistory.Gaps gaps = read(200, 300);

    assertThat(gaps).isEqualTo(new TopicHistory.Gaps(Map.of(), Map.of(), Set.of(), 0));
    assertThat(seen)
        .containsExactly("policy 1 @0", "policy 2 @150", "decision @200", "decision @300");
  }

  @Test
  void shouldSayWhatIsNotKeptAnyMore() throws Exception {
    for (int i = 1; i <= 9; i++) {
      presence(10_000L * i);
      decision(10_000L * i);
    }
    topics.delete(Topics.DECISIONS, partition(), 4);
    policy(7, 80_000);

    TopicHistory.Gaps gaps = read(10_000, 70_000);
    seen.clear();
    TopicHistory.Gaps older = read(10_000, 20_000);

    assertThat(gaps.reachBackTo()).isEqualTo(Map.of(Topics.DECISIONS, BEGIN_MS + 50_000));
    assertThat(gaps.laterPolicies()).isEqualTo(Map.of("chat", BEGIN_MS + 80_000));
    assertThat(older.reachBackTo()).isEqualTo(Map.of(Topics.DECISIONS, BEGIN_MS + 20_000));
    assertThat(seen).containsExactly("policy 7 @10000", "presence @10000", "presence @20000");
  }

  @Test
  void shouldCountWhatNobodyCanRead() throws Exception {
    policy(1, 0);
    decision("another", 10);
    topics.add(Topics.CONNECTIONS, partition(), new byte[0], "{".getBytes(UTF_8), BEGIN_MS + 20);
    decision(30);

    assertThat(read(0, 100).unreadable()).isEqualTo(2);
    assertThat(seen).containsExactly("policy 1 @0", "decision @30");
  }

  @Test
  void shouldStopWhenItIsToldTo() {
    decision(10);

    assertThatThrownBy(
            () ->
                StoredHistory.of(topics)
                    .read(
                        null,
                        BEGIN_MS,
                        BEGIN_MS + 100,
                        past,
                        (records, total) -> {
                          throw new HistoryUnavailableException("enough of " + total);
                        }))
        .hasMessage("enough of 1");
    assertThat(seen).isEmpty();
  }

  @Test
  void shouldSayThatThereIsNoLedger() {
    StoredTopics none = new StoredTopics(List.of(), 1);

    assertThatThrownBy(
            () ->
                StoredHistory.of(none)
                    .read("chat", BEGIN_MS, BEGIN_MS, past, (records, total) -> {}))
        .isInstanceOf(HistoryUnavailableException.class)
        .hasMessage("there is no topic ledger.decisions");
  }
}
