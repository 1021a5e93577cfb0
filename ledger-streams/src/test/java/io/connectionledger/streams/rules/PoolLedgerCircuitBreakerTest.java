package io.connectionledger.streams.rules;

import static org.assertj.core.api.Assertions.assertThat;

import io.connectionledger.model.PodAddress;
import io.connectionledger.model.event.ConnectionEvent;
import io.connectionledger.model.event.Decision;
import io.connectionledger.model.event.LedgerRecord;
import io.connectionledger.model.event.RejectionReason;
import io.connectionledger.model.policy.Pod;
import io.connectionledger.model.view.PoolView.PodView;
import io.connectionledger.model.view.PoolView.State;
import io.connectionledger.streams.rules.lease.LeaseTerms;
import io.connectionledger.streams.rules.placement.CircuitBreaker;
import io.connectionledger.streams.rules.state.Changes;
import io.connectionledger.streams.rules.state.StoredCircuitBreaker;
import io.connectionledger.testkit.MapStore;
import io.connectionledger.testkit.PolicyFixtures;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** What the circuits of its pods mean for the decisions of a pool. */
class PoolLedgerCircuitBreakerTest {

  private static final LeaseTerms TERMS =
      new LeaseTerms(Duration.ofSeconds(10), 3, Duration.ofSeconds(15));
  private static final PodAddress FIRST = PodAddress.parse("10.0.0.1:80");
  private static final PodAddress SECOND = PodAddress.parse("10.0.0.2:80");
  private static final String REFUSED =
      "upstream_reset_before_response_started{remote_connection_failure}";

  private final Changes changes = new Changes();
  private final Map<PodAddress, StoredCircuitBreaker> store = new HashMap<>();
  private long nowMs = 1_800_000_000_000L;
  private PoolLedger ledger = ledger(100, FIRST, SECOND);

  private PoolLedger ledger(int limit, PodAddress... pods) {
    List<Pod> named =
        IntStream.range(0, pods.length).mapToObj(i -> new Pod("pod-" + i, pods[i])).toList();
    return new PoolLedger(PolicyFixtures.unlimited("chat", limit, named), TERMS, nowMs);
  }

  private Decision decide() {
    return ledger.decide(nowMs * 1_000_000);
  }

  private Decision.Allowed allowed() {
    return (Decision.Allowed) decide();
  }

  private Decision.Rejected rejected() {
    return (Decision.Rejected) decide();
  }

  private void apply(LedgerRecord record) {
    changes.clear();
    ledger.apply(record, changes);
    MapStore.write(store, changes.circuits());
  }

  private ConnectionEvent.Failed failed(Decision.Allowed decision) {
    return new ConnectionEvent.Failed(
        "chat", decision.id(), decision.pod(), "envoy-1", 503, REFUSED, nowMs);
  }

  private void opened(Decision.Allowed decision) {
    apply(
        new ConnectionEvent.Opened("chat", decision.id(), decision.pod(), "envoy-1", nowMs, nowMs));
  }

  /** Every handshake with the first pod fails until its circuit is open; the others go on. */
  private void tripFirst() {
    while (state(FIRST) != State.CIRCUIT_OPEN) {
      Decision.Allowed decision = allowed();
      if (decision.pod().equals(FIRST)) {
        apply(failed(decision));
      }
    }
  }

  private State state(PodAddress pod) {
    return ledger.view(nowMs).pods().stream()
        .filter(view -> view.address().equals(pod))
        .map(PodView::state)
        .findFirst()
        .orElseThrow();
  }

  @Test
  void shouldPlaceNothingOnAPodWhoseCircuitIsOpen() {
    tripFirst();

    List<Decision.Allowed> after = IntStream.range(0, 20).mapToObj(i -> allowed()).toList();

    assertThat(after).allSatisfy(decision -> assertThat(decision.pod()).isEqualTo(SECOND));
  }

  @Test
  void shouldCountAFailureOnceHoweverOftenItIsReported() {
    ledger = ledger(100, FIRST);
    for (int i = 0; i < 4; i++) {
      ConnectionEvent.Failed failure = failed(allowed());
      for (int copies = 0; copies < 5; copies++) {
        apply(failure);
      }
    }
    State afterFour = state(FIRST);

    apply(failed(allowed()));

    assertThat(afterFour).isEqualTo(State.AVAILABLE);
    assertThat(state(FIRST)).isEqualTo(State.CIRCUIT_OPEN);
  }

