package io.connectionledger.admission;

import java.util.List;

/**
 * What an instance asks the owner of a pool for: to lend it what it may.
 *
 * @param borrower this run of the instance that asks
 * @param held ids of what it has been lent and has not used
 */
record LoanRequest(String pool, String borrower, List<String> held) {

  LoanRequest {
    held = List.copyOf(held);
  }
}
