package io.connectionledger.streams.simulation;

import static org.assertj.core.api.Assertions.assertThat;

import io.connectionledger.model.PodAddress;
import io.connectionledger.model.event.ConnectionEvent.Alive;
import io.connectionledger.model.event.ConnectionEvent.Closed;
import io.connectionledger.model.event.ConnectionEvent.Failed;
import io.connectionledger.model.event.ConnectionEvent.Opened;
import io.connectionledger.model.event.ConnectionIds;
import io.connectionledger.model.event.Decision;
import io.connectionledger.model.event.LedgerRecord;
import io.connectionledger.model.event.RejectionReason;
import io.connectionledger.model.policy.Pod;
import io.connectionledger.model.policy.PolicyRecord;
import io.connectionledger.model.policy.PoolPolicy;
import io.connectionledger.model.view.Simulation;
import io.connectionledger.model.view.Simulation.Peak;
import io.connectionledger.model.view.Simulations.Request;
import io.connectionledger.streams.Seeds;
import io.connectionledger.streams.rules.lease.LeaseTerms;
import io.connectionledger.testkit.PolicyFixtures;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;

/**
 * Windows decided again. The random ones are told in {@link LivePool}; {@code -Dledger.seed=N}
 * replays one, {@code -Dledger.seeds=N} runs another number of them.
 */
class SimulatorTest {

  static final LeaseTerms TERMS = new LeaseTerms(Duration.ofSeconds(1), 3, Duration.ofSeconds(2));
  private static final long BEGIN_MS = 1_800_000_000_000L;
  private static final PodAddress POD = PodAddress.parse("10.0.0.1:80");
  private static final PodAddress OTHER = PodAddress.parse("10.0.0.2:80");

  private final Recording recording = new Recording("chat", TERMS, BEGIN_MS, 1_000_000);

  private static PoolPolicy policy(double rate, int burst, int limit, int pods) {
    return PolicyFixtures.limited("chat", rate, burst, limit, PolicyFixtures.pods(pods));
  }

  static UnaryOperator<PoolPolicy> limits(double rate, int burst, int limit) {
    return before ->
        new PoolPolicy(
                before.pool(),
                rate,
                burst,
                limit,
                before.mode(),
                before.onOwnerLoss(),
                before.pods())
            .placing(before.placement(), before.affinity(), before.slowStart());
  }

  private void follow(PoolPolicy policy) {
    recording.policy(0, PolicyRecord.ofBase(policy, Set.of(), BEGIN_MS), BEGIN_MS);
  }

  private void allowed(String id, PodAddress pod, long atMs) {
    write(new Decision.Allowed("chat", id, pod, 0, BEGIN_MS + atMs));
  }

  private void rejected(String id, RejectionReason reason, long atMs) {
    write(new Decision.Rejected("chat", id, reason, null, 1, BEGIN_MS + atMs));
  }

  private void opened(String id, PodAddress pod, long atMs) {
    write(new Opened("chat", id, pod, "envoy", BEGIN_MS + atMs, BEGIN_MS + atMs));
  }

  private void closed(String id, PodAddress pod, long durationMs, long atMs) {
    write(new Closed("chat", id, pod, "envoy", "", durationMs, BEGIN_MS + atMs));
  }

  private void write(LedgerRecord record) {
    recording.record(0, record, record.atMs());
  }

  private Simulation what(UnaryOperator<PoolPolicy> change) {
    PoolPolicy last = recording.policy();
    if (last == null) {
      throw new IllegalStateException("no policy");
    }
    return Simulator.of(
        new Request("chat", BEGIN_MS, BEGIN_MS + 60_000, change), recording, last, TERMS);
  }

  @Test
  void shouldRepeatExactlyWhatWasRecordedUnderTheSameLimits() {
    for (long seed : Seeds.usually(300).toArray()) {
      LivePool live = new LivePool(new Random(seed), false);

      Simulation answer = live.simulate(UnaryOperator.identity());

      assertThat(answer.repeated()).as("seed %d", seed).isEqualTo(answer.recorded());
      assertThat(answer.simulated()).as("seed %d", seed).isEqualTo(answer.recorded());
      assertThat(answer.recorded().admitted()).isEqualTo(live.admitted());
      assertThat(answer.recorded().rejected()).isEqualTo(live.rejected());
    }
  }