  @Test
  void shouldBlameTheReservedPodWhenEnvoyNamesNone() {
    ledger = ledger(100, FIRST);
    for (int i = 0; i < 5; i++) {
      apply(
          new ConnectionEvent.Failed(
              "chat", allowed().id(), null, "envoy-1", 503, "no_healthy_upstream", nowMs));
    }

    assertThat(state(FIRST)).isEqualTo(State.CIRCUIT_OPEN);
  }

  @Test
  void shouldRejectWithCircuitOpenUntilTheProbeWhenOnlyCircuitsStandInTheWay() {
    ledger = ledger(100, FIRST);
    tripFirst();

    Decision.Rejected rejected = rejected();
    nowMs += rejected.retryAfterSeconds() * 1_000L;
    Decision obedient = decide();

    assertThat(rejected.reason()).isEqualTo(RejectionReason.CIRCUIT_OPEN);
    assertThat(rejected.pod()).isEqualTo(FIRST);
    assertThat(obedient).isInstanceOf(Decision.Allowed.class);
  }

  @Test
  void shouldLetOneProbeThroughAtATime() {
    ledger = ledger(100, FIRST);
    tripFirst();
    nowMs += CircuitBreaker.FIRST_BACKOFF_MS;

    Decision probe = decide();
    List<Decision> others = IntStream.range(0, 10).mapToObj(i -> decide()).toList();
    nowMs += 5 * CircuitBreaker.FIRST_BACKOFF_MS;
    Decision whileItIsUnderway = decide();

    assertThat(probe).isInstanceOf(Decision.Allowed.class);
    assertThat(others).allSatisfy(other -> assertThat(other).isInstanceOf(Decision.Rejected.class));
    assertThat(whileItIsUnderway).isInstanceOf(Decision.Rejected.class);
  }

  @Test
  void shouldCloseWhenTheProbeSucceeds() {
    ledger = ledger(100, FIRST);
    tripFirst();
    nowMs += CircuitBreaker.FIRST_BACKOFF_MS;

    opened(allowed());

    assertThat(state(FIRST)).isEqualTo(State.AVAILABLE);
    assertThat(store).isEmpty();
    assertThat(List.of(decide(), decide(), decide()))
        .allSatisfy(decision -> assertThat(decision).isInstanceOf(Decision.Allowed.class));
  }

  @Test
  void shouldWaitTwiceAsLongWhenTheProbeFails() {
    ledger = ledger(100, FIRST);
    tripFirst();
    nowMs += CircuitBreaker.FIRST_BACKOFF_MS;
    apply(failed(allowed()));
    nowMs += CircuitBreaker.FIRST_BACKOFF_MS;
    Decision tooEarly = decide();

    nowMs += CircuitBreaker.FIRST_BACKOFF_MS;

    assertThat(tooEarly).isInstanceOf(Decision.Rejected.class);
    assertThat(decide()).isInstanceOf(Decision.Allowed.class);
  }

  @Test
  void shouldTryAgainWhenNobodyHearsOfTheProbeAnyMore() {
    ledger = ledger(100, FIRST);
    tripFirst();
    nowMs += CircuitBreaker.FIRST_BACKOFF_MS;
    ledger.release(allowed().id());
    Decision early = decide();

    nowMs += 2 * CircuitBreaker.FIRST_BACKOFF_MS;

    assertThat(early).isInstanceOf(Decision.Rejected.class);
    assertThat(decide()).isInstanceOf(Decision.Allowed.class);
  }

  @Test
  void shouldNotTakeAHeartbeatOfAnOldConnectionForASuccess() {
    ledger = ledger(100, FIRST);
    tripFirst();

    apply(new ConnectionEvent.Alive("chat", "envoy-1", Map.of(FIRST, List.of("old")), nowMs + 1));

    assertThat(state(FIRST)).isEqualTo(State.CIRCUIT_OPEN);
  }

  @Test
  void shouldTakeTheHeartbeatOfTheProbeForItsSuccess() {
    ledger = ledger(100, FIRST);
    tripFirst();
    nowMs += CircuitBreaker.FIRST_BACKOFF_MS;
    String probe = allowed().id();

    apply(new ConnectionEvent.Alive("chat", "envoy-1", Map.of(FIRST, List.of(probe)), nowMs));

    assertThat(state(FIRST)).isEqualTo(State.AVAILABLE);
  }

  @Test
  void shouldSayThatPodsAreFullWhenNoCircuitHidesRoom() {
    ledger = ledger(1, FIRST, SECOND);
    Decision.Allowed held = allowed();
    tripSecond();
    apply(
        new ConnectionEvent.Alive(
            "chat", "envoy-1", Map.of(SECOND, List.of("other"), FIRST, List.of(held.id())), nowMs));

    assertThat(rejected().reason()).isEqualTo(RejectionReason.POD_LIMIT);
  }

