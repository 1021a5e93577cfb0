package io.connectionledger.model.view;

/** A simulation is not made; the message is one line for whoever asked. */
public final class SimulationRefusedException extends Exception {

  private static final long serialVersionUID = 1L;

  private final Why why;

  /** What to do about it. */
  public enum Why {
    /** Another is being made: ask again in some seconds. */
    BUSY,
    /** The window has too much in it: ask for a shorter one. */
    TOO_MUCH,
    /** The records cannot be read now. */
    UNAVAILABLE,
    /** The topics know no such pool. */
    UNKNOWN_POOL
  }

  /** Refuses. */
  public SimulationRefusedException(Why why, String message) {
    super(message);
    this.why = why;
  }

  public Why why() {
    return why;
  }
}
