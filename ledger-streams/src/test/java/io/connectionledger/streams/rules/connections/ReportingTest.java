package io.connectionledger.streams.rules.connections;

import static org.assertj.core.api.Assertions.assertThat;

import io.connectionledger.model.PodAddress;
import io.connectionledger.model.event.ConnectionEvent;
import io.connectionledger.model.event.ConnectionEvent.Closed;
import io.connectionledger.model.event.Decision;
import io.connectionledger.model.policy.Pod;
import io.connectionledger.model.policy.PoolPolicy;
import io.connectionledger.streams.rules.PoolLedger;
import io.connectionledger.streams.rules.lease.EnvoyFailureDetector;
import io.connectionledger.streams.rules.lease.LeaseTerms;
import io.connectionledger.streams.rules.state.Changes;
import io.connectionledger.streams.rules.state.StoredConnection;
import io.connectionledger.testkit.MapStore;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** Envoys that do not report as they should: what the ledger says, and what it gives away. */
class ReportingTest {

  private static final LeaseTerms TERMS =
      new LeaseTerms(Duration.ofSeconds(2), 3, Duration.ofSeconds(4), Duration.ofMinutes(5));
  private static final PodAddress POD = new PodAddress("10.0.0.1", 80);
  private static final int LIMIT = 5;
  private static final String HERE = "10.1.0.1:10000";
  private static final String THERE = "10.1.0.2:10000";

  private final Changes changes = new Changes();
  private final Map<String, StoredConnection> store = new HashMap<>();
  private final Map<String, Long> intervals = new HashMap<>();
  private final List<String> warnings = new ArrayList<>();
  private int unreported;
  private long streamBeganMs;
  private long nowMs = 1_800_000_000_000L;
  private PoolLedger ledger = empty(TERMS);

  private PoolLedger empty(LeaseTerms terms) {
    return new PoolLedger(
        new PoolPolicy(
            "chat",
            PoolPolicy.UNLIMITED_RATE,
            1,
            LIMIT,
            PoolPolicy.Mode.ENFORCE,
            PoolPolicy.OnOwnerLoss.DENY,
            List.of(new Pod("pod-1", POD))),
        terms,
        nowMs);
  }

  private @Nullable String admit(String listener) {
    if (ledger.decide(null, listener, nowMs * 1_000_000) instanceof Decision.Allowed allowed) {
      apply(allowed);
      return allowed.id();
    }
    return null;
  }

  private List<String> fill(String listener) {
    List<String> admitted = new ArrayList<>();
    for (String id = admit(listener); id != null; id = admit(listener)) {
      admitted.add(id);
    }
    return admitted;
  }

  private void apply(io.connectionledger.model.event.LedgerRecord record) {
    changes.clear();
    ledger.apply(record, changes);
    keep();
  }

  private void opened(String node, List<String> ids) {
    ids.forEach(id -> apply(new ConnectionEvent.Opened("chat", id, POD, node, nowMs, nowMs)));
  }

  private void alive(String node, List<String> ids) {
    apply(new ConnectionEvent.Alive("chat", node, Map.of(POD, ids), nowMs));
  }

  private void closed(String node, String id) {
    apply(new Closed("chat", id, POD, node, "downstream_remote_disconnect", null, nowMs));
  }

  private void pass(int seconds) {
    for (int i = 0; i < seconds * 2; i++) {
      nowMs += 500;
      changes.clear();
      ledger.tick(nowMs, streamBeganMs, nowMs, changes);
      keep();
    }
  }

  private void gone(String node) {
    changes.clear();
    ledger.apply(new EnvoyFailureDetector.Eviction(node, nowMs, Closed.ENVOY_GONE), nowMs, changes);
    keep();
  }

  private void keep() {
    MapStore.write(store, changes.connections());
    intervals.putAll(changes.intervals());
    warnings.addAll(changes.warnings());
    unreported += changes.unreported();
  }

