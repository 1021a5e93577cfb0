package io.connectionledger.streams.ownership;

import io.connectionledger.model.PodAddress;
import io.connectionledger.model.event.Decision;
import io.connectionledger.model.event.LedgerRecord;
import io.connectionledger.model.event.Loan;
import io.connectionledger.model.event.Presence;
import io.connectionledger.model.policy.PolicyRecord;
import io.connectionledger.model.policy.PoolPolicy;
import io.connectionledger.model.view.PoolReadiness;
import io.connectionledger.model.view.PoolView;
import io.connectionledger.model.view.PoolView.PodView;
import io.connectionledger.streams.rules.PoolLedger;
import io.connectionledger.streams.rules.lease.EnvoyFailureDetector;
import io.connectionledger.streams.rules.lease.LeaseTerms;
import io.connectionledger.streams.rules.state.Changes;
import io.connectionledger.streams.rules.state.StoredCircuitBreaker;
import io.connectionledger.streams.rules.state.StoredConnection;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * The pools of one partition that this instance owns. The stream thread applies records and
 * admission threads decide, all under one lock that is held for memory operations only.
 */
public final class PoolShard {

  /** Longer between two ticks, and we were paused or somebody set the machine's clock. */
  private static final long MAX_TICK_MS = 1_000;

  /** What more ingests than this complain of is not repeated in the readiness. */
  private static final int MAX_COMPLAINING = 100;

  private final ReentrantLock lock = new ReentrantLock();
  private final Map<String, PoolLedger> pools = new LinkedHashMap<>();
  private final EnvoyFailureDetector envoys;
  private final LeaseTerms terms;

  /** For how long no ingest has been heard, as far as our ticks tell. */
  private long silentMs = EnvoyFailureDetector.SILENCE_MS;

  /** What each ingest says is wrong with its Envoys. */
  private final Map<String, Said> said = new HashMap<>();

  /** Why the pods of a pool may not be those that Kubernetes has now. */
  private final Map<String, String> stale = new HashMap<>();

  /** For how long this instance has decided, as far as our ticks tell. */
  private long ownedMs;

  private long tickedMs;
  private long decidedNanos;
  private volatile boolean caughtUp;
  private volatile boolean reservesHeadroom;

  /** On the ticker; a shard that nobody disputes may decide for ever. */
  private volatile long decidesUntilNanos = Long.MAX_VALUE;

  /**
   * What an ingest said last.
   *
   * @param tickedMs when, in our ticks
   */
  private record Said(List<String> problems, long tickedMs) {}

  /**
   * Empty pools that do not decide yet.
   *
   * @param policies the pools of this partition
   */
  public PoolShard(Iterable<PoolPolicy> policies, LeaseTerms terms, long nowMs) {
    this.envoys = new EnvoyFailureDetector(terms, nowMs);
    this.terms = terms;
    this.tickedMs = nowMs;
    for (PoolPolicy policy : policies) {
      pools.put(policy.pool(), new PoolLedger(policy, terms, nowMs));
    }
  }

  /** Decides by another policy from now on; a pool that is new here begins empty. */
  public void follow(PolicyRecord record, long nowNanos) {
    lock.lock();
    try {
      pools
          .computeIfAbsent(
              record.pool(), pool -> new PoolLedger(record.policy(), terms, envoys.nowMs()))
          .follow(record.policy(), record.draining(), record.notReady(), nowNanos);
      String why = record.discovered() == null ? null : record.discovered().stale();
      if (why == null) {
        stale.remove(record.pool());
      } else {
        stale.put(record.pool(), why);
      }
    } finally {
      lock.unlock();
    }
  }

  /** From now on the shard decides. */
  public void caughtUp() {
    caughtUp = true;
  }

  /**
   * An owner before may have admitted what it did not record: room is left for it until it has
   * shown.
   *
   * @param nowMs by the machine's clock
   */
  public void reserveHeadroom(long nowMs) {
    lock.lock();
    try {
      pools.values().forEach(ledger -> ledger.reserveHeadroom(nowMs));
      reservesHeadroom = true;
    } finally {
      lock.unlock();
    }
  }

  /** Whether room is held back in any pool. */
  public boolean reservesHeadroom() {
    return reservesHeadroom;
  }

  public boolean isCaughtUp() {
    return caughtUp;
  }

  /** Whether it decides now, and no other instance does. */
  public boolean isDeciding(long nowNanos) {
    return caughtUp && nowNanos < decidesUntilNanos;
  }

