package io.connectionledger.admission.check;

import io.connectionledger.admission.loan.Lender;
import io.connectionledger.admission.peer.LoanRequest;
import io.connectionledger.admission.peer.Question;
import io.connectionledger.model.event.Decision;
import io.connectionledger.model.event.Loan;
import io.connectionledger.model.event.RejectionReason;
import io.connectionledger.streams.Decider;
import java.util.Optional;
import java.util.concurrent.locks.StampedLock;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** Decides the checks, and lends the slots, of the pools that this instance owns. Thread-safe. */
public final class LocalChecks {

  private final Decider decider;
  private final Durability durability;
  private final CheckOutcomes outcomes;
  private final Lender lender;

  /** Read by a check from its decision until that is handed to Kafka. */
  private final StampedLock deciding = new StampedLock();

  LocalChecks(Decider decider, Durability durability, CheckOutcomes outcomes, Lender lender) {
    this.decider = decider;
    this.durability = durability;
    this.outcomes = outcomes;
    this.lender = lender;
  }

  /**
   * Decides one check if this instance may, and answers it: at once or, when it must be recorded
   * first, later. Never waits.
   *
   * @param onGone takes, before any answer, what to run when the caller turns out to have gone
   *     before the answer reached it
   * @return null when it is answered or will be; else the refusal of an instance that does not own
   *     the pool, which is not answered
   */
  public Decision.@Nullable Rejected decide(
      Question question, CheckReply reply, Consumer<Runnable> onGone, long startedNanos) {
    return decide(question, reply, onGone, startedNanos, Patience.nanos(Patience.MAX));
  }

  /**
   * The same for a caller that waits elsewhere.
   *
   * @param patienceNanos within how long it is answered, recorded or not
   */
  Decision.@Nullable Rejected decide(
      Question question,
      CheckReply reply,
      Consumer<Runnable> onGone,
      long startedNanos,
      long patienceNanos) {
    long stamp = deciding.readLock();
    try {
      switch (decider.decide(question.pool(), question.key(), question.listener())) {
        case Decision.Allowed allowed -> {
          PendingAllow pending = new PendingAllow(outcomes, allowed, reply, startedNanos);
          onGone.accept(pending);
          boolean answerFirst =
              outcomes.begin(allowed, startedNanos)
                  && durability == Durability.FAST
                  && !decider.reservesHeadroom(allowed.pool());
          outcomes.record(allowed, !answerFirst, pending);
          if (answerFirst) {
            pending.answer();
          } else {
            pending.giveUpWithin(patienceNanos);
          }
        }
        case Decision.Rejected rejected -> {
          if (rejected.reason() == RejectionReason.NO_OWNER) {
            return rejected;
          }
          outcomes.refuse(rejected, reply, startedNanos);
        }
      }
      return null;
    } finally {
      deciding.unlockRead(stamp);
    }
  }

  /** {@link Lender#lend}, as one of the decisions that {@link #awaitDecided} waits for. */
  public void lend(LoanRequest request, Consumer<Optional<Loan>> done) {
    long stamp = deciding.readLock();
    try {
      lender.lend(request, done);
    } finally {
      deciding.unlockRead(stamp);
    }
  }

  /** Returns when every decision that was made before is in the hands of Kafka's producer. */
  void awaitDecided() {
    deciding.unlockWrite(deciding.writeLock());
  }
}