  private void restart() {
    ledger = empty(TERMS);
    intervals.forEach(ledger::restoreInterval);
    store.forEach(ledger::restore);
  }

  private int active() {
    return ledger.view(nowMs).active();
  }

  private int reserved() {
    return ledger.view(nowMs).reserved();
  }

  private List<String> kinds() {
    return ledger.reportingProblems().stream()
        .map(problem -> problem.substring(0, problem.indexOf(':')))
        .toList();
  }

  @Test
  void shouldNotGiveAwayAgainWhatNobodyReported() {
    List<String> admitted = fill(HERE);
    pass(60);
    List<String> again = fill(HERE);

    assertThat(admitted).hasSize(LIMIT);
    assertThat(again).isEmpty();
    assertThat(ledger.view(nowMs).unreported()).isEqualTo(LIMIT);
    assertThat(ledger.completeness(0)).isZero();
    assertThat(ledger.reportingProblems()).singleElement().asString().startsWith("not-reported: ");
    assertThat(ledger.reportingProblems().getFirst())
        .contains("the Envoy at " + HERE)
        .contains("5 slots stay taken, for 300s at most each");
    assertThat(unreported).isEqualTo(LIMIT);
    assertThat(warnings).hasSize(1);
  }

  @Test
  void shouldGiveItAwayAfterTheTimeThatTheOperatorChose() {
    fill(HERE);
    pass(4 + 299);
    int before = reserved();
    pass(2);

    assertThat(before).isEqualTo(LIMIT);
    assertThat(reserved()).isZero();
    assertThat(kinds()).isEmpty();
  }

  @Test
  void shouldGiveItAwayAtOnceWhereTheOperatorWantsThatAndSayItAllTheSame() {
    ledger = empty(new LeaseTerms(TERMS.heartbeat(), 3, TERMS.reservation(), Duration.ZERO));
    fill(HERE);
    pass(5);

    assertThat(reserved()).isZero();
    assertThat(unreported).isEqualTo(LIMIT);
    assertThat(kinds()).containsExactly("not-reported");
  }

  @Test
  void shouldFreeTheSlotAtOnceOfAClientThatWentAway() {
    List<String> admitted = fill(HERE);
    ledger.release(admitted.getFirst());
    apply(
        new ConnectionEvent.Failed("chat", admitted.getLast(), null, "envoy-1", 0, "gone", nowMs));

    assertThat(reserved()).isEqualTo(LIMIT - 2);
  }

  @Test
  void shouldFreeWithinARoundWhatAReportingEnvoyDoesNotReport() {
    String open = admit(HERE);
    opened("envoy-1", List.of(open));
    String lost = admit(HERE);
    for (int i = 0; i < 3; i++) {
      pass(2);
      alive("envoy-1", List.of(open));
    }
    int overdue = ledger.view(nowMs).unreported();
    pass(2);
    alive("envoy-1", List.of(open));

    assertThat(lost).isNotNull();
    assertThat(overdue).isEqualTo(1);
    assertThat(reserved()).isZero();
    assertThat(active()).isEqualTo(1);
  }

  @Test
  void shouldFreeWhatAnEnvoyThatReportsAgainDoesNotHave() {
    List<String> admitted = fill(HERE);
    pass(60);
    List<String> living = admitted.subList(0, 3);
    for (int i = 0; i < 3; i++) {
      alive("envoy-1", living);
      pass(2);
    }

    assertThat(active()).isEqualTo(3);
    assertThat(reserved()).isZero();
    assertThat(kinds()).isEmpty();
  }

  @Test
  void shouldNotTakeOneEnvoysReportsForAnothers() {
    String here = admit(HERE);
    opened("envoy-1", List.of(here));
    admit(THERE);
    for (int i = 0; i < 30; i++) {
      pass(2);
      alive("envoy-1", List.of(here));
    }

    assertThat(reserved()).isEqualTo(1);
    assertThat(ledger.reportingProblems().getFirst()).contains(THERE).doesNotContain(HERE);
  }