  private void tripSecond() {
    for (int i = 0; i < CircuitBreaker.FAILURES; i++) {
      reserve("f" + i, SECOND);
      apply(
          new ConnectionEvent.Failed("chat", "f" + i, SECOND, "envoy-1", 503, REFUSED, nowMs - 1));
    }
    assertThat(state(SECOND)).isEqualTo(State.CIRCUIT_OPEN);
  }

  @Test
  void shouldKeepACircuitOpenOverARestart() {
    ledger = ledger(100, FIRST);
    tripFirst();
    nowMs += CircuitBreaker.FIRST_BACKOFF_MS;
    apply(failed(allowed()));

    ledger = ledger(100, FIRST);
    store.forEach((pod, circuit) -> assertThat(ledger.restoreCircuit(pod, circuit)).isTrue());
    Decision soonAfter = decide();
    nowMs += 2 * CircuitBreaker.FIRST_BACKOFF_MS;

    assertThat(soonAfter).isInstanceOf(Decision.Rejected.class);
    assertThat(decide()).isInstanceOf(Decision.Allowed.class);
    assertThat(ledger.restoreCircuit(SECOND, new StoredCircuitBreaker(1, nowMs))).isFalse();
  }

  @Test
  void shouldBelieveNoClockThatRanAhead() {
    ledger = ledger(100, FIRST);
    nowMs += 3_600_000;
    tripFirst();
    nowMs -= 3_600_000;
    Decision.Rejected rejected = rejected();

    nowMs += rejected.retryAfterSeconds() * 1_000L;

    assertThat(rejected.retryAfterSeconds()).isLessThanOrEqualTo(2);
    assertThat(decide()).isInstanceOf(Decision.Allowed.class);
  }

  private void reserve(String id, PodAddress pod) {
    apply(new Decision.Allowed("chat", id, pod, 0, nowMs));
  }

  private ConnectionEvent.Failed error(String id, PodAddress pod, String envoy, String client) {
    return new ConnectionEvent.Failed("chat", id, pod, envoy, 500, "via_upstream", client, nowMs);
  }

  @Test
  void shouldNotBlameAPodForWhatNobodyReservedThere() {
    Decision.Allowed elsewhere = allowed();
    PodAddress other = elsewhere.pod().equals(FIRST) ? SECOND : FIRST;

    for (int i = 0; i < 100; i++) {
      apply(
          new ConnectionEvent.Failed("chat", "forged" + i, other, "envoy-9", 503, REFUSED, nowMs));
    }
    apply(new ConnectionEvent.Failed("chat", elsewhere.id(), other, "e", 503, REFUSED, nowMs));

    assertThat(state(FIRST)).isEqualTo(State.AVAILABLE);
    assertThat(state(SECOND)).isEqualTo(State.AVAILABLE);
  }

  @Test
  void shouldNotBlameAPodForTheErrorsThatOneClientGets() {
    ledger = ledger(100, FIRST);
    for (int i = 0; i < 50; i++) {
      apply(error(allowed().id(), FIRST, "envoy-1", "one"));
    }
    State afterOne = state(FIRST);

    apply(error(allowed().id(), FIRST, "envoy-1", "two"));

    assertThat(afterOne).isEqualTo(State.AVAILABLE);
    assertThat(state(FIRST)).isEqualTo(State.CIRCUIT_OPEN);
  }

  /**
   * Whatever is reported, by whomever: no more than the share is ejected, and one may always be.
   */
  @Test
  void shouldNeverEjectMoreThanAShareOfThePods() {
    Random random = new Random(21);
    for (int size = 1; size <= 12; size++) {
      PodAddress[] pods =
          IntStream.range(1, size + 1)
              .mapToObj(i -> PodAddress.parse("10.0.0." + i + ":80"))
              .toArray(PodAddress[]::new);
      ledger = ledger(10_000, pods);
      int most = Math.max(1, (size + 1) / 2);
      int seen = 0;
      for (int i = 0; i < 500; i++) {
        if (decide() instanceof Decision.Allowed decision) {
          apply(
              random.nextBoolean()
                  ? failed(decision)
                  : error(decision.id(), decision.pod(), "e" + i, "c"));
        }
        nowMs += random.nextInt(200);
        long ejected =
            ledger.view(nowMs).pods().stream()
                .filter(pod -> pod.state() == State.CIRCUIT_OPEN)
                .count();
        assertThat(ejected).as("pods %d", size).isLessThanOrEqualTo(most);
        seen = Math.max(seen, (int) ejected);
      }
      assertThat(seen).as("pods %d", size).isEqualTo(most);
    }
  }
}