  @Test
  void shouldAnswerEveryAttemptAndNeverPassTheOtherLimit() {
    boolean someDiffer = false;
    for (long seed = 0; seed < 300; seed++) {
      LivePool live = new LivePool(new Random(seed), true);
      int limit = 1 + (int) (seed % 5);

      Simulation answer = live.simulate(limits(PoolPolicy.UNLIMITED_RATE, 1, limit));

      assertThat(attempts(answer.simulated()))
          .as("seed %d", seed)
          .isEqualTo(attempts(answer.recorded()));
      assertThat(answer.simulated().pods())
          .as("seed %d", seed)
          .allSatisfy(pod -> assertThat(pod.held()).isLessThanOrEqualTo(limit));
      someDiffer |= !answer.simulated().equals(answer.recorded());
    }
    assertThat(someDiffer).isTrue();
  }

  private static long attempts(Simulation.Outcome outcome) {
    return outcome.admitted()
        + outcome.rejected().values().stream().mapToLong(Long::longValue).sum();
  }

  @Test
  void shouldRejectWhatDoesNotFitUnderALowerLimit() {
    follow(policy(PoolPolicy.UNLIMITED_RATE, 1, 5, 1));
    for (int i = 0; i < 5; i++) {
      allowed("id-" + i, POD, i);
      opened("id-" + i, POD, i);
    }
    closed("id-0", POD, 100, 100);
    allowed("id-5", POD, 200);

    Simulation answer = what(limits(PoolPolicy.UNLIMITED_RATE, 1, 3));

    assertThat(answer.recorded().admitted()).isEqualTo(6);
    assertThat(answer.recorded().pods()).containsExactly(new Peak("pod-1", POD, 5));
    assertThat(answer.simulated().admitted()).isEqualTo(4);
    assertThat(answer.simulated().rejected()).isEqualTo(Map.of(RejectionReason.POD_LIMIT, 2L));
    assertThat(answer.simulated().pods()).containsExactly(new Peak("pod-1", POD, 3));
    assertThat(answer.policy().perPodMaxConnections()).isEqualTo(3);
  }

  @Test
  void shouldLetOneThatWasRejectedLiveAsLongAsTheOthers() {
    follow(policy(PoolPolicy.UNLIMITED_RATE, 1, 1, 1));
    allowed("first", POD, 0);
    opened("first", POD, 0);
    rejected("second", RejectionReason.POD_LIMIT, 100);
    closed("first", POD, 1_000, 1_000);
    // The second would have been there until 1,100: one of these finds room for two, one for one.
    allowed("third", POD, 1_050);
    rejected("fourth", RejectionReason.POD_LIMIT, 1_060);
    rejected("fifth", RejectionReason.POD_LIMIT, 1_150);

    Simulation answer = what(limits(PoolPolicy.UNLIMITED_RATE, 1, 2));

    assertThat(answer.simulated().admitted()).isEqualTo(4);
    assertThat(answer.simulated().rejected()).isEqualTo(Map.of(RejectionReason.POD_LIMIT, 1L));
    assertThat(answer.simulated().pods()).containsExactly(new Peak("pod-1", POD, 2));
    assertThat(answer.assumptions()).anyMatch(line -> line.contains("lives for 1.0 s"));
  }

  @Test
  void shouldAdmitByAnotherRate() {
    follow(policy(0.001, 1, 100, 1));
    write(
        new Decision.Allowed(
            "chat", "first", POD, BEGIN_MS * 1_000_000 + 1_000_000_000_000L, BEGIN_MS));
    rejected("second", RejectionReason.RATE_LIMITED, 1);
    rejected("third", RejectionReason.RATE_LIMITED, 400);
    rejected("fourth", RejectionReason.RATE_LIMITED, 501);

    Simulation answer = what(limits(2, 1, 100));

    assertThat(answer.repeated()).isEqualTo(answer.recorded());
    assertThat(answer.simulated().admitted()).isEqualTo(2);
    assertThat(answer.simulated().rejected()).isEqualTo(Map.of(RejectionReason.RATE_LIMITED, 2L));
  }

