package io.connectionledger.streams.rules.connections;

import io.connectionledger.model.event.ConnectionEvent.Closed;
import io.connectionledger.model.policy.PoolPolicy;
import io.connectionledger.streams.rules.lease.EnvoyFailureDetector;
import io.connectionledger.streams.rules.lease.HeartbeatInterval;
import io.connectionledger.streams.rules.lease.LeaseTerms;
import io.connectionledger.streams.rules.placement.PodState;
import io.connectionledger.streams.rules.placement.PodTable;
import io.connectionledger.streams.rules.state.Changes;
import io.connectionledger.streams.rules.state.StoredConnection;
import io.connectionledger.streams.rules.state.StoredConnection.Ended;
import io.connectionledger.streams.rules.state.StoredConnection.Open;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Every connection of a pool in its state, with the end of that state, and the counts that follow
 * from them.
 */
public final class ConnectionTable {

  // What a pool takes in at most of what it has not admitted itself, so that whoever invents things
  // fills no memory: twice what the ledger is built for. What it has admitted is bounded by its
  // policy, and is never refused for what others report.
  private static final int MAX_OPEN = 2_000_000;
  private static final int MAX_ENDED = 4_000_000;
  private static final int MAX_ENVOYS = 10_000;
  private static final int MAX_FOREIGN_PODS = 1_000;

  /** The most that one Envoy may hold, beyond what was admitted: far more than one can carry. */
  private static final int MAX_OPEN_OF_AN_ENVOY = 500_000;

  /** The most that all Envoys may hold which never opened what was admitted here. */
  private static final int MAX_OPEN_UNPROVEN = 1_000_000;

  private static final Bounds BOUNDS =
      new Bounds(MAX_OPEN, MAX_OPEN_OF_AN_ENVOY, MAX_OPEN_UNPROVEN, MAX_ENDED);

  private final String pool;
  private boolean places;
  private final LeaseTerms terms;
  private final Bounds bounds;
  private final PodTable pods;
  private final EnvoyTable envoys;
  private final CloseRate closeRate;
  private final Reservations reservations;
  private final OpenConnections open;
  private final LinkedHashMap<String, Long> ended = new LinkedHashMap<>();

  /**
   * Given back; their decisions, which may still come back from the log, must not reserve again.
   */
  private final LinkedHashMap<String, Long> released = new LinkedHashMap<>();

  /** Given back since the last tick: their decisions may be stored. */
  private final List<String> toForget = new ArrayList<>();

  /** Concluded to have ended, by a silence that one more sign of life would refute. */
  private final LinkedHashMap<String, GivenUp> givenUp = new LinkedHashMap<>();

  private long leaseNowMs;

  /**
   * What was concluded of a connection.
   *
   * @param byLease whether its Envoy was not known to be gone
   */
  private record GivenUp(long atMs, long heardMs, boolean byLease) {}

  /** The bounds above. */
  record Bounds(int open, int openOfAnEnvoy, int openUnproven, int ended) {}

  public ConnectionTable(
      PoolPolicy policy,
      LeaseTerms terms,
      PodTable pods,
      EnvoyTable envoys,
      CloseRate closeRate,
      long leaseNowMs) {
    this(policy, terms, pods, envoys, closeRate, leaseNowMs, BOUNDS);
  }

  ConnectionTable(
      PoolPolicy policy,
      LeaseTerms terms,
      PodTable pods,
      EnvoyTable envoys,
      CloseRate closeRate,
      long leaseNowMs,
      Bounds bounds) {
    this.bounds = bounds;
    this.pool = policy.pool();
    this.places = places(policy);
    this.terms = terms;
    this.pods = pods;
    this.envoys = envoys;
    this.closeRate = closeRate;
    this.reservations = new Reservations(terms, pods, envoys);
    this.open = new OpenConnections(terms, envoys);
    this.leaseNowMs = leaseNowMs;
  }

  private static boolean places(PoolPolicy policy) {
    // In shadow mode Envoy chooses the pod, and to land elsewhere is no news.
    return policy.mode() == PoolPolicy.Mode.ENFORCE;
  }

  public void follow(PoolPolicy policy) {
    places = places(policy);
  }

  public OpenConnections open() {
    return open;
  }

  public Reservations reservations() {
    return reservations;
  }

  public boolean isReserved(String id) {
    return reservations.get(id) != null;
  }

  /** The pod on which it holds a slot unopened; null when it holds none. */
  public @Nullable PodState reservedOn(String id) {
    Reservation held = reservations.get(id);
    return held == null || held.wasOpen ? null : held.pod;
  }

  /** The pod that it is placed on; null when it is not reserved, or Envoy places it. */
  public @Nullable PodState placedOn(String id) {
    Reservation held = places ? reservations.get(id) : null;
    return held == null ? null : held.pod;
  }

  /** Whether its handshake is known to have succeeded or to have failed. */
  public boolean hasOutcome(String id) {
    return open.contains(id) || ended.containsKey(id);
  }

  /** Whether a decision about it comes too late: it opened, ended or was given back meanwhile. */
  public boolean isPastReservation(String id) {
    return open.contains(id) || ended.containsKey(id) || released.containsKey(id);
  }

