package io.connectionledger.admission.check;

import io.connectionledger.model.event.Decision;

/**
 * Sends the answer of a check to its caller, over whatever transport. One of the answers is given,
 * once, by any thread.
 */
public interface CheckReply {

  void allowed(Decision.Allowed decision);

  void rejected(Decision.Rejected decision);

  /** Lets it pass as it came, because nobody decides for the pool and its policy says so. */
  void unowned(String pool);

  /** Whether this answers whoever asked first, and not an instance that asks for another. */
  default boolean isLast() {
    return true;
  }
}
