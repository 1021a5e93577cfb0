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
import io.connectionledger.model.event.LedgerRecord;
import io.connectionledger.model.event.Presence;
import io.connectionledger.model.event.RejectionReason;
import io.connectionledger.model.policy.PolicyRecord;
import io.connectionledger.model.policy.PoolPolicy;
import io.connectionledger.model.view.Simulation.Outcome;
import io.connectionledger.streams.history.HistoryListener;
import io.connectionledger.streams.rules.DecisionTimes;
import io.connectionledger.streams.rules.PoolLedger;
import io.connectionledger.streams.rules.lease.EnvoyFailureDetector;
import io.connectionledger.streams.rules.lease.LeaseTerms;
import io.connectionledger.streams.rules.state.Changes;
import io.connectionledger.streams.rules.state.StoredConnection.Open;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What happened to one pool: the records, applied by the ledger's rules, become steps that need no
 * heartbeat and no lease any more. It counts on the way what the records say of the window. Not
 * thread-safe.
 */
final class Recording implements HistoryListener {

  private static final long NANOS_PER_MS = 1_000_000;

  private final String pool;
  private final LeaseTerms terms;
  private final long fromMs;
  private final int maxSteps;
  private final EnvoyFailureDetector envoys;
  private final List<RecordedEvent> steps = new ArrayList<>();
  private final Changes changes = new Changes();
  private final Peaks peaks = new Peaks();
  private final Map<RejectionReason, Long> rejected = new EnumMap<>(RejectionReason.class);

  /** One object for what is the same in many records. */
  private final Map<Object, Object> shared = new HashMap<>();

  /** Slots that were lent to other instances. */
  private final Set<String> lentIds = new HashSet<>();

  private @Nullable PoolLedger ledger;
  private @Nullable PoolPolicy policy;
  private @Nullable DecisionTimes times;
  private long atMs;
  private boolean began;
  private boolean full;
  private boolean shadow;
  private boolean someCounted;
  private long taken;
  private long admitted;
  private long unadmitted;
  private long[] livedMs = new long[64];
  private int lived;

  /**
   * Nothing has happened yet.
   *
   * @param fromMs when the window begins; what comes before leads up to it
   * @param maxSteps beyond so many, each attempt being one, it {@link #isFull}
   */
  Recording(String pool, LeaseTerms terms, long fromMs, int maxSteps) {
    this.pool = pool;
    this.terms = terms;
    this.fromMs = fromMs;
    this.maxSteps = maxSteps;
    this.envoys = new EnvoyFailureDetector(terms, fromMs);
    this.atMs = Long.MIN_VALUE;
  }

  @Override
  public void policy(int partition, PolicyRecord record, long writtenMs) {
    if (!record.pool().equals(pool)) {
      return;
    }
    advance(writtenMs);
    long nowNanos = writtenMs * NANOS_PER_MS;
    if (ledger == null || times == null) {
      ledger = new PoolLedger(record.policy(), terms, envoys.nowMs());
      times = new DecisionTimes(record.policy());
    } else {
      times.follow(record.policy(), nowNanos);
    }
    ledger.follow(record.policy(), record.draining(), record.notReady(), nowNanos);
    policy = record.policy();
    add(new RecordedEvent.Followed(atMs, record));
    peaks.see(ledger.changedPods());
  }

  @Override
  public void presence(int partition, Presence presence, long writtenMs) {
    advance(writtenMs);
    PoolLedger reported = ledger;
    List<EnvoyFailureDetector.Eviction> verdicts =
        envoys.heard(
            presence,
            node -> reported == null ? terms.heartbeat().toMillis() : reported.heartbeatMs(node));
    if (ledger == null) {
      return;
    }
    changes.clear();
    ledger.tick(envoys.nowMs(), envoys.streamBeganMs(), writtenMs, changes);
    for (EnvoyFailureDetector.Eviction verdict : verdicts) {
      ledger.apply(verdict, writtenMs, changes);
    }
    changes
        .connections()
        .forEach(
            (id, now) -> {
              if (now == null) {
                add(new RecordedEvent.Forgotten(atMs, id));
              }
            });
    peaks.see(ledger.changedPods());
  }

  @Override
  public void record(int partition, LedgerRecord record, long writtenMs) {
    if (ledger == null || times == null || !record.pool().equals(pool)) {
      return;
    }
    advance(writtenMs);
    changes.clear();
    ledger.apply(record, changes);
    switch (record) {
      case Decision decision -> attempted(decision, times);
      case Alive alive -> found(alive.envoy());
      case Closed closed -> {
        if (!closed.concluded()) {
          add(new RecordedEvent.Told(atMs, lean(closed)));
          if (began && closed.durationMs() != null) {
            lived(closed.durationMs());
          }
        }
      }
      case Opened opened -> {
        add(new RecordedEvent.Told(atMs, lean(opened)));
        if (began && ConnectionIds.isUnleased(opened.connection())) {
          unadmitted++;
        }
      }
      case Failed failed -> add(new RecordedEvent.Told(atMs, lean(failed)));
    }
    peaks.see(ledger.changedPods());
  }

  /** A slot that is lent to another instance is recorded twice: then, and when it is used. */
  private void attempted(Decision decision, DecisionTimes decided) {
    if (decision instanceof Decision.Rejected rejection && rejection.attempts() > 1) {
      counted(rejection);
      return;
    }
    boolean lent = ConnectionIds.isLent(decision.id());
    boolean spent = lent && !lentIds.add(decision.id());
    long nanos = spent ? decision.atMs() * NANOS_PER_MS : decided.nanos(decision);
    add(new RecordedEvent.Attempt(atMs, nanos, lean(decision)));
    if (spent || !lent) {
      count(decision);
    }
  }

