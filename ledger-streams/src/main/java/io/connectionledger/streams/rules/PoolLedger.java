package io.connectionledger.streams.rules;

import io.connectionledger.model.MaxUnacknowledged;
import io.connectionledger.model.PodAddress;
import io.connectionledger.model.event.ConnectionEvent;
import io.connectionledger.model.event.ConnectionEvent.Closed;
import io.connectionledger.model.event.ConnectionIds;
import io.connectionledger.model.event.Decision;
import io.connectionledger.model.event.DecisionInputs;
import io.connectionledger.model.event.EnvoyRejection;
import io.connectionledger.model.event.LedgerRecord;
import io.connectionledger.model.event.Loan;
import io.connectionledger.model.event.RejectionReason;
import io.connectionledger.model.policy.PoolPolicy;
import io.connectionledger.model.policy.PoolPolicy.Mode;
import io.connectionledger.model.view.PoolReadiness.EnvoyView;
import io.connectionledger.model.view.PoolView;
import io.connectionledger.model.view.PoolView.PodView;
import io.connectionledger.streams.rules.connections.CloseRate;
import io.connectionledger.streams.rules.connections.ConnectionTable;
import io.connectionledger.streams.rules.connections.EnvoyTable;
import io.connectionledger.streams.rules.connections.Reporting;
import io.connectionledger.streams.rules.connections.Reservations;
import io.connectionledger.streams.rules.lease.EnvoyFailureDetector;
import io.connectionledger.streams.rules.lease.LeaseTerms;
import io.connectionledger.streams.rules.placement.PodPicker;
import io.connectionledger.streams.rules.placement.PodState;
import io.connectionledger.streams.rules.placement.PodTable;
import io.connectionledger.streams.rules.state.Changes;
import io.connectionledger.streams.rules.state.StoredCircuitBreaker;
import io.connectionledger.streams.rules.state.StoredConnection;
import io.connectionledger.streams.rules.state.StoredConnection.Ended;
import io.connectionledger.streams.rules.state.StoredConnection.Open;
import io.connectionledger.streams.rules.state.StoredConnection.Reserved;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/**
 * The state of one pool, with two ways in: {@link #decide} turns a check into a decision, {@link
 * #apply} turns any record into state. {@code apply} is the same code live, after a restart and for
 * records that come twice or in any order: every record names the connection that it is about.
 *
 * <pre>
 *              allowed                opened, alive
 *   (unknown) ─────────▶ reserved ─────────────────▶ open
 *       │                 │    │                     │  │
 *       │    opened,      │    │ failed              │  │ closed
 *       │    alive        │    └────────▶ ended ◀────┘  │ alive on another pod: moves
 *       └──────────▶ open │ expired,       │            └──▶ open
 *                         ▼ released       ▼ tombstone expired      lease expired: unknown
 *                     (unknown)        (unknown)
 * </pre>
 *
 * <p>Not thread-safe: whoever calls holds the pool's lock.
 */
public final class PoolLedger {

  private static final long NANOS_PER_MS = 1_000_000;

  private PoolPolicy policy;
  private final PodTable pods = new PodTable();
  private final EnvoyTable envoys;
  private final LeaseTerms terms;
  private final Reporting reporting;
  private TokenBucket bucket;
  private final CloseRate closeRate = new CloseRate();
  private final ConnectionTable connections;
  private final RetryAfter afterTokens;
  private final RetryAfter afterRoom;
  private final RetryAfter afterProbes;

  /** Until when room is held back, on the lease clock; the past when none is. */
  private long headroomUntilMs = Long.MIN_VALUE;

  private long leaseNowMs;

  /**
   * An empty pool.
   *
   * @param leaseNowMs where the clock of {@link #tick} stands
   */
  public PoolLedger(PoolPolicy policy, LeaseTerms terms, long leaseNowMs) {
    this(policy, terms, leaseNowMs, new SplittableRandom());
  }

