package io.connectionledger.admission.http;

import io.connectionledger.admission.decisionlog.DecisionArchive;
import io.connectionledger.model.event.Decision;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Finds the decisions that a test gave it; without any it says that Kafka is away. */
final class ScriptedArchive implements DecisionArchive {

  final List<Decision> decisions = new ArrayList<>();

  @Override
  public Optional<Decision> find(String id) throws IOException {
    if (decisions.isEmpty()) {
      throw new IOException("ledger.decisions cannot be read: away");
    }
    return decisions.stream().filter(decision -> decision.id().equals(id)).findFirst();
  }

  @Override
  public Latest latest(String pool, long after, int limit) throws IOException {
    if (decisions.isEmpty()) {
      throw new IOException("ledger.decisions cannot be read now: away");
    }
    List<Decision> found = decisions.stream().skip(after).limit(limit).toList();
    return new Latest(found, after + found.size(), false);
  }

  @Override
  public void close() {
    // Nothing is open.
  }
}
