package io.connectionledger.admission.stream;

import io.connectionledger.model.Ticker;
import io.connectionledger.model.policy.Policies;
import io.connectionledger.model.policy.PolicyRecord;
import io.connectionledger.model.view.PoolReadiness;
import io.connectionledger.model.view.PoolReadiness.EnvoyView;
import io.connectionledger.model.view.PoolView;
import io.connectionledger.model.view.PoolView.PodView;
import io.connectionledger.streams.PoolQueries;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Finds out what has changed in one pool and writes it into its stream. Of a pool that this
 * instance owns, the ledger tells the changed pods; the whole is compared now and then. One of
 * another instance is asked for there, once for all readers. For one thread; what may wait runs on
 * the executor.
 */
final class PoolChangeDetector {

  private static final Logger LOGGER = LoggerFactory.getLogger(PoolChangeDetector.class);

  private static final Duration LONGEST_PAUSE = Duration.ofSeconds(2);

  private static final String UNREACHABLE = "no instance that owns the pool can be reached";

  private final String pool;
  private final PoolStream stream;
  private final PoolQueries ledger;
  private final Policies policies;
  private final StreamJson json;
  private final StreamLimits limits;
  private final Ticker ticker;
  private final Executor polls;
  private final Runnable soon;

  private @Nullable PoolSnapshot picture;
  private @Nullable PolicyRecord policy;
  private @Nullable PoolReadiness readiness;
  private @Nullable CompletableFuture<Answer> asked;
  private boolean elsewhere;
  private boolean wholeDue = true;
  private long refreshNanos;
  private long reconcileNanos;
  private long tellNanos;

  /**
   * What the ledger says.
   *
   * @param whole whether all of the pool was asked for
   */
  private record Answer(
      boolean whole, Optional<PoolView> view, Optional<PoolReadiness> readiness) {}

  /**
   * Knows nothing yet.
   *
   * @param soon has {@link #look} called soon
   */
  PoolChangeDetector(
      String pool,
      PoolStream stream,
      PoolQueries ledger,
      Policies policies,
      StreamJson json,
      StreamLimits limits,
      Ticker ticker,
      Executor polls,
      Runnable soon) {
    this.pool = pool;
    this.stream = stream;
    this.ledger = ledger;
    this.policies = policies;
    this.json = json;
    this.limits = limits;
    this.ticker = ticker;
    this.polls = polls;
    this.soon = soon;
    this.refreshNanos = ticker.nowNanos();
    this.reconcileNanos = refreshNanos;
    this.tellNanos = refreshNanos;
  }

  /**
   * Writes what has changed.
   *
   * @return false when the ledger was asked and there is nothing to read: the pool cannot be
   *     followed now
   */
  boolean look() {
    long nowNanos = ticker.nowNanos();
    boolean answered = false;
    if (asked != null && asked.isDone()) {
      Answer answer = answer(asked);
      asked = null;
      answered = true;
      take(answer);
    }
    boolean isElsewhere = ledger.isElsewhere(pool);
    boolean moved = isElsewhere != elsewhere;
    elsewhere = isElsewhere;
    if (asked == null) {
      // Not while an answer is on its way: it may be older than what changes tell meanwhile.
      List<PodView> changes = stream.takeChanges();
      if (picture != null && !elsewhere) {
        picture.apply(changes);
      }
    }
    boolean isOtherPolicy = followPolicy();
    wholeDue |= moved || isOtherPolicy;
    if (asked == null && (wholeDue || nowNanos - refreshNanos >= 0)) {
      ask(wholeDue || elsewhere || nowNanos - reconcileNanos >= 0, nowNanos);
    }
    tell(nowNanos);
    return stream.isOpen() || !answered;
  }

  private void ask(boolean whole, long nowNanos) {
    refreshNanos = nowNanos + limits.refresh().toNanos();
    if (whole) {
      wholeDue = false;
      reconcileNanos = nowNanos + limits.reconcile().toNanos();
    }
    asked =
        CompletableFuture.supplyAsync(
            () ->
                new Answer(
                    whole,
                    whole ? ledger.connections(pool) : Optional.empty(),
                    ledger.readiness(pool)),
            polls);
    var unused = asked.whenComplete((answer, failure) -> soon.run());
  }

  private Answer answer(CompletableFuture<Answer> done) {
    if (done.isCompletedExceptionally()) {
      LOGGER
          .atError()
          .addKeyValue("pool", pool)
          .setCause(done.exceptionNow())
          .log("A pool that is followed could not be read");
      return new Answer(true, Optional.empty(), Optional.empty());
    }
    return done.resultNow();
  }

  private void take(Answer answer) {
    answer
        .view()
        .ifPresent(
            view -> {
              if (picture == null) {
                picture = new PoolSnapshot(view);
              } else {
                picture.replace(view);
              }
            });
    PoolReadiness now =
        answer.whole() && answer.view().isEmpty() ? null : answer.readiness().orElse(null);
    if (now == null && stream.isOpen()) {
      now = new PoolReadiness(pool, ticker.nowMs(), false, 0, List.of(), List.of(UNREACHABLE));
    }
    if (now == null) {
      return;
    }
    boolean isNews = readiness == null || !sign(now).equals(sign(readiness));
    readiness = now;
    if (isNews && stream.isOpen()) {
      stream.add("readiness", json.readiness(now));
    }
  }

  /** What of a readiness is worth an event: not every heartbeat. */
  private static List<Object> sign(PoolReadiness readiness) {
    return List.of(
        readiness.ready(),
        Math.round(readiness.completeness() * 100),
        readiness.reasons(),
        readiness.envoys().stream().map(EnvoyView::node).toList());
  }

  /** Whether another policy is followed since the last look. */
  private boolean followPolicy() {
    PolicyRecord current = policies.of(pool).orElse(null);
    if (current == null || current.equals(policy)) {
      return false;
    }
    if (picture != null) {
      if (policy != null) {
        picture.again(policy.paces().keySet());
      }
      picture.again(current.paces().keySet());
    }
    policy = current;
    if (stream.isOpen()) {
      stream.add("policy", json.policy(current, ticker.nowMs()));
    }
    return true;
  }

  private void tell(long nowNanos) {
    if (picture == null || policy == null || readiness == null) {
      return;
    }
    boolean wanted = !stream.isOpen() || stream.isSnapshotWanted();
    if (wanted || nowNanos - tellNanos >= 0) {
      List<PoolView> untold = picture.untold(ticker.nowMs());
      for (PoolView part : untold) {
        stream.add("connections", json.connections(part, policy));
      }
      if (!untold.isEmpty()) {
        tellNanos = nowNanos + pauseNanos(picture.size());
      }
    }
    if (wanted) {
      PoolView all = picture.view(ticker.nowMs());
      stream.addSnapshot(json.snapshot(all, policy, readiness));
    }
  }

  private long pauseNanos(int pods) {
    return Math.min(
        LONGEST_PAUSE.toNanos(),
        stream.readers().size() * limits.perReader().toNanos() + pods * limits.perPod().toNanos());
  }
}
