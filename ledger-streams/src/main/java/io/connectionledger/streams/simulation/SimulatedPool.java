package io.connectionledger.streams.simulation;

import io.connectionledger.model.PodAddress;
import io.connectionledger.model.event.ConnectionEvent;
import io.connectionledger.model.event.ConnectionEvent.Alive;
import io.connectionledger.model.event.ConnectionEvent.Closed;
import io.connectionledger.model.event.ConnectionEvent.Failed;
import io.connectionledger.model.event.ConnectionEvent.Opened;
import io.connectionledger.model.event.ConnectionIds;
import io.connectionledger.model.event.Decision;
import io.connectionledger.model.event.DecisionInputs;
import io.connectionledger.model.event.DecisionInputs.Choice;
import io.connectionledger.model.event.RejectionReason;
import io.connectionledger.model.policy.PolicyRecord;
import io.connectionledger.model.policy.PoolPolicy;
import io.connectionledger.model.view.Simulation.Outcome;
import io.connectionledger.streams.rules.PoolLedger;
import io.connectionledger.streams.rules.lease.LeaseTerms;
import io.connectionledger.streams.rules.placement.AffinityKeys;
import io.connectionledger.streams.rules.placement.PodFailureClassifier;
import io.connectionledger.streams.rules.state.Changes;
import java.util.Comparator;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.PriorityQueue;
import java.util.Set;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * A pool that lives through recorded steps under policies of its own. Until the window begins it
 * does what was done; from then on it decides each attempt itself. What became of a connection that
 * was admitted in both becomes of it here, on the pod that it has here; one that was admitted only
 * here lives for as long as it is told that they do. Nothing here has a lease: the steps say what
 * ended. Not thread-safe.
 */
final class SimulatedPool {

  private static final long NANOS_PER_MS = 1_000_000;
  private static final String ENVOY = "simulated";
  private static final PodAddress ANY_POD = new PodAddress("0.0.0.0", 1);

  private final LeaseTerms terms;
  private final UnaryOperator<PoolPolicy> change;
  private final OptionalLong lifeMs;
  private final Changes changes = new Changes();
  private final Peaks peaks = new Peaks();
  private final Map<RejectionReason, Long> rejected = new EnumMap<>(RejectionReason.class);
  private final Map<String, Placed> placed = new HashMap<>();

  /** Connections that were admitted and are not here. */
  private final Set<String> refused = new HashSet<>();

  private final PriorityQueue<End> ends = new PriorityQueue<>(Comparator.comparingLong(End::atMs));

  private @Nullable PoolLedger ledger;
  private @Nullable PolicyRecord policy;
  private AffinityKeys keys = AffinityKeys.NONE;
  private boolean began;
  private long admitted;
  private int named;

  /** A recorded connection here. */
  private static final class Placed {
    final String id;

    /** Where it was placed, and where it is placed here; null for one that nobody decided. */
    final @Nullable PodAddress recorded;

    final @Nullable PodAddress here;

    /** Who reported it last: nobody else's word ends it. */
    String envoy = ENVOY;

    boolean open;
    boolean ended;

    Placed(String id, @Nullable PodAddress recorded, @Nullable PodAddress here) {
      this.id = id;
      this.recorded = recorded;
      this.here = here;
    }

    /** The pod here of one that was on {@code pod}. */
    PodAddress pod(PodAddress pod) {
      return here != null && pod.equals(recorded) ? here : pod;
    }
  }

  /** When a connection that is only here ends. */
  private record End(long atMs, String id) {}

  /**
   * One in which nothing has happened.
   *
   * @param change makes its policy of a recorded one
   * @param lifeMs of connections that are only here; empty for ever
   */
  SimulatedPool(LeaseTerms terms, UnaryOperator<PoolPolicy> change, OptionalLong lifeMs) {
    this.terms = terms;
    this.change = change;
    this.lifeMs = lifeMs;
  }