  /**
   * An empty pool.
   *
   * @param random spreads those who are told to come back
   */
  PoolLedger(PoolPolicy policy, LeaseTerms terms, long leaseNowMs, RandomGenerator random) {
    this.policy = policy;
    this.terms = terms;
    this.leaseNowMs = leaseNowMs;
    bucket = new TokenBucket(policy);
    envoys = new EnvoyTable(terms);
    connections = new ConnectionTable(policy, terms, pods, envoys, closeRate, leaseNowMs);
    reporting = new Reporting(terms, connections, envoys);
    afterTokens = new RetryAfter(random);
    afterRoom = new RetryAfter(random);
    afterProbes = new RetryAfter(random);
    pods.place(policy, Set.of(), Set.of(), leaseNowMs);
  }

  /**
   * Decides by another policy of the same pool from now on. What is open or reserved stays so, and
   * counts: on a pod with less room than it has connections, and on one that the policy does not
   * name any more.
   *
   * @param draining pods that are to lose their connections and take no new ones
   * @param notReady pods that take no new ones because Kubernetes does not call them ready
   * @param nowNanos nanoseconds since the epoch
   */
  public void follow(
      PoolPolicy other, Set<PodAddress> draining, Set<PodAddress> notReady, long nowNanos) {
    policy = other;
    bucket = bucket.converted(other, nowNanos);
    connections.follow(other);
    pods.place(other, draining, notReady, nowNanos / NANOS_PER_MS);
  }

  /**
   * Decides one check: rate limit, then room on a pod, then its circuit. An allowed one holds its
   * slot and its token from here on; a rejected one changes nothing.
   *
   * @param key what the client is known by, for a placement by affinity; null when it is not
   * @param listener where the client reached its Envoy, ip:port; null when the check does not say
   * @param nowNanos nanoseconds since the epoch
   */
  public Decision decide(@Nullable String key, @Nullable String listener, long nowNanos) {
    long nowMs = nowNanos / NANOS_PER_MS;
    connections.asked(listener);
    String id = ConnectionIds.next(nowMs);
    long waitNanos = bucket.nanosUntilToken(nowNanos);
    if (waitNanos > 0) {
      int seconds = afterTokens.seconds(nowNanos, waitNanos, bucket.intervalNanos());
      return rejected(id, RejectionReason.RATE_LIMITED, null, seconds, waitNanos, nowNanos);
    }
    PodState pod = pods.candidates().next(key, nowMs);
    if (pod == null) {
      return rejectedForWantOfAPod(id, key, nowNanos);
    }
    return allow(id, pod, listener, nowNanos);
  }

  private Decision.Allowed allow(
      String id, PodState pod, @Nullable String listener, long nowNanos) {
    long nowMs = nowNanos / NANOS_PER_MS;
    DecisionInputs basis = basis(pod, null, nowNanos);
    pods.chosen(pod, nowMs);
    bucket.take(nowNanos);
    connections.reserve(id, pod, listener);
    return new Decision.Allowed(
        policy.pool(),
        id,
        pod.address(),
        bucket.arrivalNanos(),
        nowMs,
        policy.mode(),
        basis,
        listener);
  }

  /** {@link #decide(String, String, long)} for a check that does not say where it came from. */
  public Decision decide(@Nullable String key, long nowNanos) {
    return decide(key, null, nowNanos);
  }

  /** {@link #decide(String, long)} for a client that is not known. */
  public Decision decide(long nowNanos) {
    return decide(null, nowNanos);
  }

  /**
   * Takes a decision that was made elsewhere by these rules as if {@link #decide} had made it here:
   * the next one finds the pool as it would have been found there.
   *
   * @param key as for {@link #decide}
   */
  public void retrace(Decision made, @Nullable String key) {
    switch (made) {
      case Decision.Allowed allowed -> {
        // For what it does to circuits and to pods that start slowly.
        pods.candidates().next(key, made.atMs());
        PodState pod = pods.slot(allowed.pod());
        pods.chosen(pod, made.atMs());
        bucket.restore(allowed.bucketNanos());
        if (!connections.isReserved(allowed.id()) && !connections.isPastReservation(allowed.id())) {
          connections.reserve(allowed.id(), pod, allowed.listener());
        }
      }
      case Decision.Rejected rejected -> {
        if (isForWantOfAPod(rejected.reason())) {
          pods.candidates().next(key, made.atMs());
        }
      }
    }
  }

