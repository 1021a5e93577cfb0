package io.connectionledger.streams.rules;

import io.connectionledger.model.ConnectionEvent.Closed;
import io.connectionledger.model.ConnectionIds;
import io.connectionledger.model.PoolPolicy;
import io.connectionledger.streams.rules.StoredConnection.Ended;
import io.connectionledger.streams.rules.StoredConnection.Open;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.SequencedMap;
import org.jspecify.annotations.Nullable;

/**
 * Every connection of a pool in its state, with the end of that state, and the counts that follow
 * from them. The price of an expiry is what expires, not what is open: each map is in the order of
 * its deadlines, because all its entries live equally long from their last move to the end.
 */
final class ConnectionTable {

  // What a pool takes in at most, so that an Envoy which invents things fills no memory: twice what
  // the ledger is built for.
  private static final int MAX_OPEN = 2_000_000;
  private static final int MAX_ENDED = 4_000_000;
  private static final int MAX_ENVOYS = 10_000;
  private static final int MAX_FOREIGN_PODS = 1_000;

  private final String pool;
  private boolean places;
  private final LeaseTerms terms;
  private final PodTable pods;
  private final EnvoyTable envoys;
  private final CloseRate closeRate;
  private final LinkedHashMap<String, Held> reserved = new LinkedHashMap<>();

  /** Reserved for admissions of other instances; {@link ConnectionIds#isLent} tells them apart. */
  private final LinkedHashMap<String, Held> lent = new LinkedHashMap<>();

  private final LinkedHashMap<String, Held> open = new LinkedHashMap<>(16, 0.75f, true);
  private final LinkedHashMap<String, Long> ended = new LinkedHashMap<>();

  /** Given back before their decision came back from the log, which must not reserve again. */
  private final LinkedHashMap<String, Long> released = new LinkedHashMap<>();

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

  ConnectionTable(
      PoolPolicy policy,
      LeaseTerms terms,
      PodTable pods,
      EnvoyTable envoys,
      CloseRate closeRate,
      long leaseNowMs) {
    this.pool = policy.pool();
    this.places = places(policy);
    this.terms = terms;
    this.pods = pods;
    this.envoys = envoys;
    this.closeRate = closeRate;
    this.leaseNowMs = leaseNowMs;
  }

  private static boolean places(PoolPolicy policy) {
    // In shadow mode Envoy chooses the pod, and to land elsewhere is no news.
    return policy.mode() == PoolPolicy.Mode.ENFORCE;
  }

  void follow(PoolPolicy policy) {
    places = places(policy);
  }

  int open() {
    return open.size();
  }

  int reserved() {
    return reserved.size() + lent.size();
  }

  /** How many of the {@link #reserved} are lent. */
  int lent() {
    return lent.size();
  }

  boolean isReserved(String id) {
    return reservation(id) != null;
  }

  private @Nullable Held reservation(String id) {
    return reservations(id).get(id);
  }

  private SequencedMap<String, Held> reservations(String id) {
    return ConnectionIds.isLent(id) ? lent : reserved;
  }

  /** Lends a slot for longer; false when it is not lent, or its pod should get no connection. */
  boolean lendOn(String id, int limit) {
    Held held = lent.get(id);
    if (held == null
        || !held.pod.isPlaceable()
        || held.pod.circuit.isOpen()
        || held.pod.held() > limit) {
      return false;
    }
    lent.remove(id);
    held.sinceMs = leaseNowMs;
    lent.put(id, held);
    return true;
  }

  /** The pod that it is placed on; null when it is not reserved, or Envoy places it. */
  @Nullable PodSlot placedOn(String id) {
    Held held = places ? reservation(id) : null;
    return held == null ? null : held.pod;
  }

  /** Whether its handshake is known to have succeeded or to have failed. */
  boolean hasOutcome(String id) {
    return open.containsKey(id) || ended.containsKey(id);
  }

  /** Whether a decision about it comes too late: it opened, ended or was given back meanwhile. */
  boolean isPastReservation(String id) {
    return open.containsKey(id) || ended.containsKey(id) || released.containsKey(id);
  }

  void reserve(String id, PodSlot pod) {
    reservations(id).put(id, new Held(pod, null, leaseNowMs));
    pod.reserved++;
    pods.changed(pod);
  }

  /** Gives a reservation back; a connection that opens after all counts. */
  void release(String id) {
    if (dropReservation(id)) {
      released.put(id, leaseNowMs + terms.reservationMs());
    }
  }

