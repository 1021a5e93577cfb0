package io.connectionledger.streams.rules.connections;

import io.connectionledger.model.event.ConnectionIds;
import io.connectionledger.streams.rules.lease.LeaseTerms;
import io.connectionledger.streams.rules.placement.PodState;
import io.connectionledger.streams.rules.placement.PodTable;
import io.connectionledger.streams.rules.state.Changes;
import io.connectionledger.streams.rules.state.StoredConnection;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The slots that are held by what is not known to be open. The price of an expiry is what expires,
 * because each map is in the order of its deadlines.
 *
 * <pre>
 *   admitted ──▶ reserved ── no outcome in time ──▶ unreported ──▶ free, once its Envoy has reported
 *   lent ──────▶ lent ────── not used in time ────▶ free           a whole round without it, or after
 *                                                                  {@link LeaseTerms#unreported}
 * </pre>
 */
public final class Reservations {

  /** More listeners than this share one reporter. */
  static final int MAX_REPORTERS = 10_000;

  /** Listeners that nobody asked through for so long are forgotten when there are too many. */
  private static final long IDLE_MS = 3_600_000;

  private static final String UNKNOWN_LISTENER = "";

  private final LeaseTerms terms;
  private final PodTable pods;
  private final EnvoyTable envoys;
  private final LinkedHashMap<String, Reservation> reserved = new LinkedHashMap<>();

  /** Reserved for admissions of other instances; {@link ConnectionIds#isLent} tells them apart. */
  private final LinkedHashMap<String, Reservation> lent = new LinkedHashMap<>();

  private final Map<String, Reservation> unreported = new HashMap<>();
  private final Map<String, Reporter> reporters = new HashMap<>();

  /** Those that owe something. */
  private final Set<Reporter> owing = new LinkedHashSet<>();

  Reservations(LeaseTerms terms, PodTable pods, EnvoyTable envoys) {
    this.terms = terms;
    this.pods = pods;
    this.envoys = envoys;
  }

  /** All of them. */
  public int size() {
    return reserved.size() + lent.size() + unreported.size();
  }

  /** How many of them are lent. */
  public int lent() {
    return lent.size();
  }

  /** How many of them should have had an outcome. */
  public int unreported() {
    return unreported.size();
  }

  /** Those that owe something. */
  Set<Reporter> owing() {
    return owing;
  }

  /** Those that are known. */
  Iterable<Reporter> reporters() {
    return reporters.values();
  }

  @Nullable Reservation get(String id) {
    Reservation held = ConnectionIds.isLent(id) ? lent.get(id) : null;
    if (held == null) {
      held = reserved.get(id);
    }
    return held == null ? unreported.get(id) : held;
  }

  /** Whoever owes the outcomes of what is admitted through {@code listener}; null is unknown. */
  Reporter reporter(@Nullable String listener) {
    String name = listener == null ? UNKNOWN_LISTENER : listener;
    Reporter known = reporters.get(name);
    if (known != null) {
      return known;
    }
    if (reporters.size() >= MAX_REPORTERS) {
      long longAgoMs =
          reporters.values().stream().mapToLong(reporter -> reporter.askedMs).max().orElse(0)
              - IDLE_MS;
      reporters
          .values()
          .removeIf(reporter -> reporter.askedMs < longAgoMs && reporter.unreported.isEmpty());
      if (reporters.size() >= MAX_REPORTERS) {
        name = UNKNOWN_LISTENER;
      }
    }
    return reporters.computeIfAbsent(name, Reporter::new);
  }

  /** Holds a slot for what was admitted through {@code listener}. */
  void reserve(String id, PodState pod, @Nullable String listener, long leaseNowMs) {
    Reservation held = new Reservation(pod, reporter(listener), false, leaseNowMs);
    if (ConnectionIds.isLent(id) && listener == null) {
      lent.put(id, held);
      pod.lent();
    } else {
      reserved.put(id, held);
    }
    hold(pod);
  }

  /** Somebody was admitted with a lent slot, of which an outcome is owed from now on. */
  void spend(String id, String listener, long leaseNowMs) {
    Reservation held = lent.remove(id);
    if (held != null) {
      reserved.put(id, new Reservation(held.pod, reporter(listener), false, leaseNowMs));
      held.pod.unlent();
      pods.changed(held.pod);
    }
  }

  /** Lends a slot for longer; false when it is not lent, or its pod should get no connection. */
  boolean lendOn(String id, int limit, long leaseNowMs) {
    Reservation held = lent.get(id);
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

  /** Gives a slot back; null when there was none. */
  @Nullable Reservation drop(String id) {
    Reservation held = lent.remove(id);
    if (held != null) {
      held.pod.unlent();
    } else {
      held = reserved.remove(id);
    }
    if (held == null) {
      held = unreported.remove(id);
      if (held != null) {
        held.reporter.unreported.remove(id);
        if (held.reporter.unreported.isEmpty()) {
          owing.remove(held.reporter);
        }
      }
    }
    if (held != null) {
      held.pod.unreserved();
      pods.changed(held.pod);
    }
    return held;
  }

  private void hold(PodState pod) {
    pod.reserved();
    pods.changed(pod);
  }

  /** Holds the slot of a connection that was open and whose fate is not known any more. */
  StoredConnection holdOpen(String id, PodState pod, Reporter reporter, long leaseNowMs) {
    Reservation held = new Reservation(pod, reporter, true, leaseNowMs);
    owe(id, held);
    hold(pod);
    return stored(held);
  }

  /** Puts a slot back as a store kept it, for its full time from now. */
  void restore(String id, PodState pod, StoredConnection.Reserved stored, long leaseNowMs) {
    String listener = stored.listener();
    if (!stored.overdue()) {
      reserve(id, pod, listener, leaseNowMs);
    } else if (listener != null && listener.startsWith(StoredConnection.ENVOY)) {
      holdOpen(
          id,
          pod,
          reporterOf(listener.substring(StoredConnection.ENVOY.length()), leaseNowMs),
          leaseNowMs);
    } else {
      owe(id, new Reservation(pod, reporter(listener), false, leaseNowMs));
      hold(pod);
    }
  }

  private void owe(String id, Reservation held) {
    unreported.put(id, held);
    held.reporter.unreported.put(id, held);
    owing.add(held.reporter);
  }

  /** Whoever is behind a node of whose connections nothing was ever heard a second time. */
  Reporter reporterOf(String node, long leaseNowMs) {
    Reporter reporter = reporter(StoredConnection.ENVOY + node);
    if (reporter.node.isEmpty()) {
      reporter.reported(node, leaseNowMs);
    }
    return reporter;
  }

  /** A listener of {@code node} through which checks came since {@code sinceMs}; null for none. */
  @Nullable Reporter stillAsking(String node, long sinceMs) {
    for (Reporter reporter : reporters.values()) {
      if (reporter.node.equals(node) && !reporter.isShared() && reporter.askedMs > sinceMs) {
        return reporter;
      }
    }
    return null;
  }

  /**
   * Lets what is overdue expire.
   *
   * @param streamBeganMs when an Envoy last began an access-log stream, on the lease clock
   */
  void expire(long leaseNowMs, long streamBeganMs, Changes changes) {
    for (var next = reserved.firstEntry();
        next != null && next.getValue().sinceMs + terms.reservationMs() <= leaseNowMs;
        next = reserved.firstEntry()) {
      overdue(next.getKey(), next.getValue(), leaseNowMs, changes);
    }
    for (var next = lent.firstEntry();
        next != null && next.getValue().sinceMs + terms.lentMs() <= leaseNowMs;
        next = lent.firstEntry()) {
      free(next.getKey(), changes);
    }
    if (!owing.isEmpty()) {
      List.copyOf(owing).forEach(reporter -> settle(reporter, leaseNowMs, streamBeganMs, changes));
    }
  }

  private void overdue(String id, Reservation held, long leaseNowMs, Changes changes) {
    held.reporter.missed(held.sinceMs, leaseNowMs);
    changes.addUnreported();
    if (terms.unreported().isZero()) {
      free(id, changes);
    } else {
      reserved.remove(id);
      held.sinceMs = leaseNowMs;
      owe(id, held);
      changes.connection(id, stored(held));
    }
  }

  private static StoredConnection stored(Reservation overdue) {
    return new StoredConnection.Reserved(overdue.pod.address(), overdue.reporter.listener, true);
  }

  /** Frees what is not open by all that is known, and what was held for as long as is asked. */
  private void settle(Reporter reporter, long leaseNowMs, long streamBeganMs, Changes changes) {
    long provenMs = Long.MIN_VALUE;
    EnvoyTable.Slot envoy = reporter.isTrusted() ? envoys.find(reporter.node) : null;
    if (envoy != null && envoy.heartbeat.isKnown()) {
      long roundBeganMs = leaseNowMs - LeaseTerms.roundMs(envoy.heartbeat);
      if (reporter.reportsSinceMs <= roundBeganMs) {
        provenMs = roundBeganMs;
      }
    }
    long heldSinceMs = Math.max(provenMs, leaseNowMs - terms.unreported().toMillis());
    SequencedMap<String, Reservation> owed = reporter.unreported;
    for (var next = owed.firstEntry();
        next != null && next.getValue().sinceMs <= heldSinceMs;
        next = owed.firstEntry()) {
      free(next.getKey(), changes);
    }
    var oldest = owed.firstEntry();
    if (oldest != null
        && !reporter.isTrusted()
        && oldest.getValue().sinceMs < streamBeganMs
        && reporter.probedMs < streamBeganMs
        && leaseNowMs >= streamBeganMs + terms.leaseMs()) {
      // It may be mended, with nothing open that it could report, and full of what it never did:
      // one more shows whether it reports.
      reporter.probedMs = leaseNowMs;
      free(oldest.getKey(), changes);
    }
  }

  /** Frees what was admitted through the listeners of an Envoy before it was gone. */
  void envoyGone(String node, long beforeMs, Changes changes) {
    for (Reporter reporter : reporters.values()) {
      if (reporter.node.equals(node) && !reporter.isShared()) {
        List<String> lost = new ArrayList<>(reporter.unreported.keySet());
        for (Map.Entry<String, Reservation> entry : reserved.entrySet()) {
          Reservation held = entry.getValue();
          if (held.sinceMs >= beforeMs) {
            break;
          }
          if (held.reporter == reporter) {
            lost.add(entry.getKey());
          }
        }
        lost.forEach(id -> free(id, changes));
        reporter.lost();
      }
    }
  }

  private void free(String id, Changes changes) {
    drop(id);
    changes.connection(id, null);
  }
}