  private static boolean isForWantOfAPod(RejectionReason reason) {
    return switch (reason) {
      case POD_LIMIT, CIRCUIT_OPEN, NO_PODS -> true;
      case RATE_LIMITED, NO_OWNER, UNKNOWN_POOL -> false;
    };
  }

  /**
   * Lends another instance slots, for it to admit with when it knows of no owner. Each takes a
   * token once and is reserved as any other, only for longer.
   *
   * @param held what it has been lent before and has not used
   * @param borrowers how many instances borrow
   * @param nowNanos nanoseconds since the epoch
   * @return what it may keep, and what comes to it; the latter must be recorded before it is told
   */
  public Loan lend(List<String> held, int borrowers, long nowNanos) {
    if (policy.onOwnerLoss() != PoolPolicy.OnOwnerLoss.SHARE || policy.mode() != Mode.ENFORCE) {
      return Loan.NONE;
    }
    int limit = policy.perPodMaxConnections();
    long capacity = (long) pods.candidates().size() * limit;
    Reservations reservations = connections.reservations();
    long room = capacity - connections.open().size() - reservations.size() + reservations.lent();
    int most = Lending.most(capacity, room, borrowers);
    List<String> kept = new ArrayList<>();
    for (String id : held) {
      if (kept.size() < most && connections.lendOn(id, limit)) {
        kept.add(id);
      }
    }
    List<Decision.Allowed> added = new ArrayList<>();
    while (kept.size() + added.size() < most && reservations.lent() < (long) most * borrowers) {
      Decision.Allowed slot = lendOne(nowNanos);
      if (slot == null) {
        break;
      }
      added.add(slot);
    }
    return new Loan(kept, added);
  }

  private Decision.@Nullable Allowed lendOne(long nowNanos) {
    long nowMs = nowNanos / NANOS_PER_MS;
    if (bucket.nanosUntilToken(nowNanos) > 0
        || !Lending.affords(bucket.tokens(nowNanos), policy.burstCapacity())) {
      return null;
    }
    PodState pod = pods.candidates().next(null, nowMs);
    // A probe is for a connection that opens now.
    return pod == null || pod.circuit().isOpen()
        ? null
        : allow(ConnectionIds.nextLent(nowMs), pod, null, nowNanos);
  }

  private Decision rejectedForWantOfAPod(String id, @Nullable String key, long nowNanos) {
    PodPicker candidates = pods.candidates();
    if (candidates.tripped() > 0) {
      // What the others find depends on the probe, so that nothing is known of their interval.
      PodState pod = candidates.nextProbe();
      long waitNanos = pod.waitsUntilMs() * NANOS_PER_MS - nowNanos;
      int seconds = afterProbes.seconds(nowNanos, waitNanos, 0);
      return rejected(id, RejectionReason.CIRCUIT_OPEN, pod, seconds, waitNanos, nowNanos);
    }
    boolean none = candidates.size() == 0;
    long closeNanos = (none ? CloseRate.MAX_MS : closeRate.untilNextMs()) * NANOS_PER_MS;
    int seconds = afterRoom.seconds(nowNanos, closeNanos, closeNanos);
    RejectionReason reason = none ? RejectionReason.NO_PODS : RejectionReason.POD_LIMIT;
    return rejected(id, reason, candidates.home(key), seconds, closeNanos, nowNanos);
  }

  private Decision rejected(
      String id,
      RejectionReason reason,
      @Nullable PodState pod,
      int retryAfterSeconds,
      long waitNanos,
      long nowNanos) {
    return new Decision.Rejected(
        policy.pool(),
        id,
        reason,
        pod == null ? null : pod.address(),
        retryAfterSeconds,
        nowNanos / NANOS_PER_MS,
        policy.mode(),
        basis(null, Math.ceilDiv(waitNanos, NANOS_PER_MS), nowNanos));
  }

