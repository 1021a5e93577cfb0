package io.connectionledger.admission;

import io.connectionledger.admission.decisionlog.DecisionArchive;
import io.connectionledger.model.event.Decision;
import java.util.List;
import java.util.Optional;

/** Nothing was ever decided. */
public final class NoDecisions implements DecisionArchive {

  @Override
  public Optional<Decision> find(String id) {
    return Optional.empty();
  }

  @Override
  public Latest latest(String pool, long after, int limit) {
    return new Latest(List.of(), 0, false);
  }

  @Override
  public void close() {
    // Nothing is open.
  }
}