  /** The connection has ended, whatever it was. */
  void close(String id, Changes changes) {
    if (!dropOpen(id)) {
      dropReservation(id);
    }
    end(id);
    changes.connection(id, new Ended());
  }

  /** The handshake did not succeed; means nothing for a connection that is open. */
  void fail(String id, Changes changes) {
    if (!open.containsKey(id)) {
      close(id, changes);
    }
  }

  /**
   * A sign of life of {@code id} on {@code pod}.
   *
   * @param startedAtMs null when it is a heartbeat
   * @return whether it is news of a handshake that succeeded on the pod
   */
  boolean seen(
      String id, PodSlot pod, EnvoyTable.Slot envoy, @Nullable Long startedAtMs, Changes changes) {
    if (ended.containsKey(id)) {
      return false;
    }
    Held held = open.get(id);
    if (held != null && held.pod == pod) {
      held.sinceMs = leaseNowMs;
      if (!held.confirmed) {
        held.confirmed = true;
        unconfirmed--;
      }
      return false;
    }
    boolean handshake = startedAtMs != null;
    if (held != null) {
      dropOpen(id);
      changes.addRepaired();
    } else if (refuses(pod, envoy)) {
      changes.addRefused();
      return false;
    } else {
      Held reservation = reservation(id);
      handshake |= reservation != null && reservation.pod == pod;
      dropReservation(id);
      changes.addEstablished();
      if (startedAtMs == null || (places && reservation != null && reservation.pod != pod)) {
        changes.addRepaired();
      }
    }
    hold(id, pod, envoy).confirmed = true;
    changes.connection(id, new Open(pod.address, envoy.node, startedAtMs));
    return handshake;
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
    Held held = reservations(id).remove(id);
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

  void end(String id) {
    // Removed first, so that a repeated close stays in the order of the deadlines.
    ended.remove(id);
    ended.put(id, leaseNowMs + terms.tombstoneMs());
    if (ended.size() > MAX_ENDED) {
      ended.pollFirstEntry();
    }
  }

  /** Puts an open connection back that is still to be heard from. */
  void restoreOpen(String id, PodSlot pod, EnvoyTable.Slot envoy) {
    hold(id, pod, envoy);
    unconfirmed++;
  }

  /**
   * Lets what is overdue expire.
   *
   * @param leaseNowMs the lease clock; may not decrease
   * @param nowMs milliseconds since the epoch
   */
  void tick(long leaseNowMs, long nowMs, Changes changes) {
    this.leaseNowMs = leaseNowMs;
    expire(reserved, terms.reservationMs(), changes);
    expire(lent, terms.lentMs(), changes);
    for (var next = open.firstEntry();
        next != null && next.getValue().sinceMs + terms.leaseMs() <= leaseNowMs;
        next = open.firstEntry()) {
      giveUp(next.getKey(), next.getValue(), Closed.LEASE_EXPIRED, nowMs, changes);
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
      String id = next.getKey();
      released.remove(id);
      if (!hasOutcome(id) && !isReserved(id)) {
        // It was stored, when its decision had come back before it was given back.
        changes.connection(id, null);
      }
    }
  }

  private void expire(SequencedMap<String, Held> reservations, long termMs, Changes changes) {
    for (var next = reservations.firstEntry();
        next != null && next.getValue().sinceMs + termMs <= leaseNowMs;
        next = reservations.firstEntry()) {
      String id = next.getKey();
      dropReservation(id);
      changes.connection(id, null);
    }
  }

  /** No tombstone: a heartbeat that comes after all proves that the connection lives. */
  private void giveUp(String id, Held held, String reason, long nowMs, Changes changes) {
    changes.givenUp(new Closed(pool, id, held.pod.address, held.node(), reason, null, nowMs));
    dropOpen(id);
    changes.connection(id, null);
  }

  /**
   * Gives up what a verdict names. Looks only at connections that were not heard since, which stand
   * first.
   */
  void giveUp(EnvoyWatch.Verdict verdict, long nowMs, Changes changes) {
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
    lost.forEach((id, held) -> giveUp(id, held, verdict.reason(), nowMs, changes));
  }

  /**
   * How many of the open connections were heard when they should have been, 0 to 1. Looks only at
   * those that were not, which stand first.
   *
   * @param silentMs for how long no ingest has been heard
   */
  double completeness(long silentMs) {
    long heartbeatMs = terms.heartbeat().toMillis();
    long overdueMs = leaseNowMs + silentMs - heartbeatMs - heartbeatMs / 2 - LeaseTerms.TRANSIT_MS;
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
}