  @Test
  void shouldDecideEachAttemptOfAFloodThatWasOnlyCounted() {
    follow(policy(2, 2, 100, 1));
    allowed("first", 0, 0);
    allowed("second", 500, 0);
    rejected("third", RejectionReason.RATE_LIMITED, 1);
    // The flood ends at 300 ms, is written down later, and meanwhile there are tokens again.
    allowed("fourth", 1_000, 900);
    write(
        new Decision.Rejected(
                "chat", "fifth", RejectionReason.RATE_LIMITED, null, 1, BEGIN_MS + 300)
            .lastOf(700, BEGIN_MS + 2));

    Simulation same = what(UnaryOperator.identity());
    Simulation other = what(limits(20, 10, 100));

    assertThat(same.recorded().rejected()).isEqualTo(Map.of(RejectionReason.RATE_LIMITED, 701L));
    assertThat(same.repeated()).isEqualTo(same.recorded());
    // Of 10 tokens three are taken, and in 300 ms six more have come than there is room for.
    assertThat(other.simulated().admitted()).isEqualTo(4 + 10);
    assertThat(attempts(other.simulated())).isEqualTo(704);
    assertThat(other.assumptions()).anyMatch(line -> line.contains("only counted"));
  }

  /** With the bucket empty again at {@code bucketMs} after the beginning. */
  private void allowed(String id, long bucketMs, long atMs) {
    write(
        new Decision.Allowed("chat", id, POD, (BEGIN_MS + bucketMs) * 1_000_000, BEGIN_MS + atMs));
  }

  @Test
  void shouldTakeNoMoreOfAFloodThanItMay() {
    Recording small = new Recording("chat", TERMS, BEGIN_MS, 100);
    small.policy(0, PolicyRecord.ofBase(policy(2, 2, 3, 1), Set.of(), BEGIN_MS), BEGIN_MS);
    Decision.Rejected one =
        new Decision.Rejected("chat", "one", RejectionReason.RATE_LIMITED, null, 1, BEGIN_MS);

    small.record(0, one.lastOf(90, BEGIN_MS), BEGIN_MS);
    assertThat(small.isFull()).isFalse();
    small.record(0, one.lastOf(90, BEGIN_MS), BEGIN_MS);
    assertThat(small.isFull()).isTrue();
  }

  @Test
  void shouldNotLetAnotherPodFailForTheFaultOfOne() {
    follow(policy(PoolPolicy.UNLIMITED_RATE, 1, 1, 1));
    allowed("first", POD, 0);
    write(new Failed("chat", "first", POD, "envoy", 503, "via_upstream", BEGIN_MS + 10));
    allowed("second", POD, 20);

    Simulation same = what(UnaryOperator.identity());
    Simulation other =
        what(
            before ->
                new PoolPolicy(
                    "chat",
                    PoolPolicy.UNLIMITED_RATE,
                    1,
                    1,
                    before.mode(),
                    before.onOwnerLoss(),
                    List.of(new Pod("pod-2", OTHER))));

    assertThat(same.repeated()).isEqualTo(same.recorded());
    // There the first one lives on and fills the pod.
    assertThat(other.simulated().admitted()).isEqualTo(1);
    assertThat(other.simulated().rejected()).isEqualTo(Map.of(RejectionReason.POD_LIMIT, 1L));
    assertThat(other.simulated().pods()).contains(new Peak("pod-2", OTHER, 1));
  }

  @Test
  void shouldLeaveWhatNobodyCouldDecide() {
    follow(policy(PoolPolicy.UNLIMITED_RATE, 1, 1, 1));
    rejected("first", RejectionReason.NO_OWNER, 0);

    Simulation answer = what(limits(PoolPolicy.UNLIMITED_RATE, 1, 9));

    assertThat(answer.simulated().rejected()).isEqualTo(Map.of(RejectionReason.NO_OWNER, 1L));
  }

