package io.connectionledger.admission;

import io.connectionledger.model.view.Simulation;
import io.connectionledger.model.view.SimulationRefusedException;
import io.connectionledger.model.view.SimulationRefusedException.Why;
import io.connectionledger.model.view.Simulations;

/** Simulates nothing. */
public final class NoSimulations implements Simulations {

  @Override
  public Simulation simulate(Request request) throws SimulationRefusedException {
    throw new SimulationRefusedException(Why.UNAVAILABLE, "nothing is recorded");
  }
}