  @Test
  void shouldNotTrustAnEnvoyOfWhichMoreThanAQuarterOfTheOutcomesIsMissing() {
    String open = admit(HERE);
    opened("envoy-1", List.of(open));
    for (int i = 0; i < 60; i++) {
      String id = admit(HERE);
      if (i % 3 > 0 && id != null) {
        opened("envoy-1", List.of(id));
        closed("envoy-1", id);
      }
      pass(2);
      alive("envoy-1", List.of(open));
    }

    assertThat(active() + reserved()).isEqualTo(LIMIT);
    assertThat(kinds()).containsExactly("not-reported");
  }

  @Test
  void shouldCountExactlyWhereOnlyEndsAreReportedAndSaySo() {
    List<String> admitted = fill(HERE);
    pass(10);
    closed("envoy-1", admitted.get(0));
    closed("envoy-1", admitted.get(1));

    assertThat(reserved()).isEqualTo(LIMIT - 2);
    assertThat(kinds()).containsExactly("not-reported", "not-reported");
    assertThat(ledger.reportingProblems().getLast()).contains("envoy-1");
    assertThat(unreported).isEqualTo(LIMIT + 2);
  }

  @Test
  void shouldHoldASlotWhoseEnvoyHasNeverSentAHeartbeat() {
    opened("envoy-1", fill(HERE));
    pass(7);
    int activeThen = active();
    int heldThen = reserved();
    List<String> again = fill(HERE);

    assertThat(activeThen).isZero();
    assertThat(heldThen).isEqualTo(LIMIT);
    assertThat(again).isEmpty();
    assertThat(ledger.reportingProblems().getFirst()).contains("envoy envoy-1");
  }

  @Test
  void shouldFollowTheHeartbeatThatAnEnvoyReallyHas() {
    List<String> ids = fill(HERE);
    opened("envoy-1", ids);
    pass(10);
    alive("envoy-1", ids);
    List<Integer> counts = new ArrayList<>();
    for (int i = 0; i < 60; i++) {
      pass(1);
      if (i % 10 == 9) {
        alive("envoy-1", ids);
      }
      counts.add(active());
    }

    assertThat(counts).containsOnly(LIMIT);
    assertThat(kinds()).containsExactly("heartbeat-mismatch");
    assertThat(ledger.reportingProblems().getFirst()).contains("envoy-1 every 10s").contains("2s");
    assertThat(ledger.completeness(0)).isEqualTo(1);
    assertThat(warnings).filteredOn(w -> w.startsWith("heartbeat-mismatch")).hasSize(1);
  }

  @Test
  void shouldGiveUpByTheObservedHeartbeatAndNotBefore() {
    List<String> ids = fill(HERE);
    opened("envoy-1", ids);
    for (int i = 0; i < 3; i++) {
      pass(10);
      alive("envoy-1", ids);
    }
    pass(29);
    int before = active();
    pass(2);

    assertThat(before).isEqualTo(LIMIT);
    assertThat(active() + reserved()).isZero();
  }

  @Test
  void shouldFollowItStillAfterARestart() {
    List<String> ids = fill(HERE);
    opened("envoy-1", ids);
    for (int i = 0; i < 3; i++) {
      pass(10);
      alive("envoy-1", ids);
    }
    restart();
    pass(9);
    int before = active();
    alive("envoy-1", ids);

    assertThat(before).isEqualTo(LIMIT);
    assertThat(kinds()).containsExactly("heartbeat-mismatch");
  }

  @Test
  void shouldKeepHoldingAfterARestart() {
    fill(HERE);
    pass(60);
    restart();
    pass(10);

    assertThat(ledger.view(nowMs).unreported()).isEqualTo(LIMIT);
    assertThat(fill(HERE)).isEmpty();
  }

