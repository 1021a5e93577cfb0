package io.connectionledger.streams.simulation;

import io.connectionledger.model.PodAddress;
import io.connectionledger.model.event.ConnectionEvent.Alive;
import io.connectionledger.model.event.ConnectionEvent.Closed;
import io.connectionledger.model.event.ConnectionEvent.Failed;
import io.connectionledger.model.event.ConnectionEvent.Opened;
import io.connectionledger.model.event.Decision;
import io.connectionledger.model.event.LedgerRecord;
import io.connectionledger.model.event.Presence;
import io.connectionledger.model.event.RejectionReason;
import io.connectionledger.model.policy.Affinity;
import io.connectionledger.model.policy.Pod;
import io.connectionledger.model.policy.PolicyRecord;
import io.connectionledger.model.policy.PoolPolicy;
import io.connectionledger.model.policy.PoolPolicy.Placement;
import io.connectionledger.model.view.Simulation;
import io.connectionledger.model.view.Simulations.Request;
import io.connectionledger.streams.rules.PoolLedger;
import io.connectionledger.streams.rules.lease.EnvoyFailureDetector;
import io.connectionledger.streams.rules.state.Changes;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.UnaryOperator;
import java.util.stream.IntStream;

/** A pool that decides and is told what happened, at random, and is recorded meanwhile. */
final class LivePool {

  private static final String POOL = "chat";
  private static final int STEPS = 400;
  private static final long MS = 1_000_000;

  private final Random random;

  /** Whether nothing happens that makes a pod hold what nobody admitted to it. */
  private final boolean tame;

  private final Recording recording;
  private final PoolLedger ledger;
  private final EnvoyFailureDetector envoys;
  private final Changes changes = new Changes();
  private final List<Decision.Allowed> underway = new ArrayList<>();
  private final List<LedgerRecord> events = new ArrayList<>();
  private final Map<String, PodAddress> open = new TreeMap<>();
  private final Map<RejectionReason, Long> rejected = new HashMap<>();
  private final long windowMs;
  private PolicyRecord policy;
  private long nowNanos = 1_800_000_000_000L * MS;
  private long admitted;
  private int strangers;

  LivePool(Random random, boolean tame) {
    this.random = random;
    this.tame = tame;
    windowMs = tame ? nowMs() : nowMs() + random.nextInt(20_000);
    recording = new Recording(POOL, SimulatorTest.TERMS, windowMs, 1_000_000);
    policy = PolicyRecord.ofBase(policy(), Set.of(), nowMs());
    envoys = new EnvoyFailureDetector(SimulatorTest.TERMS, nowMs());
    ledger = new PoolLedger(policy.policy(), SimulatorTest.TERMS, nowMs());
    follow(policy);
    for (int step = 0; step < STEPS; step++) {
      step();
    }
  }

  long admitted() {
    return admitted;
  }

  Map<RejectionReason, Long> rejected() {
    return rejected;
  }

  Simulation simulate(UnaryOperator<PoolPolicy> change) {
    return Simulator.of(
        new Request(POOL, windowMs, nowMs(), change),
        recording,
        Objects.requireNonNull(recording.policy()),
        SimulatorTest.TERMS);
  }

  private long nowMs() {
    return nowNanos / MS;
  }

  private PoolPolicy policy() {
    return new PoolPolicy(
            POOL,
            random.nextBoolean() ? PoolPolicy.UNLIMITED_RATE : 1 + random.nextInt(50),
            1 + random.nextInt(5),
            1 + random.nextInt(4),
            !tame && random.nextInt(8) == 0 ? PoolPolicy.Mode.SHADOW : PoolPolicy.Mode.ENFORCE,
            PoolPolicy.OnOwnerLoss.DENY,
            IntStream.range(0, random.nextInt(5))
                .mapToObj(i -> new Pod("pod-" + i, pod(i)))
                .toList())
        .placing(
            random.nextInt(3) == 0 ? Placement.AFFINITY : Placement.LEAST_CONNECTIONS,
            Affinity.header("x-user"),
            random.nextBoolean() ? Duration.ZERO : Duration.ofSeconds(3));
  }

  private static PodAddress pod(int i) {
    return PodAddress.parse("10.0.0." + (i + 1) + ":80");
  }

  private PodAddress anyPod() {
    return pod(random.nextInt(6));
  }

