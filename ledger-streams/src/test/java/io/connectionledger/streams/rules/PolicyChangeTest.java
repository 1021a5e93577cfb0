package io.connectionledger.streams.rules;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;

import io.connectionledger.model.PodAddress;
import io.connectionledger.model.event.ConnectionEvent;
import io.connectionledger.model.event.Decision;
import io.connectionledger.model.event.RejectionReason;
import io.connectionledger.model.policy.Pod;
import io.connectionledger.model.policy.PoolPolicy;
import io.connectionledger.model.view.PoolView.PodView;
import io.connectionledger.model.view.PoolView.State;
import io.connectionledger.streams.rules.lease.LeaseTerms;
import io.connectionledger.streams.rules.state.Changes;
import io.connectionledger.testkit.PolicyFixtures;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** What a pool makes of another policy while it holds connections. */
class PolicyChangeTest {

  private static final long NOW_MS = 1_800_000_000_000L;
  private static final long NOW_NANOS = NOW_MS * 1_000_000;
  private static final Pod ONE = new Pod("one", PodAddress.parse("10.0.0.1:80"));
  private static final Pod TWO = new Pod("two", PodAddress.parse("10.0.0.2:80"));

  private final PoolLedger ledger =
      new PoolLedger(
          policy(3, ONE, TWO),
          new LeaseTerms(Duration.ofSeconds(1), 3, Duration.ofSeconds(2)),
          NOW_MS);

  @Test
  void shouldKeepWhatIsOpenWhenTheLimitIsLoweredAndShowItAsOverLimit() {
    // Given
    open(6);
    // When
    follow(policy(1, ONE, TWO));
    // Then
    assertThat(states()).containsExactly(State.OVER_LIMIT, State.OVER_LIMIT);
    assertThat(ledger.view(NOW_MS).active()).isEqualTo(6);
    assertThat(reason(decide())).isEqualTo(RejectionReason.POD_LIMIT);
    close("c0", ONE);
    close("c2", ONE);
    assertThat(states()).containsExactly(State.FULL, State.OVER_LIMIT);
    close("c4", ONE);
    assertThat(pod(decide())).isEqualTo(ONE.address());
  }

  @Test
  void shouldUseARaisedLimitAtOnce() {
    // Given
    open(6);
    assertThat(reason(decide())).isEqualTo(RejectionReason.POD_LIMIT);
    // When
    follow(policy(4, ONE, TWO));
    // Then
    assertThat(decide()).isInstanceOf(Decision.Allowed.class);
    assertThat(decide()).isInstanceOf(Decision.Allowed.class);
    assertThat(reason(decide())).isEqualTo(RejectionReason.POD_LIMIT);
  }

  @Test
  void shouldPlaceOnNoPodThatIsNotReadyAndCountWhatItHolds() {
    // Given
    open(2);
    // When
    ledger.follow(policy(3, ONE, TWO), Set.of(), Set.of(ONE.address()), NOW_NANOS);
    // Then
    assertThat(states()).containsExactly(State.NOT_READY, State.AVAILABLE);
    assertThat(pod(decide())).isEqualTo(TWO.address());
    assertThat(pod(decide())).isEqualTo(TWO.address());
    assertThat(reason(decide())).isEqualTo(RejectionReason.POD_LIMIT);
    assertThat(ledger.view(NOW_MS).pods().getFirst().active()).isEqualTo(1);
    follow(policy(3, ONE, TWO));
    assertThat(pod(decide())).isEqualTo(ONE.address());
  }

  @Test
  void shouldPlaceNothingOnADrainingPodWhileItsConnectionsGoOn() {
    // Given
    open(2);
    // When
    follow(policy(3, ONE, TWO), ONE);
    // Then
    assertThat(states()).containsExactly(State.DRAINING, State.AVAILABLE);
    assertThat(pod(decide())).isEqualTo(TWO.address());
    assertThat(pod(decide())).isEqualTo(TWO.address());
    assertThat(reason(decide())).isEqualTo(RejectionReason.POD_LIMIT);
    assertThat(ledger.view(NOW_MS).pods().getFirst().active()).isEqualTo(1);
    follow(policy(3, ONE, TWO));
    assertThat(pod(decide())).isEqualTo(ONE.address());
  }

