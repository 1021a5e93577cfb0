package io.connectionledger.admission.decisionlog;

import io.connectionledger.model.event.Decision;
import java.io.IOException;
import java.util.List;
import java.util.Optional;

/** Where decisions are found again. Thread-safe. */
public interface DecisionArchive extends AutoCloseable {

  /**
   * The latest decisions about a pool, oldest first.
   *
   * @param next to ask for what follows them
   * @param more whether some between these and what was asked for are left out
   */
  record Latest(List<Decision> decisions, long next, boolean more) {}

  /**
   * Looks for a decision by its id, for some seconds at most.
   *
   * @return empty when there is none, which includes those that were never recorded
   * @throws IOException with one line, when it cannot be looked for now
   */
  Optional<Decision> find(String id) throws IOException;

  /**
   * What was decided about a pool of late. Waits some seconds at most, and that only when nobody
   * has asked for the pool within half a minute.
   *
   * @param after {@link Latest#next} of an earlier answer; 0 without one
   * @param limit how many at most, the latest
   * @throws IOException with one line, when it cannot be read now
   */
  Latest latest(String pool, long after, int limit) throws IOException;

  /** Reads no more. */
  @Override
  void close();
}
