package io.connectionledger.admission.keda;

import io.connectionledger.model.view.PoolReport;
import io.connectionledger.model.view.PoolScaling;
import io.connectionledger.streams.PoolQueries;
import io.connectionledger.streams.Window;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** What the ledger knows of a pool, as an autoscaler needs it. Thread-safe. */
public final class LedgerDemand implements Demand.Source {

  private final PoolQueries ledger;

  /**
   * Of the owner's word alone: nobody scales by a copy.
   *
   * @param ledger knows every pool, or whom to ask
   */
  public LedgerDemand(PoolQueries ledger) {
    this.ledger = ledger;
  }

  @Override
  public Demand of(String pool) {
    Optional<PoolReport> report = ledger.report(pool);
    if (report.isPresent()) {
      return of(report.get());
    }
    if (!ledger.ready()) {
      return new Demand.Unready(List.of(ledger.status()));
    }
    return ledger.pools().contains(pool)
        ? new Demand.Unready(List.of("its owner cannot be asked"))
        : new Demand.NoSuchPool();
  }

  private static Demand of(PoolReport report) {
    PoolScaling scaling = report.scaling();
    if (!scaling.ready()) {
      return new Demand.Unready(scaling.reasons());
    }
    boolean held = report.connections().active() + report.connections().reserved() > 0;
    boolean turnedAway =
        !report
            .rejections()
            .windows()
            .getOrDefault(Window.FIVE_MINUTES.label(), Map.of())
            .isEmpty();
    return new Demand.Known(scaling.desiredPods(), held || turnedAway);
  }
}
