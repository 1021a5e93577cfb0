package io.connectionledger.streams.rules;

import static org.assertj.core.api.Assertions.assertThat;

import io.connectionledger.model.PodAddress;
import io.connectionledger.model.event.ConnectionEvent;
import io.connectionledger.model.event.Decision;
import io.connectionledger.model.event.LedgerRecord;
import io.connectionledger.model.event.RejectionReason;
import io.connectionledger.model.policy.Affinity;
import io.connectionledger.model.policy.Pod;
import io.connectionledger.model.policy.PoolPolicy;
import io.connectionledger.model.policy.PoolPolicy.Placement;
import io.connectionledger.model.view.PoolView.PodView;
import io.connectionledger.model.view.PoolView.State;
import io.connectionledger.streams.Seeds;
import io.connectionledger.streams.rules.lease.LeaseTerms;
import io.connectionledger.streams.rules.state.Changes;
import io.connectionledger.streams.rules.state.StoredCircuitBreaker;
import io.connectionledger.streams.rules.state.StoredConnection;
import io.connectionledger.testkit.MapStore;
import io.connectionledger.testkit.NaivePool;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/**
 * Random scripts of checks, events, losses, repetitions, late arrivals and restarts: after every
 * step the ledger and the oracle of forty lines must agree on every pod. One seed is replayed with
 * {@code -Dledger.seed=N}, another number of them run with {@code -Dledger.seeds=N}.
 */
class PoolLedgerOracleTest {

  private static final int STEPS = 300;
  private static final LeaseTerms TERMS =
      new LeaseTerms(Duration.ofSeconds(1), 3, Duration.ofSeconds(2), Duration.ZERO);

  @Test
  void shouldAgreeWithTheOracleAfterEveryStep() {
    Seeds.usually(500).forEach(seed -> new Script(seed).run());
  }

  /** One seeded run. */
  private static final class Script {
    private final long seed;
    private final Random random;
    private final PoolPolicy policy;
    private final List<PodAddress> everyPod;
    private final Map<String, StoredConnection> store = new HashMap<>();
    private final Map<PodAddress, StoredCircuitBreaker> circuits = new HashMap<>();
    private final List<LedgerRecord> log = new ArrayList<>();
    private final List<Decision.Allowed> underway = new ArrayList<>();
    private final Map<String, Long> admittedNanos = new LinkedHashMap<>();
    private final Changes changes = new Changes();
    private final NaivePool oracle;
    private PoolLedger ledger;
    private long nowMs = 1_800_000_000_000L;
    private long bucketNanos;
    private long intervalMs;

    /** Most handshakes with it fail. */
    private @Nullable PodAddress broken;

    Script(long seed) {
      this.seed = seed;
      random = new Random(seed);
      int pods = random.nextInt(4);
      policy =
          new PoolPolicy(
                  "chat",
                  random.nextBoolean() ? PoolPolicy.UNLIMITED_RATE : 1 + random.nextInt(20),
                  1 + random.nextInt(5),
                  1 + random.nextInt(4),
                  PoolPolicy.Mode.ENFORCE,
                  PoolPolicy.OnOwnerLoss.DENY,
                  IntStream.range(0, pods).mapToObj(i -> new Pod("pod-" + i, address(i))).toList())
              .placing(
                  random.nextInt(3) == 0 ? Placement.AFFINITY : Placement.LEAST_CONNECTIONS,
                  Affinity.header("x-user"),
                  random.nextBoolean() ? Duration.ZERO : Duration.ofSeconds(2));
      // One pod that the policy does not name: it may hold connections all the same.
      everyPod = IntStream.rangeClosed(0, pods).mapToObj(Script::address).toList();
      oracle =
          new NaivePool(
              TERMS.reservationMs(),
              LeaseTerms.RECORDED_MS,
              TERMS.leaseMs(),
              TERMS.tombstoneMs(),
              nowMs);
      ledger = new PoolLedger(policy, TERMS, nowMs);
    }