  /** Lives through {@code steps}; call it once. */
  Outcome live(List<RecordedEvent> steps) {
    for (RecordedEvent step : steps) {
      if (step instanceof RecordedEvent.Followed first && ledger == null) {
        ledger = new PoolLedger(first.policy().policy(), terms, step.atMs());
      }
      if (ledger == null) {
        began |= step instanceof RecordedEvent.Begin;
        continue;
      }
      endUntil(ledger, step.atMs());
      take(ledger, step);
      peaks.see(ledger.changedPods());
    }
    return new Outcome(admitted, rejected, peaks.all());
  }

  private void take(PoolLedger pool, RecordedEvent step) {
    switch (step) {
      case RecordedEvent.Begin begin -> begin(pool, begin.atMs());
      case RecordedEvent.Followed followed -> {
        policy = followed.policy();
        follow(pool, followed.policy(), followed.atMs());
      }
      case RecordedEvent.Attempt attempt -> {
        String key = key(attempt.decision());
        if (began) {
          for (int i = 0; i < attempt.decision().attempts(); i++) {
            decide(pool, attempt, key);
          }
        } else {
          retrace(pool, attempt.decision(), key);
        }
      }
      case RecordedEvent.Told told -> told(pool, told.event());
      case RecordedEvent.Found found ->
          found.pods().forEach((id, pod) -> found(pool, id, pod, found.envoy(), found.atMs()));
      case RecordedEvent.Forgotten forgotten ->
          forget(pool, forgotten.connection(), forgotten.atMs());
    }
    changes.clear();
  }

  private void begin(PoolLedger pool, long atMs) {
    began = true;
    PolicyRecord recorded = policy;
    if (recorded != null && !change.apply(recorded.policy()).equals(recorded.policy())) {
      follow(pool, recorded, atMs);
    }
    peaks.clear();
    peaks.see(pool.view(atMs).pods());
  }

  private void follow(PoolLedger pool, PolicyRecord record, long atMs) {
    PoolPolicy own = began ? change.apply(record.policy()) : record.policy();
    pool.follow(own, record.draining(), record.notReady(), atMs * NANOS_PER_MS);
    keys = new AffinityKeys(own, record.draining());
  }

  /** A key that brings the client to the pod that its own key brought it to. */
  private @Nullable String key(Decision decision) {
    DecisionInputs basis = decision.basis();
    return decision instanceof Decision.Allowed allowed
            && basis != null
            && (basis.choice() == Choice.AFFINITY || basis.choice() == Choice.TRIAL)
        ? keys.of(allowed.pod())
        : null;
  }

  private void retrace(PoolLedger pool, Decision decision, @Nullable String key) {
    if (isSpent(decision)) {
      return;
    }
    pool.retrace(decision, key);
    if (decision instanceof Decision.Allowed allowed) {
      placed.put(allowed.id(), new Placed(allowed.id(), allowed.pod(), allowed.pod()));
    }
  }

  private void decide(PoolLedger pool, RecordedEvent.Attempt attempt, @Nullable String key) {
    Decision recorded = attempt.decision();
    if (recorded instanceof Decision.Rejected undecided && !byTheRules(undecided.reason())) {
      count(undecided.reason());
      return;
    }
    if (isSpent(recorded)) {
      count(placed.containsKey(recorded.id()) ? null : RejectionReason.NO_OWNER);
      return;
    }
    boolean lent = ConnectionIds.isLent(recorded.id());
    switch (pool.decide(key, attempt.nanos())) {
      case Decision.Allowed here -> {
        if (!lent) {
          count(null);
        }
        if (recorded instanceof Decision.Allowed there) {
          placed.put(there.id(), new Placed(here.id(), there.pod(), here.pod()));
        } else if (recorded.isShadow()) {
          // It got in all the same, as a connection that nobody decided.
          pool.release(here.id());
        } else {
          open(pool, here.id(), here.pod(), attempt.atMs());
        }
      }
      case Decision.Rejected here -> {
        if (!lent) {
          count(here.reason());
        }
        if (recorded instanceof Decision.Allowed there && !there.isShadow()) {
          refused.add(there.id());
        }
      }
    }
  }