  /** A check came through {@code listener}. */
  public void asked(@Nullable String listener) {
    reservations.reporter(listener).askedMs = leaseNowMs;
  }

  public void reserve(String id, PodState pod, @Nullable String listener) {
    reservations.reserve(id, pod, listener, leaseNowMs);
  }

  /** Somebody was admitted with a lent slot. */
  public void spend(String id, String listener) {
    reservations.spend(id, listener, leaseNowMs);
  }

  public boolean lendOn(String id, int limit) {
    return reservations.lendOn(id, limit, leaseNowMs);
  }

  /** Gives a reservation back; a connection that opens after all counts. */
  public void release(String id) {
    if (reservations.drop(id) != null) {
      released.put(id, leaseNowMs + LeaseTerms.RECORDED_MS);
      if (released.size() > bounds.ended()) {
        released.pollFirstEntry();
      }
      if (toForget.size() < bounds.ended()) {
        toForget.add(id);
      }
    }
  }

  /** An Envoy reports the end of a connection; of another's it says nothing that is believed. */
  public void closed(String id, String node, Changes changes) {
    OpenConnection known = open.get(id);
    if (known != null && !known.envoy.node.equals(node)) {
      changes.addRefused();
      return;
    }
    if (!ended.containsKey(id)) {
      boolean seenOpen = open.contains(id) || givenUp.containsKey(id);
      EnvoyTable.Slot envoy = envoys.slot(node);
      envoy.ended(seenOpen, leaseNowMs);
      envoys.learned(envoy);
      if (!seenOpen) {
        changes.addUnreported();
      }
    }
    close(id, changes);
  }

  private void close(String id, Changes changes) {
    if (!dropOpen(id)) {
      reservations.drop(id);
    }
    changes.connection(id, new Ended());
    String forgotten = remember(id);
    if (forgotten != null) {
      changes.connection(forgotten, null);
    }
  }

  /** The handshake did not succeed; means nothing for a connection that is open. */
  public void fail(String id, Changes changes) {
    if (!open.contains(id)) {
      close(id, changes);
    }
  }

  /**
   * A sign of life of {@code id} on {@code pod}.
   *
   * @param startedAtMs null when it is a heartbeat
   * @return whether it is news of a handshake that succeeded on the pod
   */
  public boolean seen(
      String id, PodState pod, EnvoyTable.Slot envoy, @Nullable Long startedAtMs, Changes changes) {
    if (ended.containsKey(id)) {
      return false;
    }
    OpenConnection known = open.get(id);
    if (known != null && known.pod == pod) {
      open.heard(known, leaseNowMs);
      return false;
    }
    boolean handshake = startedAtMs != null;
    if (known != null) {
      dropOpen(id);
      changes.addRepaired();
    } else if (!isReserved(id) && refuses(pod, envoy)) {
      changes.addRefused();
      return false;
    } else {
      handshake |= takeSlot(id, pod, envoy, startedAtMs == null, changes);
    }
    open.add(id, pod, envoy, leaseNowMs, true);
    pod.opened();
    pods.changed(pod);
    changes.connection(id, new Open(pod.address(), envoy.node, startedAtMs));
    return handshake;
  }

  /** Gives back what it holds unopened; whether it is the first news of a handshake on the pod. */
  private boolean takeSlot(
      String id, PodState pod, EnvoyTable.Slot envoy, boolean heartbeat, Changes changes) {
    GivenUp conclusion = givenUp.remove(id);
    if (conclusion != null && conclusion.byLease && heartbeat) {
      envoy.heartbeat.refuted(leaseNowMs - conclusion.heardMs);
    }
    Reservation held = reservations.drop(id);
    if (held != null) {
      held.reporter.reported(envoy.node, leaseNowMs);
      envoys.proven(envoy);
    }
    if (conclusion == null) {
      changes.addEstablished();
    }
    if (heartbeat || (places && held != null && held.pod != pod)) {
      changes.addRepaired();
    }
    return held != null && !held.wasOpen && held.pod == pod;
  }

  private boolean refuses(PodState pod, EnvoyTable.Slot envoy) {
    return open.size() >= bounds.open()
        || envoy.connections >= bounds.openOfAnEnvoy()
        || (!envoy.isProven() && envoys.unproven() >= bounds.openUnproven())
        || (!envoy.isProven() && envoy.connections == 0 && envoys.size() >= MAX_ENVOYS)
        || (!pod.inPolicy() && pod.held() == 0 && pods.foreign() >= MAX_FOREIGN_PODS);
  }

  private boolean dropOpen(String id) {
    OpenConnection connection = open.remove(id);
    if (connection == null) {
      return false;
    }
    connection.pod.closed();
    pods.changed(connection.pod);
    closeRate.closed(leaseNowMs);
    return true;
  }

  /** Puts a connection back that has ended. */
  public void restoreEnded(String id) {
    var unused = remember(id);
  }

  /** Keeps that it has ended; the one that is forgotten for it, null for none. */
  private @Nullable String remember(String id) {
    // Removed first, so that a repeated close stays in the order of the deadlines.
    ended.remove(id);
    ended.put(id, leaseNowMs + terms.tombstoneMs());
    return ended.size() > bounds.ended() ? ended.pollFirstEntry().getKey() : null;
  }