    private static PodAddress address(int i) {
      return PodAddress.parse("10.0.0." + (i + 1) + ":80");
    }

    void run() {
      for (int step = 0; step < STEPS; step++) {
        step();
        agree(step);
      }
      neverFasterThanTheBucket();
    }

    private void step() {
      if (random.nextInt(50) == 0) {
        broken = everyPod.get(random.nextInt(everyPod.size()));
      }
      int dice = random.nextInt(100);
      if (dice < 35) {
        decide();
      } else if (dice < 55) {
        time(random.nextInt(10) == 0 ? random.nextInt(4_000) : random.nextInt(200));
      } else if (dice < 57) {
        restart();
      } else if (dice < 62 && !underway.isEmpty()) {
        Decision.Allowed released = underway.remove(random.nextInt(underway.size()));
        ledger.release(released.id());
        oracle.release(released.id());
        admittedNanos.remove(released.id());
        log.add(released); // it may come back from the log all the same
      } else if (dice < 70 && !log.isEmpty()) {
        apply(log.get(random.nextInt(log.size()))); // comes once more, however late
      } else if (dice < 78 && !underway.isEmpty()) {
        apply(underway.remove(random.nextInt(underway.size())));
      } else {
        apply(event());
      }
    }

    private void decide() {
      long nowNanos = nowMs * 1_000_000;
      String client = random.nextInt(4) == 0 ? null : "user-" + random.nextInt(6);
      List<PodAddress> tripped =
          ledger.view(nowMs).pods().stream()
              .filter(pod -> pod.state() == State.CIRCUIT_OPEN)
              .map(PodView::address)
              .toList();
      switch (ledger.decide(client, nowNanos)) {
        case Decision.Allowed allowed -> {
          assertThat(held(allowed.pod())).as("room, %s", this).isLessThan(limit());
          for (Pod pod : policy.pods()) {
            if (placesOnTheEmptiest(client) && !tripped.contains(pod.address())) {
              assertThat(held(allowed.pod()))
                  .as("emptiest, %s", this)
                  .isLessThanOrEqualTo(held(pod.address()));
            }
          }
          if (tripped.contains(allowed.pod())) {
            assertThat(oracle.reserved(allowed.pod())).as("one trial, %s", this).isZero();
          }
          admittedNanos.put(allowed.id(), nowNanos);
          underway.add(allowed);
          oracle.apply(allowed);
          if (allowed.pod().equals(broken) && random.nextInt(4) > 0) {
            apply(
                new ConnectionEvent.Failed(
                    "chat", allowed.id(), broken, "envoy", 503, "via_upstream", nowMs));
          }
        }
        case Decision.Rejected rejected -> {
          assertThat(rejected.retryAfterSeconds()).isPositive();
          if (rejected.reason() == RejectionReason.NO_PODS) {
            assertThat(policy.pods()).as("%s", this).isEmpty();
          } else if (rejected.reason() == RejectionReason.POD_LIMIT) {
            assertThat(policy.pods())
                .as("every pod is full, %s", this)
                .allMatch(pod -> held(pod.address()) >= limit());
          } else if (rejected.reason() == RejectionReason.CIRCUIT_OPEN) {
            assertThat(policy.pods())
                .as("only open circuits have room, %s", this)
                .allMatch(pod -> held(pod.address()) >= limit() || tripped.contains(pod.address()))
                .anyMatch(pod -> held(pod.address()) < limit());
          } else {
            assertThat(rejected.reason()).isEqualTo(RejectionReason.RATE_LIMITED);
            assertThat(policy.connectionsPerSecond()).isNotInfinite();
          }
        }
      }
    }

    private boolean placesOnTheEmptiest(@Nullable String client) {
      return policy.slowStart().isZero()
          && (client == null || policy.placement() == Placement.LEAST_CONNECTIONS);
    }

