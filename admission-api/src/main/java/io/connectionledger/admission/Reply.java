package io.connectionledger.admission;

import io.connectionledger.model.Decision;

/**
 * The way back to whoever asked, over whatever transport. One of the two answers is given, once, by
 * any thread.
 */
interface Reply {

  void allowed(Decision.Allowed decision);

  void rejected(Decision.Rejected decision);
}
