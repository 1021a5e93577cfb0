package io.connectionledger.admission;

import io.connectionledger.model.Simulation;
import io.connectionledger.model.SimulationRefusedException;
import io.connectionledger.model.SimulationRefusedException.Why;
import io.connectionledger.model.Simulations;

/** Simulates nothing. */
public final class NoSimulations implements Simulations {

  @Override
  public Simulation simulate(Request request) throws SimulationRefusedException {
    throw new SimulationRefusedException(Why.UNAVAILABLE, "nothing is recorded");
  }
}
