package io.connectionledger.streams;

import io.connectionledger.model.event.RejectionReason;
import io.connectionledger.model.policy.Affinity;
import io.connectionledger.model.policy.PoolPolicy.OnOwnerLoss;
import java.util.Set;

/**
 * Which pool a check means, what its policy says about asking, and which instance decides. Thread-
 * safe; never waits.
 */
public interface PoolRouting {

  /** The names of all pools that have a policy, in alphabetical order. */
  Set<String> pools();

  /**
   * The pool of a check that names none: the one that claims the request, else the only one there
   * is, else "", which is unknown.
   *
   * @param authority the host that the request is for, with a port or without
   * @param path with its query
   */
  String poolOf(String authority, String path);

  /** By what clients of the pool are known again; {@link Affinity#NONE} when they need not be. */
  Affinity affinity(String pool);

  /** What to answer for the pool while nobody decides for it. */
  OnOwnerLoss onOwnerLoss(String pool);

  /**
   * Who decides for the pool, when {@link Decider#decide} has said {@link
   * RejectionReason#NO_OWNER}.
   */
  Owner owner(String pool);

  /** The owner has said that it is none; it is not named again before it proves to be one. */
  void disowned(String pool, Owner.Other owner);

  /** The owner does not answer; it is not named again before it is heard again. */
  void unreachable(String pool, Owner.Other owner);

  /** Where other instances answer, host:port, as far as they have been heard of late. */
  Set<String> others();
}
