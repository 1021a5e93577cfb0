package io.connectionledger.model.view;

import io.connectionledger.model.policy.InvalidPolicyException;
import io.connectionledger.model.policy.PoolPolicy;
import java.util.function.UnaryOperator;

/** Says what other limits would have done to a pool's past. Thread-safe. */
public interface Simulations {

  /**
   * What is asked.
   *
   * @param fromMs the first moment of the window, milliseconds since the epoch
   * @param toMs the last
   * @param change makes of each policy that the pool had the one that it is to have had; fails with
   *     {@link InvalidPolicyException} on what cannot be
   */
  record Request(String pool, long fromMs, long toMs, UnaryOperator<PoolPolicy> change) {}

  /**
   * Reads the window and decides it again; may take some seconds.
   *
   * @throws SimulationRefusedException when it cannot be answered
   */
  Simulation simulate(Request request) throws SimulationRefusedException;
}