  /** Another may have decided meanwhile: the shard decides no more until it has caught up again. */
  public void behind() {
    caughtUp = false;
  }

  /** Decides while the ticker is before {@code nanos}: until then no other instance does. */
  void decideUntil(long nanos) {
    decidesUntilNanos = nanos;
  }

  /** The shard's partition moved away: it decides nothing any more. */
  public void retire() {
    lock.lock();
    try {
      caughtUp = false;
      pools.clear();
    } finally {
      lock.unlock();
    }
  }

  /** The decision; null when this shard may not decide. */
  public @Nullable Decision decide(
      String pool, @Nullable String key, @Nullable String listener, long nowNanos) {
    lock.lock();
    try {
      PoolLedger ledger = pools.get(pool);
      if (ledger == null || !isDeciding(nowNanos)) {
        return null;
      }
      // Who looked at the clock first may have the lock last, and would find a token not there yet.
      decidedNanos = Math.max(decidedNanos, nowNanos);
      return ledger.decide(key, listener, decidedNanos);
    } finally {
      lock.unlock();
    }
  }

  /** {@link #decide} for a client that is not known, at an Envoy that is not. */
  public @Nullable Decision decide(String pool, long nowNanos) {
    return decide(pool, null, null, nowNanos);
  }

  /** {@link PoolLedger#lend}; null when this shard may not decide. */
  public @Nullable Loan lend(String pool, List<String> held, int borrowers, long nowNanos) {
    lock.lock();
    try {
      PoolLedger ledger = pools.get(pool);
      if (ledger == null || !isDeciding(nowNanos)) {
        return null;
      }
      decidedNanos = Math.max(decidedNanos, nowNanos);
      return ledger.lend(held, borrowers, decidedNanos);
    } finally {
      lock.unlock();
    }
  }

  public void release(Decision.Allowed reservation) {
    lock.lock();
    try {
      PoolLedger ledger = pools.get(reservation.pool());
      if (ledger != null) {
        ledger.release(reservation.id());
      }
    } finally {
      lock.unlock();
    }
  }

  /** How many connections of a pool are open; 0 for one without a policy. */
  public int open(String pool) {
    lock.lock();
    try {
      PoolLedger ledger = pools.get(pool);
      return ledger == null ? 0 : ledger.open();
    } finally {
      lock.unlock();
    }
  }

  public Optional<PoolView> view(String pool, long nowMs) {
    lock.lock();
    try {
      return Optional.ofNullable(pools.get(pool)).map(ledger -> ledger.view(nowMs));
    } finally {
      lock.unlock();
    }
  }

  public Optional<PoolReadiness> readiness(String pool, long nowMs) {
    lock.lock();
    try {
      PoolLedger ledger = pools.get(pool);
      if (ledger == null) {
        return Optional.empty();
      }
      List<String> reasons = new ArrayList<>();
      if (!caughtUp) {
        reasons.add("catching-up: the owner is new and still reads what there is");
      }
      boolean heard = silentMs < EnvoyFailureDetector.SILENCE_MS;
      if (!heard) {
        reasons.add(
            "no-ingest: no access-log service is heard, or Kafka does not take what they hear");
      }
      double completeness = ledger.completeness(heard ? 0 : silentMs);
      if (completeness < PoolReadiness.ENOUGH) {
        reasons.add("incomplete: completeness is below " + PoolReadiness.ENOUGH);
      }
      reasons.addAll(ledger.reportingProblems());
      String old = stale.get(pool);
      if (old != null) {
        reasons.add("endpoints-stale: " + old);
      }
      said.values().stream()
          .filter(last -> tickedMs - last.tickedMs < EnvoyFailureDetector.SILENCE_MS)
          .flatMap(last -> last.problems.stream())
          .distinct()
          .forEach(reasons::add);
      return Optional.of(
          new PoolReadiness(
              pool, nowMs, reasons.isEmpty(), completeness, ledger.envoys(), reasons));
    } finally {
      lock.unlock();
    }
  }

  /** Whether it decides, but for less than a lease: connections may be open that it never heard. */
  public boolean isNew() {
    lock.lock();
    try {
      return caughtUp && ownedMs < terms.leaseMs();
    } finally {
      lock.unlock();
    }
  }

