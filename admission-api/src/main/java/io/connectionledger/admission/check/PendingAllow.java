package io.connectionledger.admission.check;

import io.connectionledger.model.event.Decision;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicReference;
import org.apache.kafka.clients.producer.Callback;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.jspecify.annotations.Nullable;

/**
 * An allowed check until it is answered or its reservation is given back, whichever comes first:
 *
 * <pre>
 *              recorded, or fast
 *   PENDING ──────────────────────▶ ANSWERED ── caller gone ──▶ reservation released
 *      │
 *      ├── not recorded, or not in time ──▶ GIVEN_UP: reservation released, answered no_owner
 *      └── caller gone ───▶ GIVEN_UP: reservation released, no answer
 * </pre>
 *
 * Kafka's thread, the transport's and the one that decided may arrive at the same time. {@link
 * #run} is for the transport to call when the caller has given up; releasing twice does no harm.
 */
final class PendingAllow implements Callback, Runnable {

  private enum State {
    PENDING,
    ANSWERED,
    GIVEN_UP
  }

  private final CheckOutcomes outcomes;
  private final Decision.Allowed decision;
  private final CheckReply reply;
  private final long startedNanos;
  private final AtomicReference<State> state = new AtomicReference<>(State.PENDING);

  PendingAllow(
      CheckOutcomes outcomes, Decision.Allowed decision, CheckReply reply, long startedNanos) {
    this.outcomes = outcomes;
    this.decision = decision;
    this.reply = reply;
    this.startedNanos = startedNanos;
  }

  void answer() {
    if (state.compareAndSet(State.PENDING, State.ANSWERED)) {
      outcomes.answerAllowed(decision, reply, startedNanos);
    }
  }

  @Override
  public void onCompletion(@Nullable RecordMetadata recorded, @Nullable Exception failure) {
    if (failure != null && state.get() == State.ANSWERED) {
      outcomes.lost(decision, failure);
      return;
    }
    outcomes.settled(decision);
    if (failure == null) {
      answer();
    } else if (state.compareAndSet(State.PENDING, State.GIVEN_UP)) {
      outcomes.answerNotRecorded(decision, reply, startedNanos, failure);
    }
  }

  /**
   * Answers that nobody decides when Kafka has not acknowledged the decision by then: too few
   * replicas may be in sync, and it goes on trying for minutes.
   */
  void giveUpWithin(long nanos) {
    if (state.get() == State.PENDING) {
      CompletableFuture.delayedExecutor(nanos, TimeUnit.NANOSECONDS, Runnable::run)
          .execute(this::giveUp);
    }
  }

  private void giveUp() {
    if (state.compareAndSet(State.PENDING, State.GIVEN_UP)) {
      outcomes.answerNotRecorded(
          decision, reply, startedNanos, new TimeoutException("not acknowledged in time"));
    }
  }

  /** The caller has gone without an answer, or before it arrived. */
  @Override
  public void run() {
    state.compareAndSet(State.PENDING, State.GIVEN_UP);
    outcomes.release(decision);
  }
}
