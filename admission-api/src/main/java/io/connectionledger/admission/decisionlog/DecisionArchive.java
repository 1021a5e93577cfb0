package io.connectionledger.admission.decisionlog;

import io.connectionledger.model.event.Decision;
import java.io.IOException;
import java.util.Optional;

/** Where decisions are found again by their ids. Thread-safe. */
@FunctionalInterface
public interface DecisionArchive {

  /**
   * Looks for a decision, for some seconds at most.
   *
   * @return empty when there is none, which includes those that were never recorded
   * @throws IOException with one line, when it cannot be looked for now
   */
  Optional<Decision> find(String id) throws IOException;
}
