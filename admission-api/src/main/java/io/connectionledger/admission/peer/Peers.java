package io.connectionledger.admission.peer;

import io.connectionledger.model.event.Decision;
import io.connectionledger.model.event.Loan;
import java.util.function.Consumer;

/** The other instances, as checks need them. Thread-safe; never waits. */
public interface Peers {

  /** What became of a forwarded check; one method is called, once, by any thread. */
  interface Answer {

    void decided(Decision decision);

    /** The other instance does not own the pool. */
    void disowned();

    /** None can answer: the other instance is gone. */
    void unreachable();

    /** None came in time, though the other instance may live. */
    void late();
  }

  /** Of an instance without others. */
  Peers NONE =
      new Peers() {
        @Override
        public void decide(String address, Question question, long timeoutNanos, Answer answer) {
          answer.unreachable();
        }

        @Override
        public void release(String address, Decision.Allowed reservation) {
          throw new IllegalStateException("nobody has reserved anything");
        }

        @Override
        public void borrow(String address, LoanRequest request, Consumer<Loan> lent) {
          throw new IllegalStateException("nobody is known to own anything");
        }

        @Override
        public boolean later(Runnable check) {
          return false;
        }
      };

  /**
   * Has another instance decide a check.
   *
   * @param address host:port
   */
  void decide(String address, Question question, long timeoutNanos, Answer answer);

  /** Gives back what another instance has reserved; without an answer, and it may get lost. */
  void release(String address, Decision.Allowed reservation);

  /**
   * Asks the owner of a pool to lend slots of it.
   *
   * @param lent takes its answer, on any thread; not called when there is none
   */
  void borrow(String address, LoanRequest request, Consumer<Loan> lent);

  /**
   * Runs {@code check} within a moment, on another thread.
   *
   * @return false when too many wait already; it is not run then
   */
  boolean later(Runnable check);
}