  /** Puts an open connection back that is still to be heard from. */
  public void restoreOpen(String id, PodState pod, EnvoyTable.Slot envoy) {
    open.add(id, pod, envoy, leaseNowMs, false);
    pod.opened();
    pods.changed(pod);
  }

  /** Puts a slot back whose connection is not known to be open. */
  public void restoreReserved(String id, PodState pod, StoredConnection.Reserved stored) {
    reservations.restore(id, pod, stored, leaseNowMs);
  }

  /**
   * Lets what is overdue expire.
   *
   * @param leaseNowMs the lease clock; may not decrease
   * @param streamBeganMs when an Envoy last began an access-log stream, on the lease clock
   * @param nowMs milliseconds since the epoch
   */
  public void tick(long leaseNowMs, long streamBeganMs, long nowMs, Changes changes) {
    this.leaseNowMs = leaseNowMs;
    for (String node : envoys.forgotten()) {
      changes.interval(node, null);
    }
    reservations.expire(leaseNowMs, streamBeganMs, changes);
    for (OpenConnection connection : open.expired(leaseNowMs)) {
      giveUp(connection, Closed.LEASE_EXPIRED, nowMs, holderOf(connection.envoy), changes);
    }
    for (var next = givenUp.firstEntry();
        next != null && next.getValue().atMs + HeartbeatInterval.MAX_MS <= leaseNowMs;
        next = givenUp.firstEntry()) {
      givenUp.remove(next.getKey());
    }
    for (var next = ended.firstEntry();
        next != null && next.getValue() <= leaseNowMs;
        next = ended.firstEntry()) {
      ended.remove(next.getKey());
      changes.connection(next.getKey(), null);
    }
    for (String id : toForget) {
      if (!hasOutcome(id)) {
        changes.connection(id, null);
      }
    }
    toForget.clear();
    for (var next = released.firstEntry();
        next != null && next.getValue() <= leaseNowMs;
        next = released.firstEntry()) {
      released.remove(next.getKey());
    }
  }

  /** Who holds the slot of a connection that was given up; null to free it. */
  private @Nullable Reporter holderOf(EnvoyTable.Slot envoy) {
    // Never heard twice: its interval may be longer than the lease, or it sends no heartbeats.
    return envoy.heartbeat.isKnown() || terms.unreported().isZero()
        ? null
        : reservations.reporterOf(envoy.node, leaseNowMs);
  }

  /** No tombstone: a heartbeat that comes after all proves that the connection lives. */
  private void giveUp(
      OpenConnection connection,
      String reason,
      long nowMs,
      @Nullable Reporter holder,
      Changes changes) {
    String id = connection.id;
    changes.givenUp(
        new Closed(pool, id, connection.pod.address(), connection.envoy.node, reason, null, nowMs));
    dropOpen(id);
    givenUp.put(
        id, new GivenUp(leaseNowMs, connection.sinceMs, reason.equals(Closed.LEASE_EXPIRED)));
    if (givenUp.size() > bounds.ended()) {
      givenUp.pollFirstEntry();
    }
    if (holder == null) {
      changes.connection(id, null);
    } else {
      holder.missed(connection.sinceMs, leaseNowMs);
      changes.addUnreported();
      changes.connection(id, reservations.holdOpen(id, connection.pod, holder, leaseNowMs));
    }
  }

  /** Gives up what a verdict names, unless the Envoy proves to live by asking. */
  public void giveUp(EnvoyFailureDetector.Eviction verdict, long nowMs, Changes changes) {
    String node = verdict.envoy();
    long sinceMs = verdict.unheardSinceMs();
    boolean gone = verdict.reason().equals(Closed.ENVOY_GONE);
    Reporter asking =
        gone && !verdict.succeeded() && !terms.unreported().isZero()
            ? reservations.stillAsking(node, sinceMs)
            : null;
    if (gone && asking == null) {
      reservations.envoyGone(node, sinceMs, changes);
      forgetInterval(node, changes);
    }
    for (OpenConnection connection : open.unheard(node, sinceMs)) {
      Reporter holder = gone ? asking : holderOf(connection.envoy);
      giveUp(connection, verdict.reason(), nowMs, holder, changes);
    }
    if (asking != null) {
      asking.lost();
    } else if (gone) {
      envoys.forget(node);
    }
  }

  private void forgetInterval(String node, Changes changes) {
    EnvoyTable.Slot envoy = envoys.find(node);
    if (envoy != null && envoy.storedIntervalMs > 0) {
      envoy.storedIntervalMs = 0;
      changes.interval(node, null);
    }
  }

  /**
   * How many of the connections that are or may be open were heard when they should have been, 0 to
   * 1.
   *
   * @param silentMs for how long no ingest has been heard
   */
  public double completeness(long silentMs) {
    int all = open.size() + reservations.unreported();
    int missing = open.missing(leaseNowMs, silentMs) + reservations.unreported();
    return all == 0 ? 1 : 1 - (double) missing / all;
  }
}