  @Test
  void shouldHaveNoPodsWhenAllAreDraining() {
    // When
    follow(policy(3, ONE, TWO), ONE, TWO);
    // Then
    assertThat(reason(decide())).isEqualTo(RejectionReason.NO_PODS);
  }

  @Test
  void shouldKeepCountingOnARemovedPodAndForgetItWithItsLastConnection() {
    // Given
    open(2);
    ledger.changedPods();
    // When
    follow(policy(3, TWO));
    // Then
    assertThat(ledger.view(NOW_MS).pods())
        .extracting(PodView::pod, PodView::active, PodView::state)
        .containsExactly(tuple("two", 1, State.AVAILABLE), tuple("10.0.0.1:80", 1, State.GONE));
    assertThat(pod(decide())).isEqualTo(TWO.address());
    close("c0", ONE);
    assertThat(ledger.view(NOW_MS).pods()).extracting(PodView::pod).containsExactly("two");
  }

  @Test
  void shouldPlaceOnAnAddedPodAtOnce() {
    // Given
    follow(policy(3, ONE));
    open(3);
    // When
    follow(policy(3, ONE, TWO));
    // Then
    assertThat(pod(decide())).isEqualTo(TWO.address());
  }

  @Test
  void shouldTellThatANameIsNoPodsAnyMore() {
    // Given
    open(2);
    ledger.changedPods();
    // When
    Pod successor = new Pod("one", PodAddress.parse("10.0.0.9:80"));
    follow(policy(3, successor));
    // Then: "one" has another address now, "two" is nobody's name, both old pods go by address.
    assertThat(ledger.changedPods())
        .extracting(PodView::pod, PodView::active, PodView::state)
        .containsExactlyInAnyOrder(
            tuple("two", 0, State.GONE),
            tuple("one", 0, State.AVAILABLE),
            tuple("10.0.0.1:80", 1, State.GONE),
            tuple("10.0.0.2:80", 1, State.GONE));
    assertThat(ledger.changedPods()).isEmpty();
  }

  @Test
  void shouldNotCountDrainingPodsAsStrangers() {
    // Given
    List<Pod> many =
        IntStream.range(0, 1_500)
            .mapToObj(
                i -> new Pod("p" + i, PodAddress.parse("10.1." + i / 250 + "." + i % 250 + ":80")))
            .toList();
    PoolPolicy policy = policy(3, many.toArray(Pod[]::new));
    ledger.follow(
        policy, Set.copyOf(many.stream().map(Pod::address).toList()), Set.of(), NOW_NANOS);
    Changes changes = new Changes();
    // When
    ledger.apply(opened("stranger", ONE), changes);
    // Then
    assertThat(changes.refused()).isZero();
    assertThat(ledger.view(NOW_MS).active()).isEqualTo(1);
  }

  private void follow(PoolPolicy policy, Pod... draining) {
    ledger.follow(
        policy,
        Set.copyOf(List.of(draining).stream().map(Pod::address).toList()),
        Set.of(),
        NOW_NANOS);
  }

  /** The even ones on the first pod, the odd ones on the second, if there is one. */
  private void open(int count) {
    List<PodView> pods = ledger.view(NOW_MS).pods();
    for (int i = 0; i < count; i++) {
      PodView pod = pods.get(i % pods.size());
      ledger.apply(opened("c" + i, new Pod(pod.pod(), pod.address())), new Changes());
    }
  }

  private static ConnectionEvent.Opened opened(String id, Pod pod) {
    return new ConnectionEvent.Opened("chat", id, pod.address(), "envoy", NOW_MS, NOW_MS);
  }

  private void close(String id, Pod pod) {
    ledger.apply(
        new ConnectionEvent.Closed("chat", id, pod.address(), "envoy", "done", null, NOW_MS),
        new Changes());
  }

  private Decision decide() {
    return ledger.decide(NOW_NANOS);
  }

  private List<State> states() {
    return ledger.view(NOW_MS).pods().stream().map(PodView::state).toList();
  }

  private static PodAddress pod(Decision decision) {
    assertThat(decision).isInstanceOf(Decision.Allowed.class);
    return ((Decision.Allowed) decision).pod();
  }

  private static RejectionReason reason(Decision decision) {
    assertThat(decision).isInstanceOf(Decision.Rejected.class);
    return ((Decision.Rejected) decision).reason();
  }

  private static PoolPolicy policy(int limit, Pod... pods) {
    return PolicyFixtures.unlimited("chat", limit, List.of(pods));
  }
}
