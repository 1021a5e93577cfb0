package io.connectionledger.admission.check;

import io.connectionledger.admission.peer.Peers;
import io.connectionledger.admission.peer.Question;
import io.connectionledger.model.Ticker;
import io.connectionledger.model.event.Decision;
import io.connectionledger.model.event.RejectionReason;
import io.connectionledger.model.policy.PoolPolicy.OnOwnerLoss;
import io.connectionledger.streams.Ledger;
import io.connectionledger.streams.Loans;
import io.connectionledger.streams.Owner;
import io.connectionledger.streams.PoolRouting;
import java.time.Duration;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Has checks answered that this instance may not decide: they are asked of the owner, or held back
 * for the moment in which the pool changes hands, and answered as the pool's policy says when
 * neither leads to a decision in time. Thread-safe; never waits.
 */
final class CheckForwarder {

  /** For a caller that does not say how long it waits. */
  private static final Duration PATIENCE = Duration.ofMillis(500);

  private final LocalChecks local;
  private final CheckOutcomes outcomes;
  private final PoolRouting routing;
  private final Loans loans;
  private final Peers peers;
  private final Ticker ticker;

  CheckForwarder(
      LocalChecks local, CheckOutcomes outcomes, Ledger ledger, Peers peers, Ticker ticker) {
    this.local = local;
    this.outcomes = outcomes;
    this.routing = ledger.routing();
    this.loans = ledger.loans();
    this.peers = peers;
    this.ticker = ticker;
  }

  /**
   * Answers a check, now or later, within three quarters of the time that its caller waits.
   *
   * @param refusal what {@link LocalChecks#decide} said of it
   * @param onGone as there
   */
  void forward(
      Question question,
      Decision.Rejected refusal,
      CheckReply reply,
      Consumer<Runnable> onGone,
      long startedNanos) {
    ForwardedCheck check = new ForwardedCheck(question, refusal, reply, startedNanos);
    onGone.accept(check);
    check.advance();
  }

  /**
   * One check on its way. One thread at a time takes it on; {@link #run} is for the transport, at
   * any time, to say that the caller has gone: whatever is or will be reserved for it is given
   * back.
   */
  private final class ForwardedCheck implements Runnable, Peers.Answer {

    private final String pool;
    private final Question question;
    private final CheckReply reply;
    private final long startedNanos;
    private final long deadlineNanos = ticker.nowNanos() + Patience.nanos(PATIENCE);

    /** What this instance itself says of the check, which is that it is not the owner. */
    private Decision.Rejected refusal;

    private Owner.Other asked = new Owner.Other("", 0);
    private boolean gone;
    private @Nullable Runnable onGone;

    ForwardedCheck(
        Question question, Decision.Rejected refusal, CheckReply reply, long startedNanos) {
      this.pool = refusal.pool();
      this.question = question;
      this.refusal = refusal;
      this.reply = reply;
      this.startedNanos = startedNanos;
    }

    /** Takes the next step. */
    void advance() {
      long leftNanos = deadlineNanos - ticker.nowNanos();
      switch (routing.owner(pool)) {
        case Owner.Other other -> {
          if (leftNanos > 0) {
            asked = other;
            peers.decide(other.address(), question, leftNanos, this);
          } else {
            unowned();
          }
        }
        case Owner.Changing changing -> {
          if (leftNanos <= 0 || !peers.later(this::again)) {
            unowned();
          }
        }
        case Owner.Nobody nobody -> unowned();
      }
    }

    private void again() {
      if (isGone()) {
        return;
      }
      Decision.Rejected stillNone =
          local.decide(
              question, reply, this::whenGone, startedNanos, deadlineNanos - ticker.nowNanos());
      if (stillNone != null) {
        refusal = stillNone;
        advance();
      }
    }

    @Override
    public void decided(Decision decision) {
      if (decision instanceof Decision.Rejected rejected
          && rejected.reason() == RejectionReason.POD_LIMIT) {
        Decision.Allowed lent = loans.spendAsRoom(pool);
        if (lent != null) {
          outcomes.answerLent(lent.through(question.listener()), reply, startedNanos);
          return;
        }
      }
      if (decision instanceof Decision.Rejected rejected
          && rejected.reason() == RejectionReason.NO_OWNER
          && routing.onOwnerLoss(pool) != OnOwnerLoss.DENY) {
        // It could not record what it decided, which is as if it had not answered.
        unowned();
        return;
      }
      if (decision instanceof Decision.Allowed allowed) {
        String owner = asked.address();
        whenGone(() -> peers.release(owner, allowed));
      }
      outcomes.answerForwarded(decision, reply, startedNanos);
    }

    @Override
    public void disowned() {
      routing.disowned(pool, asked);
      advance();
    }

    @Override
    public void unreachable() {
      routing.unreachable(pool, asked);
      advance();
    }

    @Override
    public void late() {
      unowned();
    }

    private void unowned() {
      switch (routing.onOwnerLoss(pool)) {
        case ALLOW -> outcomes.answerUnowned(pool, reply, startedNanos);
        case DENY -> outcomes.refuse(refusal, reply, startedNanos);
        case SHARE -> {
          Decision.Allowed lent = isGone() ? null : loans.spend(pool);
          if (lent == null) {
            outcomes.refuse(refusal, reply, startedNanos);
          } else {
            outcomes.answerLent(lent.through(question.listener()), reply, startedNanos);
          }
        }
      }
    }

    private synchronized boolean isGone() {
      return gone;
    }

    private void whenGone(Runnable action) {
      synchronized (this) {
        onGone = action;
        if (!gone) {
          return;
        }
      }
      action.run();
    }

    /** The caller has gone. */
    @Override
    public void run() {
      Runnable action;
      synchronized (this) {
        if (gone) {
          return;
        }
        gone = true;
        action = onGone;
      }
      if (action != null) {
        action.run();
      }
    }
  }
}