  /** Of a flood: it is written when its second is over, after what was decided meanwhile. */
  private void counted(Decision.Rejected last) {
    int place = steps.size();
    while (place > 0 && isLater(steps.get(place - 1), last.atMs())) {
      place--;
    }
    boolean hadToken = last.reason() != RejectionReason.RATE_LIMITED;
    long nanos = last.atMs() * NANOS_PER_MS + (hadToken ? NANOS_PER_MS - 1 : 0);
    long writtenMs = place == 0 ? atMs : steps.get(place - 1).atMs();
    add(place, new RecordedEvent.Attempt(writtenMs, nanos, lean(last)), last.attempts());
    count(last);
    someCounted |= began;
  }

  private static boolean isLater(RecordedEvent step, long atMs) {
    return switch (step) {
      case RecordedEvent.Attempt attempt -> attempt.nanos() / NANOS_PER_MS > atMs;
      case RecordedEvent.Begin begin -> false;
      case RecordedEvent.Followed followed -> false;
      case RecordedEvent.Told told -> told.atMs() > atMs;
      case RecordedEvent.Found found -> found.atMs() > atMs;
      case RecordedEvent.Forgotten forgotten -> forgotten.atMs() > atMs;
    };
  }

  private void found(String envoy) {
    Map<String, PodAddress> pods = new LinkedHashMap<>();
    changes
        .connections()
        .forEach(
            (id, now) -> {
              if (now instanceof Open open) {
                pods.put(id, same(open.pod()));
              }
            });
    if (!pods.isEmpty()) {
      add(new RecordedEvent.Found(atMs, same(envoy), pods));
      unadmitted += began ? pods.size() : 0;
    }
  }

  /** Several topics and writers: their clocks may differ by a little. */
  private void advance(long writtenMs) {
    atMs = Math.max(atMs, writtenMs);
    if (!began && writtenMs >= fromMs) {
      begin();
    }
  }

  private void begin() {
    began = true;
    peaks.clear();
    if (ledger != null) {
      peaks.see(ledger.view(atMs).pods());
    }
    add(new RecordedEvent.Begin(fromMs));
  }

  private void add(RecordedEvent step) {
    add(steps.size(), step, 1);
  }

  /** Adds a step that stands for as many as {@code weight}. */
  private void add(int place, RecordedEvent step, int weight) {
    if (taken + weight <= maxSteps) {
      steps.add(place, step);
      taken += weight;
    } else {
      full = true;
    }
  }

  private void count(Decision decision) {
    if (began) {
      shadow |= decision.isShadow();
      switch (decision) {
        case Decision.Allowed allowed -> admitted++;
        case Decision.Rejected rejection ->
            rejected.merge(rejection.reason(), (long) rejection.attempts(), Long::sum);
      }
    }
  }

  private void lived(long durationMs) {
    if (lived == livedMs.length) {
      livedMs = Arrays.copyOf(livedMs, lived * 2);
    }
    livedMs[lived++] = durationMs;
  }

  private Decision lean(Decision decision) {
    return switch (decision) {
      case Decision.Allowed d ->
          new Decision.Allowed(
              pool,
              d.id(),
              same(d.pod()),
              d.bucketNanos(),
              d.atMs(),
              d.mode(),
              lean(d.basis()),
              null);
      case Decision.Rejected d ->
          new Decision.Rejected(
              pool,
              d.id(),
              d.reason(),
              null,
              d.retryAfterSeconds(),
              d.atMs(),
              d.mode(),
              null,
              d.count(),
              null);
    };
  }

  /** Nothing of it but the choice. */
  private @Nullable DecisionInputs lean(@Nullable DecisionInputs basis) {
    return basis == null
        ? null
        : same(new DecisionInputs(basis.choice(), null, 0, 0, 0, 0, 0, null, null));
  }

  private ConnectionEvent lean(Opened e) {
    return new Opened(
        pool, e.connection(), same(e.pod()), same(e.envoy()), e.startedAtMs(), e.atMs());
  }

  private ConnectionEvent lean(Closed e) {
    return new Closed(
        pool, e.connection(), same(e.pod()), same(e.envoy()), same(e.reason()), null, e.atMs());
  }

  private ConnectionEvent lean(Failed e) {
    PodAddress pod = e.pod() == null ? null : same(e.pod());
    return new Failed(
        pool, e.connection(), pod, same(e.envoy()), e.status(), same(e.reason()), e.atMs());
  }

  @SuppressWarnings("unchecked") // equal to the value that it stands for
  private <T> T same(T value) {
    return (T) shared.computeIfAbsent(value, first -> first);
  }

  /** What happened. */
  List<RecordedEvent> steps() {
    if (!began && ledger != null) {
      begin();
    }
    return Collections.unmodifiableList(steps);
  }

  /** The last policy of the pool; null when none is known. */
  @Nullable PoolPolicy policy() {
    return policy;
  }

  /** Whether more happened than it could take. */
  boolean isFull() {
    return full;
  }

  /** Whether an answer in the window did not bind. */
  boolean isShadow() {
    return shadow;
  }

  /** Whether attempts in the window were only counted. */
  boolean isCounted() {
    return someCounted;
  }

  /**
   * How many connections came to be open in the window without being admitted there: Envoy let them
   * in by itself, or a heartbeat told of them.
   */
  long unadmitted() {
    return unadmitted;
  }

  /** What the records say of the window. */
  Outcome outcome() {
    return new Outcome(admitted, rejected, peaks.all());
  }

  /** How long a connection that ended in the window had lived, by the median; empty for none. */
  OptionalLong medianLifeMs() {
    long[] sorted = Arrays.copyOf(livedMs, lived);
    Arrays.sort(sorted);
    return lived == 0 ? OptionalLong.empty() : OptionalLong.of(sorted[lived / 2]);
  }
}
