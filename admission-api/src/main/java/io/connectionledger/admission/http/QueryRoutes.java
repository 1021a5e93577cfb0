package io.connectionledger.admission.http;

import io.connectionledger.admission.http.view.DetailedView;
import io.connectionledger.admission.http.view.Paging;
import io.connectionledger.admission.http.view.Views;
import io.connectionledger.model.PodAddress;
import io.connectionledger.model.Ticker;
import io.connectionledger.model.policy.DrainPace;
import io.connectionledger.model.policy.Policies;
import io.connectionledger.model.policy.PolicyRecord;
import io.connectionledger.model.policy.PoolPolicy;
import io.connectionledger.model.view.PoolReport;
import io.connectionledger.streams.PoolQueries;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.BiFunction;
import java.util.function.Function;
import org.eclipse.jetty.http.HttpStatus;
import org.jspecify.annotations.Nullable;

/**
 * Answers questions about pools over HTTP. The owner of a pool answers; when it cannot be asked, a
 * standby's copy of the pool does, and says how old it may be. Thread-safe.
 */
final class QueryRoutes {

  private static final String POOLS = "/v1/pools";
  private static final String POOL = POOLS + "/{pool}";

  private final PoolQueries ledger;
  private final Policies policies;
  private final Ticker ticker;

  QueryRoutes(PoolQueries ledger, Policies policies, Ticker ticker) {
    this.ledger = ledger;
    this.policies = policies;
    this.ticker = ticker;
  }

  void addTo(Router routes) {
    routes
        .get(POOLS, this::pools)
        .get(POOL + "/connections", this::connections)
        .get(POOL + "/rejections", this::rejections)
        .get(POOL + "/scaling", this::scaling)
        .get(POOL + "/readiness", this::readiness)
        .get(POOL + "/detailed", this::detailed);
  }

  private void pools(Exchange exchange) {
    Conditional.json(
        exchange,
        Views.Pools.of(
            ticker.nowMs(), paging(exchange).of(List.copyOf(ledger.pools()), Function.identity())));
  }

  private void connections(Exchange exchange) {
    Paging paging = paging(exchange);
    answer(
        exchange,
        ledger::connections,
        PoolReport::connections,
        (view, staleMs) -> Views.Connections.of(view, staleMs, paces(view.pool()), paging));
  }

  private void rejections(Exchange exchange) {
    Paging paging = paging(exchange);
    answer(
        exchange,
        ledger::rejections,
        PoolReport::rejections,
        (rejections, staleMs) -> Views.Rejections.of(rejections, staleMs, paging));
  }

  private void scaling(Exchange exchange) {
    Paging paging = paging(exchange);
    answer(
        exchange,
        pool -> ledger.report(pool).map(PoolReport::scaling),
        PoolReport::scaling,
        (scaling, staleMs) -> Views.Scaling.of(scaling, staleMs, paging));
  }

  private void readiness(Exchange exchange) {
    answer(exchange, ledger::readiness, PoolReport::readiness, Views.Readiness::of);
  }

  private void detailed(Exchange exchange) {
    Paging paging = paging(exchange);
    answer(
        exchange,
        ledger::report,
        Function.identity(),
        (report, staleMs) -> DetailedView.of(report, paces(report.connections().pool()), paging));
  }

  private static Paging paging(Exchange exchange) {
    return Paging.of(exchange.queryParam("limit"), exchange.queryParam("after"));
  }

  private <T> void answer(
      Exchange exchange,
      Function<String, Optional<T>> owner,
      Function<PoolReport, T> part,
      BiFunction<T, @Nullable Long, Object> view) {
    String pool = exchange.pathParam("pool");
    Optional<T> known = owner.apply(pool);
    if (known.isPresent()) {
      Conditional.json(exchange, view.apply(known.get(), null));
      return;
    }
    PoolReport copy = ledger.standby(pool).orElseThrow(() -> missing(pool));
    Conditional.json(exchange, view.apply(part.apply(copy), copy.staleMs()));
  }

  private Map<PodAddress, DrainPace> paces(String pool) {
    return policies.of(pool).map(PolicyRecord::paces).orElse(Map.of());
  }

  /**
   * Why a pool cannot be shown. Before the ledger has caught up, it may not know every pool yet.
   */
  HttpProblem missing(String pool) {
    boolean known = ledger.pools().contains(pool);
    if (!known && (ledger.ready() || !PoolPolicy.isValidName(pool))) {
      return new HttpProblem(
          HttpStatus.NOT_FOUND_404,
          PoolPolicy.isValidName(pool)
              ? "no pool is named '" + pool + "'"
              : "a pool's name has 1 to 128 letters, digits, '.', '_' and '-'");
    }
    return new HttpProblem(
        HttpStatus.SERVICE_UNAVAILABLE_503,
        ledger.ready()
            ? "pool '" + pool + "' has no owner that answers, and no instance a copy of it"
            : "pool '" + pool + "' cannot be read yet: " + ledger.status(),
        "no_owner");
  }
}