  private DecisionInputs basis(@Nullable PodState chosen, @Nullable Long waitMs, long nowNanos) {
    PodPicker candidates = pods.candidates();
    return new DecisionInputs(
        chosen == null ? null : candidates.choice(),
        bucket.tokens(nowNanos),
        candidates.size(),
        candidates.tripped(),
        connections.open().size(),
        connections.reservations().size(),
        policy.perPodMaxConnections(),
        chosen == null ? null : chosen.held(),
        waitMs);
  }

  /**
   * Gives a reservation back; does nothing for a connection that is not reserved. Its decision may
   * still come back from the log, and must not reserve again; a connection that opens after all
   * (its check was given up just when it was answered) counts.
   */
  public void release(String id) {
    connections.release(id);
  }

  /**
   * Applies a record, own decisions that come back from the log included.
   *
   * @param changes is told what has to be stored
   */
  public void apply(LedgerRecord record, Changes changes) {
    switch (record) {
      case Decision.Allowed allowed -> applyAllowed(allowed, changes);
      // Changes no state; the history counts it.
      case Decision.Rejected rejected -> count(rejected.pod(), changes);
      case ConnectionEvent.Opened e -> {
        count(e.pod(), changes);
        EnvoyTable.Slot envoy = envoys.slot(e.envoy());
        envoy.heard(e.atMs());
        PodState pod = pods.slot(e.pod());
        if (connections.seen(e.connection(), pod, envoy, e.startedAtMs(), changes)) {
          pods.succeeded(pod, e.atMs(), changes);
        }
      }
      case ConnectionEvent.Alive e -> {
        EnvoyTable.Slot envoy = envoys.slot(e.envoy());
        envoy.heard(e.atMs());
        e.pods()
            .forEach(
                (address, ids) -> {
                  PodState pod = pods.slot(address);
                  for (String id : ids) {
                    if (connections.seen(id, pod, envoy, null, changes)) {
                      pods.succeeded(pod, e.atMs(), changes);
                    }
                  }
                });
        reporting.reported(envoy, changes);
      }
      case Closed e -> {
        count(e.pod(), changes);
        // The ledger's own conclusion is told to consumers; a heartbeat may have refuted it since.
        if (!e.concluded()) {
          connections.closed(e.connection(), e.envoy(), changes);
        }
      }
      case ConnectionEvent.Failed e -> applyFailed(e, changes);
    }
  }

  /** Not of a pod that the policy does not name: whoever invents pods would fill the history. */
  private void count(@Nullable PodAddress pod, Changes changes) {
    if (pod != null && pods.slot(pod).inPolicy()) {
      changes.countedOn(pod);
    }
  }

  private void applyFailed(ConnectionEvent.Failed event, Changes changes) {
    String id = event.connection();
    PodState reserved = connections.reservedOn(id);
    PodState pod = event.pod() == null ? connections.placedOn(id) : pods.slot(event.pod());
    if (pod != null) {
      count(pod.address(), changes);
    }
    if (ConnectionIds.isUnleased(id) && EnvoyRejection.of(event.reason()).isPresent()) {
      // Never reserved nor open, and there may be many: nothing is to be remembered of it.
      return;
    }
    connections.fail(id, changes);
    if (pod != null && pod == reserved) {
      // What was not reserved there says nothing of the pod: anybody may have made it up.
      pods.failed(pod, event, changes);
    }
  }

  private void applyAllowed(Decision.Allowed allowed, Changes changes) {
    bucket.restore(allowed.bucketNanos());
    changes.bucket(bucket.arrivalNanos());
    String id = allowed.id();
    if (connections.isPastReservation(id)) {
      return;
    }
    String listener = allowed.listener();
    if (!connections.isReserved(id)) {
      connections.reserve(id, pods.slot(allowed.pod()), listener);
    } else if (listener != null) {
      connections.spend(id, listener);
    }
    changes.connection(id, new Reserved(allowed.pod(), listener, false));
  }

  /**
   * Gives up what is overdue.
   *
   * @param leaseNowMs the lease clock; may not decrease
   * @param streamBeganMs when an Envoy last began an access-log stream, on the lease clock
   * @param nowMs milliseconds since the epoch, for those who are told
   */
  public void tick(long leaseNowMs, long streamBeganMs, long nowMs, Changes changes) {
    this.leaseNowMs = leaseNowMs;
    connections.tick(leaseNowMs, streamBeganMs, nowMs, changes);
    reporting.warn(leaseNowMs, changes);
    if (reservesHeadroom() && leaseNowMs >= headroomUntilMs) {
      headroomUntilMs = Long.MIN_VALUE;
      pods.reserveHeadroom(false, policy, nowMs);
    }
  }

