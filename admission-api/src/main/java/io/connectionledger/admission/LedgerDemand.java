package io.connectionledger.admission;

import io.connectionledger.admission.keda.Demand;
import io.connectionledger.model.PoolReadiness;
import io.connectionledger.model.PoolView;
import io.connectionledger.model.RejectionReason;
import io.connectionledger.streams.Ledger;
import io.connectionledger.streams.Window;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** What the ledger knows of a pool, as an autoscaler needs it. Thread-safe. */
final class LedgerDemand implements Demand.Source {

  private final Ledger ledger;

  LedgerDemand(Ledger ledger) {
    this.ledger = ledger;
  }

  @Override
  public Demand of(String pool) {
    if (!ledger.pools().contains(pool)) {
      return ledger.ready()
          ? new Demand.NoSuchPool()
          : new Demand.Unready(List.of(ledger.status()));
    }
    Optional<PoolView> view = ledger.connections(pool);
    Optional<PoolReadiness> readiness = ledger.readiness(pool);
    Optional<Map<Window, Map<RejectionReason, Long>>> rejections = ledger.rejections(pool);
    if (view.isEmpty() || readiness.isEmpty() || rejections.isEmpty()) {
      return new Demand.Unready(List.of("its owner cannot be asked"));
    }
    if (!readiness.get().ready()) {
      return new Demand.Unready(readiness.get().reasons());
    }
    int held = view.get().active() + view.get().reserved();
    boolean turnedAway = !rejections.get().getOrDefault(Window.FIVE_MINUTES, Map.of()).isEmpty();
    return new Demand.Known(desired(view.get()), held > 0 || turnedAway);
  }

  private static int desired(PoolView view) {
    int limit = view.pods().isEmpty() ? 1 : view.pods().getFirst().limit();
    return Math.ceilDiv(view.active() + view.reserved(), limit);
  }
}