    private LedgerRecord event() {
      String id = anyId();
      PodAddress pod = everyPod.get(random.nextInt(everyPod.size()));
      return switch (random.nextInt(5)) {
        case 0 -> new ConnectionEvent.Opened("chat", id, pod, "envoy", nowMs, nowMs);
        case 1 -> new ConnectionEvent.Closed("chat", id, pod, "envoy", "done", null, nowMs);
        case 2 -> new ConnectionEvent.Failed("chat", id, pod, "envoy", 503, "via_upstream", nowMs);
        default ->
            new ConnectionEvent.Alive(
                "chat", "envoy", Map.of(pod, List.of(id, anyId(), anyId())), nowMs);
      };
    }

    /** Of a small set, so that everything happens to the same connections. */
    private String anyId() {
      return underway.isEmpty() || random.nextBoolean()
          ? "c" + random.nextInt(12)
          : underway.get(random.nextInt(underway.size())).id();
    }

    private void apply(LedgerRecord record) {
      log.add(record);
      changes.clear();
      ledger.apply(record, changes);
      persist();
      oracle.apply(record);
    }

    private void time(long byMs) {
      nowMs += byMs;
      changes.clear();
      ledger.tick(nowMs, nowMs, changes);
      persist();
      oracle.tick(nowMs, ledger.heartbeatMs("envoy") * TERMS.missed());
    }

    private void persist() {
      MapStore.write(store, changes.connections());
      MapStore.write(circuits, changes.circuits());
      Long learned = changes.intervals().get("envoy");
      intervalMs = learned == null ? intervalMs : learned;
      bucketNanos = Math.max(bucketNanos, changes.bucketArrivalNanos());
    }

    /** A crash: what the store has, and every decision that was underway, in any order. */
    private void restart() {
      ledger = new PoolLedger(policy, TERMS, nowMs);
      store.forEach(ledger::restore);
      circuits.forEach((pod, circuit) -> assertThat(ledger.restoreCircuit(pod, circuit)).isTrue());
      ledger.restoreBucket(bucketNanos);
      if (intervalMs > 0) {
        ledger.restoreInterval("envoy", intervalMs);
      }
      oracle.restart();
      oracle.tick(nowMs, ledger.heartbeatMs("envoy") * TERMS.missed());
      while (!underway.isEmpty()) {
        apply(underway.remove(random.nextInt(underway.size())));
      }
    }

    private void agree(int step) {
      Map<PodAddress, PodView> pods = new HashMap<>();
      ledger.view(nowMs).pods().forEach(pod -> pods.put(pod.address(), pod));
      for (PodAddress pod : everyPod) {
        PodView view = pods.get(pod);
        assertThat(view == null ? 0 : view.active())
            .as("active on %s after step %d, %s", pod, step, this)
            .isEqualTo((int) oracle.active(pod));
        assertThat(view == null ? 0 : view.reserved())
            .as("reserved on %s after step %d, %s", pod, step, this)
            .isEqualTo((int) oracle.reserved(pod));
      }
    }

    private void neverFasterThanTheBucket() {
      if (policy.connectionsPerSecond() == PoolPolicy.UNLIMITED_RATE) {
        return;
      }
      List<Long> times = List.copyOf(admittedNanos.values());
      for (int i = 0; i < times.size(); i++) {
        for (int j = i; j < times.size(); j++) {
          double seconds = (times.get(j) - times.get(i)) / 1e9;
          assertThat((double) (j - i + 1))
              .as("admissions within %s s, %s", seconds, this)
              .isLessThanOrEqualTo(
                  policy.burstCapacity() + policy.connectionsPerSecond() * seconds + 1e-6);
        }
      }
    }

    private long held(PodAddress pod) {
      return oracle.active(pod) + oracle.reserved(pod);
    }

    private int limit() {
      return policy.perPodMaxConnections();
    }

    @Override
    public String toString() {
      return Seeds.replay(seed);
    }
  }
}