  /**
   * Applies a record.
   *
   * @return whether its pool exists
   */
  public boolean apply(LedgerRecord record, Changes changes) {
    lock.lock();
    try {
      PoolLedger ledger = pools.get(record.pool());
      if (ledger == null) {
        return false;
      }
      ledger.apply(record, changes);
      return true;
    } finally {
      lock.unlock();
    }
  }

  /** Puts a stored connection back; false when its pool does not exist any more. */
  public boolean restore(String pool, String id, StoredConnection connection) {
    PoolLedger ledger = pools.get(pool);
    if (ledger == null) {
      return false;
    }
    ledger.restore(id, connection);
    return true;
  }

  /** Puts a stored circuit back; false when its pool or pod does not exist any more. */
  public boolean restoreCircuit(String pool, PodAddress pod, StoredCircuitBreaker circuit) {
    PoolLedger ledger = pools.get(pool);
    return ledger != null && ledger.restoreCircuit(pod, circuit);
  }

  /** Puts a stored interval back; false when its pool does not exist any more. */
  public boolean restoreInterval(String pool, String node, long intervalMs) {
    PoolLedger ledger = pools.get(pool);
    if (ledger == null) {
      return false;
    }
    ledger.restoreInterval(node, intervalMs);
    return true;
  }

  /** Puts a stored token bucket back; false when its pool does not exist any more. */
  public boolean restoreBucket(String pool, long arrivalNanos) {
    PoolLedger ledger = pools.get(pool);
    if (ledger == null) {
      return false;
    }
    ledger.restoreBucket(arrivalNanos);
    return true;
  }

  /**
   * Takes what an ingest says about its Envoys, and gives up what is overdue by it; nothing is
   * before the shard has caught up.
   *
   * @param nowMs by the machine's clock
   * @return what has to be stored, by pool
   */
  public Map<String, Changes> heard(Presence presence, long nowMs) {
    lock.lock();
    try {
      said.remove(presence.ingest());
      said.values().removeIf(last -> tickedMs - last.tickedMs >= EnvoyFailureDetector.SILENCE_MS);
      if (!presence.problems().isEmpty() && said.size() < MAX_COMPLAINING) {
        said.put(presence.ingest(), new Said(presence.problems(), tickedMs));
      }
      if (!caughtUp) {
        envoys.learn(presence);
        listened();
        return Map.of();
      }
      List<EnvoyFailureDetector.Eviction> verdicts = envoys.heard(presence, this::heartbeatMs);
      listened();
      Map<String, Changes> changed = new LinkedHashMap<>();
      pools.forEach(
          (pool, ledger) -> {
            Changes changes = new Changes();
            ledger.tick(envoys.nowMs(), envoys.streamBeganMs(), nowMs, changes);
            verdicts.forEach(verdict -> ledger.apply(verdict, nowMs, changes));
            if (!changes.isEmpty()) {
              changed.put(pool, changes);
            }
          });
      reservesHeadroom = pools.values().stream().anyMatch(PoolLedger::reservesHeadroom);
      return changed;
    } finally {
      lock.unlock();
    }
  }

  private void listened() {
    if (!envoys.isHeld()) {
      silentMs = 0;
    }
  }

  /** An Envoy reports all its pools in one rhythm; the slowest that was seen is it. */
  private long heartbeatMs(String node) {
    long longestMs = terms.heartbeat().toMillis();
    for (PoolLedger ledger : pools.values()) {
      longestMs = Math.max(longestMs, ledger.heartbeatMs(node));
    }
    return longestMs;
  }

  /**
   * Lets time pass in which no ingest may be heard.
   *
   * @param nowMs by the machine's clock
   */
  public void tick(long nowMs) {
    lock.lock();
    try {
      long passedMs = Math.clamp(nowMs - tickedMs, 0, MAX_TICK_MS);
      silentMs += passedMs;
      ownedMs = caughtUp ? ownedMs + passedMs : 0;
      tickedMs = nowMs;
    } finally {
      lock.unlock();
    }
  }

  /** The pods whose counts changed since the last call, by pool. */
  public Map<String, List<PodView>> changedPods() {
    lock.lock();
    try {
      Map<String, List<PodView>> changed = new LinkedHashMap<>();
      pools.forEach(
          (pool, ledger) -> {
            List<PodView> pods = ledger.changedPods();
            if (!pods.isEmpty()) {
              changed.put(pool, pods);
            }
          });
      return changed;
    } finally {
      lock.unlock();
    }
  }
}
