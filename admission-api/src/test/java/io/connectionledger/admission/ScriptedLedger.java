package io.connectionledger.admission;

import io.connectionledger.model.event.Decision;
import io.connectionledger.model.event.RejectionReason;
import io.connectionledger.model.policy.Affinity;
import io.connectionledger.model.policy.PoolPolicy.OnOwnerLoss;
import io.connectionledger.model.view.PoolHistory;
import io.connectionledger.model.view.PoolReadiness;
import io.connectionledger.model.view.PoolRejections;
import io.connectionledger.model.view.PoolReport;
import io.connectionledger.model.view.PoolView;
import io.connectionledger.streams.Decider;
import io.connectionledger.streams.Ledger;
import io.connectionledger.streams.Owner;
import io.connectionledger.streams.PoolQueries;
import io.connectionledger.streams.PoolRouting;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentSkipListSet;
import org.jspecify.annotations.Nullable;

/** A ledger that answers what the test wrote down, and remembers what it was asked. */
public final class ScriptedLedger implements Decider, PoolRouting, PoolQueries {

  public final Set<String> pools = new ConcurrentSkipListSet<>();

  /** The pools that claim requests, by host and path. */
  public final Map<String, String> claims = new ConcurrentHashMap<>();

  /** See {@link #maxUnseen}. */
  public static final Duration MAX_UNSEEN = Duration.ofSeconds(25);

  public final Map<String, PoolView> connections = new ConcurrentHashMap<>();
  public final Map<String, PoolRejections> rejections = new ConcurrentHashMap<>();
  public final Map<String, PoolHistory> histories = new ConcurrentHashMap<>();
  public final Map<String, PoolReport> reports = new ConcurrentHashMap<>();
  public final Map<String, PoolReport> standbys = new ConcurrentHashMap<>();
  public final Map<String, PoolReadiness> readiness = new ConcurrentHashMap<>();
  public final Deque<Decision> decisions = new ArrayDeque<>();
  public final Deque<Owner> owners = new ArrayDeque<>();
  public final List<Owner.Other> disowned = new ArrayList<>();
  public final List<Owner.Other> unreachable = new ArrayList<>();
  public final Set<String> others = new TreeSet<>();
  public OnOwnerLoss onOwnerLoss = OnOwnerLoss.DENY;
  public final List<String> asked = new ArrayList<>();
  public final List<String> keys = new ArrayList<>();
  public Affinity affinity = Affinity.NONE;
  public final List<Decision.Allowed> released = Collections.synchronizedList(new ArrayList<>());
  public boolean reservesHeadroom;
  public final ScriptedLoans loans = new ScriptedLoans();
  public String status = "ready";
  public volatile Watcher watcher = Watcher.NONE;

  /** When {@link #owners} says nothing. */
  public volatile Owner owner = Owner.NOBODY;

  public Ledger ledger() {
    return new Ledger(this, this, this, loans);
  }

  @Override
  public synchronized Decision decide(
      String pool, @Nullable String key, @Nullable String listener) {
    asked.add(pool);
    if (key != null) {
      keys.add(key);
    }
    return pools.contains(pool)
        ? decisions.removeFirst()
        : new Decision.Rejected(
            pool, "unknown-1", RejectionReason.UNKNOWN_POOL, null, 30, 1_700_000_000_000L);
  }

  @Override
  public Duration maxUnseen() {
    return MAX_UNSEEN;
  }

  @Override
  public boolean reservesHeadroom(String pool) {
    return reservesHeadroom;
  }

  @Override
  public Affinity affinity(String pool) {
    return affinity;
  }

  @Override
  public Owner owner(String pool) {
    return owners.isEmpty() ? owner : owners.removeFirst();
  }

  @Override
  public void disowned(String pool, Owner.Other owner) {
    disowned.add(owner);
  }

  @Override
  public void unreachable(String pool, Owner.Other owner) {
    unreachable.add(owner);
  }

  @Override
  public Set<String> others() {
    return others;
  }

  @Override
  public OnOwnerLoss onOwnerLoss(String pool) {
    return onOwnerLoss;
  }

  @Override
  public void release(Decision.Allowed reservation) {
    released.add(reservation);
  }

  @Override
  public String poolOf(String authority, String path) {
    String only = pools.size() == 1 ? pools.iterator().next() : "";
    return claims.getOrDefault(authority + path, only);
  }

  @Override
  public boolean isElsewhere(String pool) {
    return owner instanceof Owner.Other;
  }

  @Override
  public Set<String> pools() {
    return pools;
  }

  @Override
  public boolean isOwned(String pool) {
    return connections.containsKey(pool);
  }

  @Override
  public Optional<PoolView> connections(String pool) {
    return Optional.ofNullable(connections.get(pool));
  }

  @Override
  public void watch(Watcher next) {
    watcher = next;
  }

  @Override
  public Optional<PoolReadiness> readiness(String pool) {
    return Optional.ofNullable(readiness.get(pool));
  }

  @Override
  public Optional<PoolRejections> rejections(String pool) {
    return Optional.ofNullable(rejections.get(pool));
  }

  @Override
  public OptionalInt desiredPods(PoolView view) {
    PoolReport report = reports.get(view.pool());
    return report == null ? OptionalInt.empty() : OptionalInt.of(report.scaling().desiredPods());
  }

  @Override
  public Optional<PoolHistory> history(String pool) {
    return Optional.ofNullable(histories.get(pool));
  }

  @Override
  public Optional<PoolReport> report(String pool) {
    return Optional.ofNullable(reports.get(pool));
  }

  @Override
  public Optional<PoolReport> standby(String pool) {
    return Optional.ofNullable(standbys.get(pool));
  }

  @Override
  public boolean ready() {
    return status.equals("ready");
  }

  @Override
  public String status() {
    return status;
  }
}
