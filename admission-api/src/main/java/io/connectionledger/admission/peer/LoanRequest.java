package io.connectionledger.admission.peer;

import java.util.List;

/**
 * What an instance asks the owner of a pool for: to lend it what it may.
 *
 * @param borrower this run of the instance that asks
 * @param held ids of what it has been lent and has not used
 */
public record LoanRequest(String pool, String borrower, List<String> held) {

  public LoanRequest {
    held = List.copyOf(held);
  }
}