  /** Whether another instance admits with a slot that it was lent, which is recorded already. */
  private boolean isSpent(Decision decision) {
    String id = decision.id();
    return ConnectionIds.isLent(id) && (placed.containsKey(id) || refused.contains(id));
  }

  /** Null for an attempt that was admitted. */
  private void count(@Nullable RejectionReason reason) {
    if (reason == null) {
      admitted++;
    } else {
      rejected.merge(reason, 1L, Long::sum);
    }
  }

  private static boolean byTheRules(RejectionReason reason) {
    return switch (reason) {
      case RATE_LIMITED, POD_LIMIT, CIRCUIT_OPEN, NO_PODS -> true;
      case NO_OWNER, UNKNOWN_POOL -> false;
    };
  }

  /** A handshake that was not made succeeds. */
  private void open(PoolLedger pool, String id, PodAddress pod, long atMs) {
    pool.apply(new Opened("", id, pod, ENVOY, atMs, atMs), changes);
    if (lifeMs.isPresent()) {
      ends.add(new End(atMs + lifeMs.getAsLong(), id));
    }
  }

  private void endUntil(PoolLedger pool, long atMs) {
    for (End next = ends.peek(); next != null && next.atMs <= atMs; next = ends.peek()) {
      ends.remove();
      pool.apply(closed(next.id, ENVOY, next.atMs), changes);
      changes.clear();
    }
  }

  /** The rules do not look at the pod of an end. */
  private static Closed closed(String id, String envoy, long atMs) {
    return new Closed("", id, ANY_POD, envoy, "", null, atMs);
  }

  private Placed known(String connection) {
    return placed.computeIfAbsent(
        connection,
        // Another name each time, because its end may have left a tombstone.
        id -> new Placed(id + '~' + named++, null, null));
  }

  private void told(PoolLedger pool, ConnectionEvent event) {
    switch (event) {
      case Opened e -> {
        if (!refused.contains(e.connection())) {
          Placed it = known(e.connection());
          it.open = !it.ended;
          it.envoy = e.envoy();
          pool.apply(
              new Opened("", it.id, it.pod(e.pod()), e.envoy(), e.startedAtMs(), e.atMs()),
              changes);
        }
      }
      case Closed e -> {
        if (!refused.contains(e.connection())) {
          Placed it = known(e.connection());
          it.ended = true;
          pool.apply(closed(it.id, it.envoy, e.atMs()), changes);
        }
      }
      case Failed e -> {
        if (!refused.contains(e.connection())) {
          failed(pool, e, known(e.connection()));
        }
      }
      case Alive e -> throw new IllegalArgumentException("heartbeats are no steps");
    }
  }

  private void found(PoolLedger pool, String connection, PodAddress pod, String envoy, long atMs) {
    if (!refused.contains(connection)) {
      Placed it = known(connection);
      it.open = true;
      it.envoy = envoy;
      pool.apply(new Alive("", envoy, Map.of(it.pod(pod), List.of(it.id)), atMs), changes);
    }
  }

  private void failed(PoolLedger pool, Failed e, Placed it) {
    PodAddress there = e.pod() == null ? it.recorded : e.pod();
    if (there != null
        && !there.equals(it.pod(there))
        && PodFailureClassifier.fault(e) != PodFailureClassifier.Fault.OTHER) {
      if (!it.open && !it.ended) {
        it.open = true;
        open(pool, it.id, it.pod(there), e.atMs());
      }
      return;
    }
    it.ended |= !it.open;
    PodAddress pod = e.pod() == null ? null : it.pod(e.pod());
    pool.apply(new Failed("", it.id, pod, e.envoy(), e.status(), e.reason(), e.atMs()), changes);
  }

  private void forget(PoolLedger pool, String connection, long atMs) {
    refused.remove(connection);
    Placed it = placed.get(connection);
    if (it == null) {
      return;
    }
    if (it.ended) {
      placed.remove(connection);
    } else if (it.open) {
      placed.remove(connection);
      pool.apply(closed(it.id, it.envoy, atMs), changes);
    } else {
      // It may open after all.
      pool.release(it.id);
    }
  }
}
