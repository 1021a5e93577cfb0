package io.connectionledger.streams.rules;

import io.connectionledger.model.ConnectionEvent;
import io.connectionledger.model.ConnectionEvent.Closed;
import io.connectionledger.model.ConnectionIds;
import io.connectionledger.model.Decision;
import io.connectionledger.model.LedgerRecord;
import io.connectionledger.model.PoolPolicy;
import io.connectionledger.model.RejectionReason;
import io.connectionledger.streams.PoolReadiness.EnvoyView;
import io.connectionledger.streams.PoolView;
import io.connectionledger.streams.PoolView.PodView;
import io.connectionledger.streams.rules.StoredConnection.Ended;
import io.connectionledger.streams.rules.StoredConnection.Open;
import io.connectionledger.streams.rules.StoredConnection.Reserved;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The state of one pool, with two doors: {@link #decide} turns a check into a decision, {@link
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

  private static final long NANOS_PER_SECOND = 1_000_000_000;

  // What a pool takes in at most, so that an Envoy which invents things fills no memory: twice what
  // the ledger is built for.
  private static final int MAX_OPEN = 2_000_000;
  private static final int MAX_ENDED = 4_000_000;
  private static final int MAX_ENVOYS = 10_000;
  private static final int MAX_FOREIGN_PODS = 1_000;

  /** What an Envoy's log, the ingest and Kafka take from a heartbeat to here, generously. */
  private static final long TRANSIT_MS = 500;

  private final LeaseTerms terms;
  private final PodTable pods = new PodTable();
  private final EnvoyTable envoys = new EnvoyTable();
  private final TokenBucket bucket = new TokenBucket();
  private final CloseRate closeRate = new CloseRate();

  // Each map is in the order of its deadlines, because all its entries live equally long from their
  // last move to the end: the price of expiry is what expires.
  private final LinkedHashMap<String, Held> reserved = new LinkedHashMap<>();
  private final LinkedHashMap<String, Held> open = new LinkedHashMap<>(16, 0.75f, true);
  private final LinkedHashMap<String, Long> ended = new LinkedHashMap<>();
  private final LinkedHashMap<String, Long> released = new LinkedHashMap<>();

  private PoolPolicy policy;
  private long leaseNowMs;
  private int unconfirmed;

  /** A slot that a connection holds. Mutable, because a heartbeat touches nothing but its time. */
  private static final class Held {
    final PodSlot pod;
    final EnvoyTable.@Nullable Slot envoy;

    /** The last sign of life, on the lease clock. */
    long sinceMs;

    /** Whether there was one since this instance owns the pool. */
    boolean confirmed;

    Held(PodSlot pod, EnvoyTable.@Nullable Slot envoy, long sinceMs) {
      this.pod = pod;
      this.envoy = envoy;
      this.sinceMs = sinceMs;
    }

    String node() {
      return envoy == null ? "" : envoy.node;
    }
  }

  /**
   * An empty pool.
   *
   * @param leaseNowMs where the clock of {@link #tick} stands
   */
  public PoolLedger(PoolPolicy policy, LeaseTerms terms, long leaseNowMs) {
    this.policy = policy;
    this.terms = terms;
    this.leaseNowMs = leaseNowMs;
    bucket.limit(policy);
    pods.place(policy.pods());
  }

  /**
   * Decides one check: rate limit, then room on a pod. An allowed one holds its slot and its token
   * from here on; a rejected one changes nothing.
   *
   * @param nowNanos nanoseconds since the epoch
   */
  public Decision decide(long nowNanos) {
    long nowMs = nowNanos / 1_000_000;
    String id = ConnectionIds.next(nowMs);
    long waitNanos = bucket.nanosUntilToken(nowNanos);
    if (waitNanos > 0) {
      int seconds = (int) Math.ceilDiv(waitNanos, NANOS_PER_SECOND);
      return rejected(id, RejectionReason.RATE_LIMITED, seconds, nowMs);
    }
    PodSlot pod = pods.emptiest();
    if (pod == null) {
      return rejected(id, RejectionReason.NO_PODS, CloseRate.MAX_SECONDS, nowMs);
    }
    if (pod.held() >= policy.perPodMaxConnections()) {
      return rejected(id, RejectionReason.POD_LIMIT, closeRate.secondsUntilNext(), nowMs);
    }
    pods.chosen(pod);
    bucket.take(nowNanos);
    reserve(id, pod);
    return new Decision.Allowed(policy.pool(), id, pod.address, bucket.arrivalNanos(), nowMs);
  }

  private Decision rejected(String id, RejectionReason reason, int retryAfterSeconds, long nowMs) {
    return new Decision.Rejected(policy.pool(), id, reason, null, retryAfterSeconds, nowMs);
  }

  /**
   * Gives a reservation back; does nothing for a connection that is not reserved. Its decision may
   * still come back from the log, and must not reserve again; a connection that opens after all
   * (its check was given up just when it was answered) counts.
   */
  public void release(String id) {
    if (dropReservation(id)) {
      released.put(id, leaseNowMs + terms.reservationMs());
    }
  }

  /**
   * Applies a record, own decisions that come back from the log included.
   *
   * @param changes is told what has to be stored
   */
  public void apply(LedgerRecord record, Changes changes) {
    switch (record) {
      case Decision.Allowed allowed -> applyAllowed(allowed, changes);
      case Decision.Rejected rejected -> {
        // Changes no state; the history counts it.
      }
      case ConnectionEvent.Opened e -> {
        EnvoyTable.Slot envoy = envoys.slot(e.envoy());
        envoy.lastSeenMs = e.atMs();
        seen(e.connection(), pods.slot(e.pod()), envoy, e.startedAtMs(), changes);
      }
      case ConnectionEvent.Alive e -> {
        EnvoyTable.Slot envoy = envoys.slot(e.envoy());
        envoy.lastSeenMs = e.atMs();
        e.pods()
            .forEach(
                (address, ids) -> {
                  PodSlot pod = pods.slot(address);
                  for (String id : ids) {
                    seen(id, pod, envoy, null, changes);
                  }
                });
      }
      case Closed e -> applyClosed(e, changes);
      case ConnectionEvent.Failed e -> {
        if (dropReservation(e.connection()) || !open.containsKey(e.connection())) {
          end(e.connection());
          changes.connection(e.connection(), new Ended());
        }
      }
    }
  }

  private void applyAllowed(Decision.Allowed allowed, Changes changes) {
    bucket.restore(allowed.bucketNanos());
    changes.bucket(bucket.arrivalNanos());
    String id = allowed.id();
    if (open.containsKey(id) || ended.containsKey(id) || released.containsKey(id)) {
      return; // what came after it has come before it
    }
    if (!reserved.containsKey(id)) {
      reserve(id, pods.slot(allowed.pod()));
    }
    changes.connection(id, new Reserved(allowed.pod()));
  }

  private void applyClosed(Closed event, Changes changes) {
    if (event.concluded()) {
      return; // the owner's own conclusion, told to consumers; a heartbeat may have refuted it
      // since
    }
    String id = event.connection();
    if (!dropOpen(id)) {
      dropReservation(id);
    }
    end(id);
    changes.connection(id, new Ended());
  }

  private void reserve(String id, PodSlot pod) {
    reserved.put(id, new Held(pod, null, leaseNowMs));
    pod.reserved++;
    pods.changed(pod);
  }

  /**
   * A sign of life of {@code id} on {@code pod}.
   *
   * @param startedAtMs null when it is a heartbeat
   */
  private void seen(
      String id, PodSlot pod, EnvoyTable.Slot envoy, @Nullable Long startedAtMs, Changes changes) {
    if (ended.containsKey(id)) {
      return;
    }
    Held held = open.get(id);
    if (held != null && held.pod == pod) {
      held.sinceMs = leaseNowMs;
      if (!held.confirmed) {
        held.confirmed = true;
        unconfirmed--;
      }
      return;
    }
    if (held != null) {
      dropOpen(id);
      changes.addRepaired();
    } else if (refuses(pod, envoy)) {
      changes.addRefused();
      return;
    } else {
      Held reservation = reserved.get(id);
      dropReservation(id);
      changes.addEstablished();
      if (startedAtMs == null || (reservation != null && reservation.pod != pod)) {
        changes.addRepaired();
      }
    }
    hold(id, pod, envoy).confirmed = true;
    changes.connection(id, new Open(pod.address, envoy.node, startedAtMs));
  }

  private boolean refuses(PodSlot pod, EnvoyTable.Slot envoy) {
    return open.size() >= MAX_OPEN
        || (envoy.connections == 0 && envoys.size() >= MAX_ENVOYS)
        || (!pod.inPolicy() && pod.held() == 0 && pods.foreign() >= MAX_FOREIGN_PODS);
  }

  private Held hold(String id, PodSlot pod, EnvoyTable.Slot envoy) {
    Held held = new Held(pod, envoy, leaseNowMs);
    open.put(id, held);
    envoys.holds(envoy);
    pod.active++;
    pods.changed(pod);
    return held;
  }

  private boolean dropReservation(String id) {
    Held held = reserved.remove(id);
    if (held == null) {
      return false;
    }
    held.pod.reserved--;
    pods.changed(held.pod);
    return true;
  }

  private boolean dropOpen(String id) {
    Held held = open.remove(id);
    if (held == null) {
      return false;
    }
    if (held.envoy != null) {
      envoys.dropped(held.envoy);
    }
    if (!held.confirmed) {
      unconfirmed--;
    }
    held.pod.active--;
    pods.changed(held.pod);
    closeRate.closed(leaseNowMs);
    return true;
  }

  private void end(String id) {
    // Removed first, so that a repeated close stays in the order of the deadlines.
    ended.remove(id);
    ended.put(id, leaseNowMs + terms.tombstoneMs());
    if (ended.size() > MAX_ENDED) {
      ended.pollFirstEntry();
    }
  }

  /**
   * Lets what is overdue expire.
   *
   * @param leaseNowMs the lease clock; may not decrease
   */
  public void tick(long leaseNowMs, Changes changes) {
    this.leaseNowMs = leaseNowMs;
    for (var next = reserved.firstEntry();
        next != null && next.getValue().sinceMs + terms.reservationMs() <= leaseNowMs;
        next = reserved.firstEntry()) {
      String id = next.getKey();
      dropReservation(id);
      changes.connection(id, null);
    }
    for (var next = open.firstEntry();
        next != null && next.getValue().sinceMs + terms.leaseMs() <= leaseNowMs;
        next = open.firstEntry()) {
      giveUp(next.getKey(), next.getValue(), Closed.LEASE_EXPIRED, changes);
    }
    for (var next = ended.firstEntry();
        next != null && next.getValue() <= leaseNowMs;
        next = ended.firstEntry()) {
      ended.remove(next.getKey());
      changes.connection(next.getKey(), null);
    }
    for (var next = released.firstEntry();
        next != null && next.getValue() <= leaseNowMs;
        next = released.firstEntry()) {
      released.remove(next.getKey());
    }
  }

  /** No tombstone: a heartbeat that comes after all proves that the connection lives. */
  private void giveUp(String id, Held held, String reason, Changes changes) {
    changes.givenUp(
        new Closed(policy.pool(), id, held.pod.address, held.node(), reason, null, leaseNowMs));
    dropOpen(id);
    changes.connection(id, null);
  }

  /**
   * Gives up what a verdict names. Looks only at connections that were not heard since, which stand
   * first.
   */
  public void apply(EnvoyWatch.Verdict verdict, Changes changes) {
    Map<String, Held> lost = new LinkedHashMap<>();
    for (Map.Entry<String, Held> next : open.entrySet()) {
      Held held = next.getValue();
      if (held.sinceMs >= verdict.unheardSinceMs()) {
        break;
      }
      if (held.node().equals(verdict.envoy())) {
        lost.put(next.getKey(), held);
      }
    }
    lost.forEach((id, held) -> giveUp(id, held, verdict.reason(), changes));
  }

  /** Puts a connection back as a store kept it, with a full lease from now. */
  public void restore(String id, StoredConnection stored) {
    switch (stored) {
      case Reserved r -> reserve(id, pods.slot(r.pod()));
      case Open o -> {
        hold(id, pods.slot(o.pod()), envoys.slot(o.envoy()));
        unconfirmed++;
      }
      case Ended e -> end(id);
    }
  }

  /** Continues the token bucket where a store kept it. */
  public void restoreBucket(long arrivalNanos) {
    bucket.restore(arrivalNanos);
  }

  /** Takes a new policy of the same pool. Never closes a connection. */
  public void policy(PoolPolicy next) {
    policy = next;
    bucket.limit(next);
    pods.place(next.pods());
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
        open.size(),
        reserved.size(),
        pods.views(policy.perPodMaxConnections()));
  }

  /**
   * How many of the open connections were heard when they should have been, 0 to 1. Looks only at
   * those that were not, which stand first.
   *
   * @param silentMs for how long no ingest has been heard
   */
  public double completeness(long silentMs) {
    long heartbeatMs = terms.heartbeat().toMillis();
    long overdueMs = leaseNowMs + silentMs - heartbeatMs - heartbeatMs / 2 - TRANSIT_MS;
    int missing = unconfirmed;
    for (Held held : open.values()) {
      if (held.sinceMs >= overdueMs) {
        break;
      }
      if (held.confirmed) {
        missing++;
      }
    }
    return open.isEmpty() ? 1 : 1 - (double) missing / open.size();
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
