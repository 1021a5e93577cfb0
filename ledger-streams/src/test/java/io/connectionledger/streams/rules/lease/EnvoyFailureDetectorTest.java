package io.connectionledger.streams.rules.lease;

import static org.assertj.core.api.Assertions.assertThat;

import io.connectionledger.model.event.ConnectionEvent.Closed;
import io.connectionledger.model.event.Presence;
import io.connectionledger.streams.rules.lease.EnvoyFailureDetector.Eviction;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class EnvoyFailureDetectorTest {

  private static final LeaseTerms TERMS =
      new LeaseTerms(Duration.ofSeconds(2), 3, Duration.ofSeconds(15));

  private final List<Eviction> verdicts = new ArrayList<>();
  private long nowMs = 1_000_000;
  private long stream = 1;
  private long intervalMs = TERMS.heartbeat().toMillis();
  private final EnvoyFailureDetector watch = new EnvoyFailureDetector(TERMS, nowMs);

  private void says(String ingest, String... envoys) {
    verdicts.addAll(watch.heard(new Presence(ingest, streams(envoys), nowMs), node -> intervalMs));
  }

  private Map<String, Long> streams(String... nodes) {
    return Stream.of(nodes).collect(Collectors.toMap(node -> node, node -> stream));
  }

  /** Both ingests are heard, each with its Envoys; null for a silent one. */
  private void pass(int seconds, String @Nullable [] first, String @Nullable [] second) {
    for (int i = 0; i < seconds * 10; i++) {
      nowMs += 100;
      if (nowMs % 1_000 == 0) {
        if (first != null) {
          says("ingest-1", first);
        }
        if (second != null) {
          says("ingest-2", second);
        }
      }
    }
  }

  private static String[] envoys(String... nodes) {
    return nodes;
  }

  private void settle() {
    pass(10, envoys("a", "b"), envoys());
    verdicts.clear();
  }

  @Test
  void shouldConcludeThatAnEnvoyIsGoneAHeartbeatAfterItsLastStream() {
    settle();
    says("ingest-1", "b");
    long goneMs = watch.nowMs();

    pass(1, envoys("b"), envoys());
    List<Eviction> early = List.copyOf(verdicts);
    pass(2, envoys("b"), envoys());

    assertThat(early).isEmpty();
    assertThat(verdicts).containsExactly(new Eviction("a", goneMs + 500, Closed.ENVOY_GONE));
  }

  @Test
  void shouldNotTakeAnEnvoyThatMovesToAnotherIngestForDead() {
    settle();
    says("ingest-1", "b");

    pass(10, envoys("b"), envoys("a"));

    assertThat(verdicts).extracting(Eviction::reason).containsOnly(Closed.UNREPORTED);
  }

  @Test
  void shouldNotTakeTheEnvoysOfAnIngestThatFallsSilentForDead() {
    settle();

    pass(60, null, envoys());

    assertThat(verdicts).isEmpty();
  }

  @Test
  void shouldLetTimePassAsTheIngestsTellIt() {
    settle();
    long beforeMs = watch.nowMs();

    pass(4, null, null);
    long silentMs = watch.nowMs() - beforeMs;
    says("ingest-1", "a", "b");
    long returnedMs = watch.nowMs() - beforeMs;
    pass(2, envoys("a", "b"), envoys());

    assertThat(silentMs).isZero();
    assertThat(returnedMs).isZero();
    assertThat(watch.nowMs() - beforeMs).isEqualTo(2_000);
  }

  private void isBehind(String ingest, long behindMs, String... envoys) {
    verdicts.addAll(
        watch.heard(
            new Presence(ingest, streams(envoys), nowMs, behindMs, List.of()), node -> intervalMs));
  }

  @Test
  void shouldLetNoTimePassWhileKafkaDoesNotTakeWhatOneOfThemHears() {
    settle();
    long beforeMs = watch.nowMs();
    for (int second = 1; second <= 60; second++) {
      nowMs += 1_000;
      isBehind("ingest-1", second * 1_000L, "a", "b");
      says("ingest-2");
    }
    long heldMs = watch.nowMs() - beforeMs;

    pass(2, envoys("a", "b"), envoys());

    assertThat(heldMs).isLessThanOrEqualTo(1_000);
    assertThat(watch.nowMs() - beforeMs - heldMs).isBetween(1_000L, 2_000L);
    assertThat(verdicts).isEmpty();
    pass(10, envoys("a", "b"), envoys());
    assertThat(verdicts).extracting(Eviction::reason).containsOnly(Closed.UNREPORTED);
  }

  @Test
  void shouldNotWaitForEverForWhatKafkaNeverTakes() {
    settle();
    long beforeMs = watch.nowMs();

    for (int second = 0; second < 10; second++) {
      nowMs += 1_000;
      isBehind("ingest-1", Duration.ofMinutes(6).toMillis(), "a", "b");
    }

    assertThat(watch.nowMs() - beforeMs).isEqualTo(10_000);
  }

  @Test
  void shouldNotBelieveAClockThatIsSet() {
    settle();
    long beforeMs = watch.nowMs();
    nowMs += 600_000;

    says("ingest-1", "a", "b");

    assertThat(watch.nowMs()).isEqualTo(beforeMs);
  }

  @Test
  void shouldAskForReportsWithinTwoHeartbeatsAfterASilence() {
    settle();
    pass(30, null, null);
    says("ingest-1", "a");
    long backMs = watch.nowMs();

    pass(4, envoys("a"), null);

    assertThat(verdicts).containsExactly(new Eviction("a", backMs + 500, Closed.UNREPORTED));
  }

  @Test
  void shouldKeepAnEnvoyWithOneOfTwoIngests() {
    pass(10, envoys("a"), envoys("a"));
    verdicts.clear();

    pass(10, envoys(), envoys("a"));

    assertThat(verdicts).isEmpty();
  }

  @Test
  void shouldAskForReportsWhenAnEnvoyBeginsAnotherStream() {
    settle();
    stream = 2;
    long brokeMs = watch.nowMs() + 1_000;

    pass(5, envoys("a", "b"), null);

    assertThat(verdicts)
        .containsExactlyInAnyOrder(
            new Eviction("a", brokeMs + 500, Closed.UNREPORTED),
            new Eviction("b", brokeMs + 500, Closed.UNREPORTED));
  }

  @Test
  void shouldConcludeThatAnEnvoyIsGoneThoughASilentIngestHadHeardIt() {
    pass(10, envoys("a"), envoys());
    pass(1, null, envoys("a"));
    verdicts.clear();
    long goneMs = watch.nowMs() + 1_000;

    pass(4, null, envoys());

    assertThat(verdicts).containsExactly(new Eviction("a", goneMs + 500, Closed.ENVOY_GONE));
  }

  @Test
  void shouldHearNoMoreIngestsThanThereMayBe() {
    EnvoyFailureDetector full =
        new EnvoyFailureDetector(
            new LeaseTerms(Duration.ofSeconds(10), 3, Duration.ofSeconds(15)), 1_000);
    for (int i = 0; i < EnvoyFailureDetector.MAX_INGESTS; i++) {
      full.learn(new Presence("ingest-" + i, Map.of(), 1_000));
    }

    var unheard = full.heard(new Presence("one-more", Map.of("envoy", 1L), 3_000), node -> 10_000);
    long afterOneMore = full.streamBeganMs();
    var heard = full.heard(new Presence("ingest-0", Map.of("envoy", 1L), 2_000), node -> 10_000);

    assertThat(unheard).isEmpty();
    assertThat(heard).isEmpty();
    assertThat(afterOneMore).isNegative();
    assertThat(full.streamBeganMs()).isEqualTo(2_000);
  }
}
