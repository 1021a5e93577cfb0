package io.connectionledger.admission;

import io.connectionledger.model.Decision;
import io.connectionledger.model.RejectionReason;
import io.connectionledger.streams.Ledger;
import io.connectionledger.streams.Ledger.Owner;
import org.jspecify.annotations.Nullable;

/**
 * A check that this instance may not decide: asked of the owner, or held back for the moment in
 * which the pool changes hands, and answered as the pool's policy says when neither leads to a
 * decision in time.
 *
 * <p>One thread at a time takes it on; {@link #run} is for the transport, at any time, to say that
 * the caller has gone: whatever is or will be reserved for it is given back.
 */
final class ForwardedCheck implements Runnable, Peers.Answer {

  private final Admission admission;
  private final Ledger ledger;
  private final Peers peers;
  private final String pool;
  private final Question question;
  private final CheckReply reply;
  private final long startedNanos;
  private final long deadlineNanos;

  /** What this instance itself says of the check, which is that it is not the owner. */
  private Decision.Rejected refusal;

  private Owner.Other asked = new Owner.Other("", 0);
  private boolean gone;
  private @Nullable Runnable onGone;

  /**
   * One that nobody has been asked about yet.
   *
   * @param deadlineNanos when it must be answered, on the ledger's ticker
   */
  ForwardedCheck(
      Admission admission,
      Ledger ledger,
      Peers peers,
      Decision.Rejected refusal,
      Question question,
      CheckReply reply,
      long startedNanos,
      long deadlineNanos) {
    this.admission = admission;
    this.ledger = ledger;
    this.peers = peers;
    this.pool = refusal.pool();
    this.question = question;
    this.refusal = refusal;
    this.reply = reply;
    this.startedNanos = startedNanos;
    this.deadlineNanos = deadlineNanos;
  }

  /** Takes the next step. */
  void advance() {
    long leftNanos = deadlineNanos - admission.nowNanos();
    switch (ledger.owner(pool)) {
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
        admission.decideHere(question, reply, this::whenGone, startedNanos);
    if (stillNone != null) {
      refusal = stillNone;
      advance();
    }
  }

  @Override
  public void decided(Decision decision) {
    if (decision instanceof Decision.Rejected rejected
        && rejected.reason() == RejectionReason.POD_LIMIT) {
      Decision.Allowed lent = ledger.loans().spendAsRoom(pool);
      if (lent != null) {
        admission.answerLent(lent.through(question.listener()), reply, startedNanos);
        return;
      }
    }
    if (decision instanceof Decision.Allowed allowed) {
      String owner = asked.address();
      whenGone(() -> peers.release(owner, allowed));
    }
    admission.answerForwarded(decision, reply, startedNanos);
  }

  @Override
  public void disowned() {
    ledger.disowned(pool, asked);
    advance();
  }

  @Override
  public void unreachable() {
    ledger.unreachable(pool, asked);
    advance();
  }

  @Override
  public void late() {
    unowned();
  }

  private void unowned() {
    switch (ledger.onOwnerLoss(pool)) {
      case ALLOW -> admission.answerUnowned(pool, reply, startedNanos);
      case DENY -> admission.refuse(refusal, reply, startedNanos);
      case SHARE -> {
        Decision.Allowed lent = isGone() ? null : ledger.loans().spend(pool);
        if (lent == null) {
          admission.refuse(refusal, reply, startedNanos);
        } else {
          admission.answerLent(lent.through(question.listener()), reply, startedNanos);
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
