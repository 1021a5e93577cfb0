package io.connectionledger.streams;

import io.connectionledger.model.event.Decision;
import io.connectionledger.model.event.Loan;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Slots that owners lend to other instances, for the time in which a pool has no owner.
 * Thread-safe; never waits.
 */
public interface Loans {

  /**
   * Lends, as the owner; the added ones must be recorded before the borrower is told of them.
   *
   * @param held ids of what the borrower has unused
   * @param borrowers how many instances borrow, at least 1
   * @return empty when this instance may not decide for the pool
   */
  Optional<Loan> lend(String pool, List<String> held, int borrowers);

  /** The ids of what this instance has borrowed and not used. */
  List<String> borrowed(String pool);

  /**
   * Takes the owner's answer.
   *
   * @param asked the ids that the owner was told of
   * @param askedNanos before the owner was asked, on the ledger's ticker
   * @return what is not used here any more and may be given back
   */
  List<Decision.Allowed> take(String pool, List<String> asked, Loan loan, long askedNanos);

  /** Admits with a borrowed slot while nobody is known to own the pool; null when none is due. */
  Decision.@Nullable Allowed spend(String pool);

  /** Admits with a borrowed slot where the owner has no other room; null when there is none. */
  Decision.@Nullable Allowed spendAsRoom(String pool);
}
