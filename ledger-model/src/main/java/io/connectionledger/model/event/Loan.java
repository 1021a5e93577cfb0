package io.connectionledger.model.event;

import java.time.Duration;
import java.util.List;

/**
 * What the owner of a pool lends another instance, which may admit with it while it knows of no
 * owner: slots that are reserved, by whoever owns the pool, for longer than they may be used.
 *
 * @param kept ids of slots that were lent before and may be used for another {@link #TERM}
 * @param added new ones
 */
public record Loan(List<String> kept, List<Decision.Allowed> added) {

  /**
   * How long after it was asked for a slot may be used, by the clock of who asked. The owner counts
   * it for a reservation's time longer, so that whoever is admitted last can still open.
   */
  public static final Duration TERM = Duration.ofSeconds(12);

  /** Nothing. */
  public static final Loan NONE = new Loan(List.of(), List.of());

  public Loan {
    kept = List.copyOf(kept);
    added = List.copyOf(added);
  }
}