  private void step() {
    int dice = random.nextInt(100);
    if (dice < 40) {
      decide();
    } else if (dice < 58 && !underway.isEmpty()) {
      becomesOf(underway.remove(random.nextInt(underway.size())));
    } else if (dice < 68 && !open.isEmpty()) {
      String id = List.copyOf(open.keySet()).get(random.nextInt(open.size()));
      PodAddress pod = Objects.requireNonNull(open.remove(id));
      write(new Closed(POOL, id, pod, "envoy", "", (long) random.nextInt(9_000), nowMs()));
    } else if (dice < 70) {
      nowNanos = (nowMs() + 1) * MS;
      follow(
          policy
              .withPolicy(policy(), nowMs())
              .withDraining(random.nextBoolean() ? Set.of() : Set.of(anyPod()), nowMs()));
    } else if (dice < 82 && !tame) {
      wild(dice);
    } else {
      // Often several things happen in one millisecond.
      nowNanos += random.nextInt(3) == 0 ? random.nextInt(900) * MS : random.nextLong(MS);
    }
  }

  private void decide() {
    nowNanos += random.nextInt(200_000);
    String key = random.nextBoolean() ? null : "client-" + random.nextInt(20);
    Decision decision = ledger.decide(key, nowNanos);
    boolean inWindow = nowMs() >= windowMs;
    switch (decision) {
      case Decision.Allowed allowed -> {
        underway.add(allowed);
        admitted += inWindow ? 1 : 0;
      }
      case Decision.Rejected rejection -> {
        if (inWindow) {
          rejected.merge(rejection.reason(), 1L, Long::sum);
        }
      }
    }
    write(decision);
  }

  private void becomesOf(Decision.Allowed allowed) {
    int dice = random.nextInt(10);
    if (dice < 3) {
      write(failed(allowed));
    } else if (dice < 4 && !tame) {
      opened(allowed.id(), anyPod());
    } else if (dice < 9 || tame) {
      opened(allowed.id(), allowed.pod());
    }
    // Else nobody ever hears of it.
  }

  private Failed failed(Decision.Allowed allowed) {
    boolean reached = random.nextBoolean();
    return new Failed(
        POOL,
        allowed.id(),
        reached ? allowed.pod() : null,
        "envoy",
        503,
        reached ? "via_upstream" : "no_healthy_upstream",
        nowMs());
  }

  private void opened(String id, PodAddress pod) {
    open.put(id, pod);
    Opened opened = new Opened(POOL, id, pod, "envoy", nowMs(), nowMs());
    if (tame || random.nextInt(6) > 0) {
      write(opened);
    }
  }

  /** What heartbeats, leases, repetitions and strangers do. */
  private void wild(int dice) {
    if (dice < 72) {
      opened("stranger-" + strangers++, anyPod());
    } else if (dice < 75 && !events.isEmpty()) {
      write(events.get(random.nextInt(events.size())));
    } else if (dice < 78) {
      Map<PodAddress, List<String>> pods = new HashMap<>();
      open.forEach(
          (id, pod) -> {
            if (random.nextInt(4) > 0) {
              pods.computeIfAbsent(pod, at -> new ArrayList<>()).add(id);
            }
          });
      write(new Alive(POOL, "envoy", pods, nowMs()));
    } else {
      nowNanos += random.nextInt(800) * MS;
      presence(
          new Presence(
              "ingest",
              random.nextInt(5) == 0 ? Map.of() : Map.of("envoy", random.nextLong(2)),
              nowMs()));
    }
  }

  private void presence(Presence presence) {
    changes.clear();
    List<EnvoyFailureDetector.Eviction> verdicts = envoys.heard(presence, ledger::heartbeatMs);
    ledger.tick(envoys.nowMs(), envoys.streamBeganMs(), nowMs(), changes);
    verdicts.forEach(verdict -> ledger.apply(verdict, nowMs(), changes));
    recording.presence(0, presence, nowMs());
  }

  private void write(LedgerRecord record) {
    if (!(record instanceof Decision)) {
      events.add(record);
    }
    changes.clear();
    ledger.apply(record, changes);
    recording.record(0, record, nowMs());
  }

  private void follow(PolicyRecord record) {
    policy = record;
    ledger.follow(record.policy(), record.draining(), record.notReady(), nowNanos);
    recording.policy(0, record, nowMs());
  }
}