  /** {@link #tick} where no Envoy has begun a stream. */
  void tick(long leaseNowMs, long nowMs, Changes changes) {
    tick(leaseNowMs, Long.MIN_VALUE / 2, nowMs, changes);
  }

  /**
   * Leaves room on each pod for what an owner before may have admitted and not recorded, {@link
   * MaxUnacknowledged#most} of each, until all of that has shown.
   *
   * @param nowMs milliseconds since the epoch
   */
  public void reserveHeadroom(long nowMs) {
    headroomUntilMs = leaseNowMs + terms.maxUnseen().toMillis();
    pods.reserveHeadroom(true, policy, nowMs);
  }

  /** Whether {@link #reserveHeadroom} is in force. */
  public boolean reservesHeadroom() {
    return headroomUntilMs != Long.MIN_VALUE;
  }

  /**
   * Gives up the connections that a verdict names.
   *
   * @param nowMs milliseconds since the epoch, for those who are told
   */
  public void apply(EnvoyFailureDetector.Eviction verdict, long nowMs, Changes changes) {
    connections.giveUp(verdict, nowMs, changes);
  }

  /** Puts a connection back as a store kept it, with a full lease from now. */
  public void restore(String id, StoredConnection stored) {
    switch (stored) {
      case Reserved r -> connections.restoreReserved(id, pods.slot(r.pod()), r);
      case Open o -> connections.restoreOpen(id, pods.slot(o.pod()), envoys.slot(o.envoy()));
      case Ended e -> connections.restoreEnded(id);
    }
  }

  /** Puts an open circuit back as a store kept it; false when the policy names no such pod. */
  public boolean restoreCircuit(PodAddress pod, StoredCircuitBreaker stored) {
    return pods.restore(pod, stored);
  }

  /** Puts the interval at which an Envoy reports back as a store kept it. */
  public void restoreInterval(String node, long intervalMs) {
    EnvoyTable.Slot envoy = envoys.slot(node);
    envoy.restoreInterval(intervalMs);
    envoys.learned(envoy);
  }

  /**
   * The interval at which an Envoy reports connections of the pool, milliseconds: the configured
   * one unless a longer one was observed.
   */
  public long heartbeatMs(String node) {
    EnvoyTable.Slot envoy = envoys.find(node);
    return envoy == null ? terms.heartbeat().toMillis() : envoy.heartbeatMs();
  }

  /** Why what is reported of the pool does not show all that is open, a sentence each. */
  public List<String> reportingProblems() {
    return reporting.problems(leaseNowMs);
  }

  /** Continues the token bucket where a store kept it. */
  public void restoreBucket(long arrivalNanos) {
    bucket.restore(arrivalNanos);
  }

  /** How many connections are open. */
  public int open() {
    return connections.open().size();
  }

  /**
   * The pool now.
   *
   * @param nowMs milliseconds since the epoch
   */
  public PoolView view(long nowMs) {
    return new PoolView(
        policy.pool(),
        nowMs,
        policy.mode(),
        connections.open().size(),
        connections.reservations().size(),
        connections.reservations().lent(),
        connections.reservations().unreported(),
        connections.open().unleased(),
        pods.views(policy.perPodMaxConnections()));
  }

  /**
   * How many of the open connections were heard when they should have been, 0 to 1.
   *
   * @param silentMs for how long no ingest has been heard
   */
  public double completeness(long silentMs) {
    return connections.completeness(silentMs);
  }

  /** The Envoys that hold connections of the pool, by node id. */
  public List<EnvoyView> envoys() {
    return envoys.views();
  }

  /**
   * The pods whose counts changed since the last call; one that is gone and empty has no
   * connections, and {@link PoolView.State#GONE}.
   */
  public List<PodView> changedPods() {
    return pods.changedViews(policy.perPodMaxConnections());
  }
}
