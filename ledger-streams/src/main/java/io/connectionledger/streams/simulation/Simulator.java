package io.connectionledger.streams.simulation;

import io.connectionledger.model.policy.PoolPolicy;
import io.connectionledger.model.view.Simulation;
import io.connectionledger.model.view.Simulations.Request;
import io.connectionledger.streams.rules.lease.LeaseTerms;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.OptionalLong;
import java.util.function.UnaryOperator;

/** Decides a recorded window again: once as it was, once with other limits. Pure. */
final class Simulator {

  private Simulator() {}

  /**
   * The answer.
   *
   * @param recording of the window and what led up to it, with a policy at least
   * @param last the policy that the pool had last
   */
  static Simulation of(Request request, Recording recording, PoolPolicy last, LeaseTerms terms) {
    OptionalLong lifeMs = recording.medianLifeMs();
    List<RecordedEvent> steps = recording.steps();
    return new Simulation(
        request.pool(),
        request.fromMs(),
        request.toMs(),
        recording.outcome(),
        new SimulatedPool(terms, UnaryOperator.identity(), lifeMs).live(steps),
        new SimulatedPool(terms, request.change(), lifeMs).live(steps),
        request.change().apply(last),
        assumptions(recording, lifeMs));
  }

  private static List<String> assumptions(Recording recording, OptionalLong lifeMs) {
    List<String> all = new ArrayList<>();
    all.add(
        "The attempts are those that were recorded: nobody comes back sooner, later or not at all"
            + " because of another answer.");
    all.add(
        "A connection that was admitted and is admitted here opens and ends as recorded, also on"
            + " another pod; a handshake that failed by its pod's fault succeeds on another.");
    all.add(
        lifeMs.isPresent()
            ? String.format(
                Locale.ROOT,
                "A connection that was not admitted and is admitted here opens at once and lives"
                    + " for %.1f s, the median of those that ended in the window.",
                lifeMs.getAsLong() / 1_000.0)
            : "A connection that was not admitted and is admitted here opens at once and stays"
                + " open, because none ended in the window.");
    all.add(
        "Reservations that were given back because the client had left are not recorded: they"
            + " count until they expire, and a pod can look fuller by them than it was.");
    if (recording.unadmitted() > 0) {
      all.add(
          recording.unadmitted()
              + " connections that Envoy let in by itself, or that a heartbeat told of, are where"
              + " they were, whatever the limits: with them a pod can be above its limit.");
    }
    all.add("Attempts that nobody could decide (no_owner) stay rejected.");
    if (recording.isCounted()) {
      all.add(
          "Attempts of a flood that were only counted are decided together, those of a second when"
              + " the last of them was.");
    }
    if (recording.isShadow()) {
      all.add("In shadow mode every attempt got in, and does here, whatever was decided.");
    }
    return all;
  }
}
