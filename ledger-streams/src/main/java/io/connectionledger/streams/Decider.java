package io.connectionledger.streams;

import io.connectionledger.model.event.Decision;
import io.connectionledger.model.event.RejectionReason;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/** Decides checks of the pools that this instance owns. Thread-safe; never waits. */
public interface Decider {

  /**
   * Decides one check and, when it allows, holds the slot: from its return on, the reservation
   * counts against the pod's limit until it is opened, failed, released or expired. The caller has
   * the decision recorded in {@link io.connectionledger.model.Topics#DECISIONS}, or calls {@link
   * #release}.
   *
   * @param key what {@link PoolRouting#affinity} knows the client by; null when it says nothing
   * @param listener where the client reached its Envoy, ip:port; null when the check does not say
   * @return the decision; {@link RejectionReason#UNKNOWN_POOL} for a pool without a policy, which
   *     creates no state, and {@link RejectionReason#NO_OWNER} when this instance cannot prove that
   *     it owns the pool or has not caught up yet; {@link PoolRouting#owner} then tells who may be
   *     asked
   */
  Decision decide(String pool, @Nullable String key, @Nullable String listener);

  /**
   * Gives a reservation back that will never be used, because its decision could not be recorded or
   * nobody waits for it any more. Idempotent; does nothing when the connection is already open.
   */
  void release(Decision.Allowed reservation);

  /**
   * Whether the pool has come here without the last word of its owner before. Until what that may
   * have admitted has shown, the pool's decisions may not be answered before they are recorded.
   */
  boolean reservesHeadroom(String pool);

  /**
   * How long a connection may be unknown that was admitted and of which no decision is recorded.
   */
  Duration maxUnseen();
}