  @Test
  void shouldHoldTheSlotsOfAnEnvoyThatSeemsGoneAndStillAsks() {
    List<String> ids = fill(HERE);
    opened("envoy-1", ids);
    for (int i = 0; i < 3; i++) {
      pass(2);
      alive("envoy-1", ids);
    }
    long goneMs = nowMs;
    pass(1);
    fill(HERE);
    changes.clear();
    ledger.apply(
        new EnvoyFailureDetector.Eviction("envoy-1", goneMs + 1, Closed.ENVOY_GONE),
        nowMs,
        changes);
    keep();
    int held = reserved();
    alive("envoy-1", ids);

    assertThat(held).isEqualTo(LIMIT);
    assertThat(active()).isEqualTo(LIMIT);
    assertThat(reserved()).isZero();
  }

  @Test
  void shouldFreeTheSlotsOfAnEnvoyWhoseSuccessorAsks() {
    List<String> ids = fill(HERE);
    opened("envoy-1", ids);
    for (int i = 0; i < 3; i++) {
      pass(2);
      alive("envoy-1", ids);
    }
    long goneMs = nowMs;
    pass(1);
    fill(HERE);
    changes.clear();
    ledger.apply(
        new EnvoyFailureDetector.Eviction("envoy-1", goneMs + 1, Closed.ENVOY_GONE, true),
        nowMs,
        changes);
    keep();

    assertThat(active() + reserved()).isZero();
  }

  @Test
  void shouldFindOutWithOneSlotWhetherAnEnvoyThatIsBackReports() {
    fill(HERE);
    pass(60);
    streamBeganMs = nowMs;
    pass(10);
    List<String> one = fill(HERE);
    opened("envoy-1", one);
    for (int i = 0; i < 4; i++) {
      pass(2);
      alive("envoy-1", one);
    }

    assertThat(one).hasSize(1);
    assertThat(active()).isEqualTo(1);
    assertThat(reserved()).isZero();
    assertThat(kinds()).isEmpty();
  }

  @Test
  void shouldTakeNoSlotFromAnEnvoyThatReportsThenWhatItHasOpen() {
    List<String> ids = fill(HERE);
    pass(60);
    streamBeganMs = nowMs;
    for (int i = 0; i < 10; i++) {
      pass(2);
      alive("envoy-1", ids);
      assertThat(fill(HERE)).isEmpty();
    }

    assertThat(active()).isEqualTo(LIMIT);
  }

  @Test
  void shouldTakeNoMoreThanOneSlotFromAnEnvoyThatDoesNotReportThenEither() {
    fill(HERE);
    pass(60);
    streamBeganMs = nowMs;
    pass(10);
    List<String> one = fill(HERE);
    pass(60);

    assertThat(one).hasSize(1);
    assertThat(fill(HERE)).isEmpty();
    assertThat(ledger.view(nowMs).unreported()).isEqualTo(LIMIT);
  }

  @Test
  void shouldFreeAtOnceWhatWasAdmittedThroughAnEnvoyThatIsGone() {
    List<String> ids = fill(HERE);
    opened("envoy-1", ids.subList(0, 3));
    pass(1);
    alive("envoy-1", ids.subList(0, 3));
    pass(1);
    gone("envoy-1");

    assertThat(active() + reserved()).isZero();
  }

  @Test
  void shouldTellHowManyWereNeverAdmitted() {
    List<String> ids = List.of("u-1", "u-2");
    opened("envoy-1", ids);
    opened("envoy-1", fill(HERE));

    assertThat(ledger.view(nowMs).unleased()).isEqualTo(2);
    assertThat(kinds()).containsExactly("unleased");
    closed("envoy-1", "u-1");
    closed("envoy-1", "u-2");
    assertThat(ledger.view(nowMs).unleased()).isZero();
    assertThat(kinds()).isEmpty();
  }
}