  @Test
  void shouldCountASlotThatWasLentWhenItIsUsed() {
    follow(policy(PoolPolicy.UNLIMITED_RATE, 1, 2, 1));
    String used = ConnectionIds.nextLent(BEGIN_MS);
    allowed(used, POD, 0);
    allowed(ConnectionIds.nextLent(BEGIN_MS), POD, 0);
    rejected("first", RejectionReason.POD_LIMIT, 1);
    allowed(used, POD, 2);
    opened(used, POD, 3);

    Simulation answer = what(limits(PoolPolicy.UNLIMITED_RATE, 1, 3));

    assertThat(answer.recorded().admitted()).isEqualTo(1);
    assertThat(answer.recorded().pods()).containsExactly(new Peak("pod-1", POD, 2));
    assertThat(answer.repeated()).isEqualTo(answer.recorded());
    assertThat(answer.simulated().admitted()).isEqualTo(2);
    assertThat(answer.simulated().pods()).containsExactly(new Peak("pod-1", POD, 3));
  }

  @Test
  void shouldBeginWithWhatWasOpenBefore() {
    Recording later = new Recording("chat", TERMS, BEGIN_MS + 1_000, 1_000_000);
    later.policy(
        0,
        PolicyRecord.ofBase(policy(PoolPolicy.UNLIMITED_RATE, 1, 4, 1), Set.of(), BEGIN_MS),
        BEGIN_MS);
    for (int i = 0; i < 4; i++) {
      Decision.Allowed allowed =
          new Decision.Allowed("chat", "id-" + i, POD, 0, BEGIN_MS + i * 400L);
      later.record(0, allowed, allowed.atMs());
    }
    PoolPolicy last = later.policy();
    if (last == null) {
      throw new IllegalStateException("no policy");
    }

    Simulation answer =
        Simulator.of(
            new Request(
                "chat",
                BEGIN_MS + 1_000,
                BEGIN_MS + 2_000,
                limits(PoolPolicy.UNLIMITED_RATE, 1, 2)),
            later,
            last,
            TERMS);

    // Three were there before: the pod is over the lower limit from the beginning.
    assertThat(answer.recorded().admitted()).isEqualTo(1);
    assertThat(answer.simulated().admitted()).isZero();
    assertThat(answer.simulated().pods()).containsExactly(new Peak("pod-1", POD, 3));
  }

  @Test
  void shouldSayThatAPodIsAboveItsLimitByWhatNobodyAdmitted() {
    follow(policy(PoolPolicy.UNLIMITED_RATE, 1, 1, 1));
    allowed("first", POD, 0);
    opened("first", POD, 1);
    boolean before = what(UnaryOperator.identity()).assumptions().toString().contains("by itself");
    opened(ConnectionIds.unleased("envoy", "10.1.0.1:4000", 1), POD, 2);
    write(new Alive("chat", "envoy", Map.of(POD, List.of("unheard-of")), BEGIN_MS + 3));

    Simulation answer = what(UnaryOperator.identity());

    assertThat(before).isFalse();
    assertThat(answer.repeated()).isEqualTo(answer.recorded());
    assertThat(answer.repeated().pods()).containsExactly(new Peak("pod-1", POD, 3));
    assertThat(answer.assumptions()).anyMatch(line -> line.startsWith("2 connections that Envoy"));
  }

  @Test
  void shouldTakeNoMoreThanItMay() {
    Recording small = new Recording("chat", TERMS, BEGIN_MS, 2);
    small.policy(
        0,
        PolicyRecord.ofBase(policy(PoolPolicy.UNLIMITED_RATE, 1, 3, 1), Set.of(), BEGIN_MS),
        BEGIN_MS);
    assertThat(small.isFull()).isFalse();
    small.record(0, new Decision.Allowed("chat", "one", POD, 0, BEGIN_MS), BEGIN_MS);
    assertThat(small.isFull()).isTrue();
  }
}
