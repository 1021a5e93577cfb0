package io.connectionledger.admission;

import io.connectionledger.model.event.Decision;
import io.connectionledger.model.event.Loan;
import io.connectionledger.streams.Loans;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** Loans that are what the test wrote down. */
public final class ScriptedLoans implements Loans {

  public Optional<Loan> loan = Optional.empty();
  public final List<String> held = new ArrayList<>();
  public final List<Integer> borrowers = new ArrayList<>();
  public final List<Loan> taken = Collections.synchronizedList(new ArrayList<>());
  public final List<Decision.Allowed> back = new ArrayList<>();
  public final Deque<Decision.Allowed> borrowed = new ArrayDeque<>();

  @Override
  public synchronized Optional<Loan> lend(String pool, List<String> ids, int number) {
    held.addAll(ids);
    borrowers.add(number);
    return loan;
  }

  @Override
  public List<String> borrowed(String pool) {
    return borrowed.stream().map(Decision.Allowed::id).toList();
  }

  @Override
  public synchronized List<Decision.Allowed> take(
      String pool, List<String> asked, Loan answer, long askedNanos) {
    taken.add(answer);
    return back;
  }

  @Override
  public Decision.@Nullable Allowed spend(String pool) {
    return borrowed.pollFirst();
  }

  @Override
  public Decision.@Nullable Allowed spendAsRoom(String pool) {
    return borrowed.pollFirst();
  }
}
