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
import io.javalin.config.RoutesConfig;
import io.javalin.http.Context;
import io.javalin.http.HttpResponseException;
import io.javalin.http.NotFoundResponse;
import io.javalin.http.ServiceUnavailableResponse;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.BiFunction;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * What is asked about pools over HTTP. The owner of a pool answers; when it cannot be asked, a
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

  void addTo(RoutesConfig routes) {
    routes
        .get(POOLS, this::pools)
        .get(POOL + "/connections", this::connections)
        .get(POOL + "/rejections", this::rejections)
        .get(POOL + "/scaling", this::scaling)
        .get(POOL + "/readiness", this::readiness)
        .get(POOL + "/detailed", this::detailed);
  }

  private void pools(Context context) {
    Conditional.json(
        context,
        Views.Pools.of(
            ticker.nowMs(),
            Paging.of(context).of(List.copyOf(ledger.pools()), Function.identity())));
  }

  private void connections(Context context) {
    Paging paging = Paging.of(context);
    answer(
        context,
        ledger::connections,
        PoolReport::connections,
        (view, staleMs) -> Views.Connections.of(view, staleMs, paces(view.pool()), paging));
  }

  private void rejections(Context context) {
    Paging paging = Paging.of(context);
    answer(
        context,
        ledger::rejections,
        PoolReport::rejections,
        (rejections, staleMs) -> Views.Rejections.of(rejections, staleMs, paging));
  }

  private void scaling(Context context) {
    Paging paging = Paging.of(context);
    answer(
        context,
        pool -> ledger.report(pool).map(PoolReport::scaling),
        PoolReport::scaling,
        (scaling, staleMs) -> Views.Scaling.of(scaling, staleMs, paging));
  }

  private void readiness(Context context) {
    answer(context, ledger::readiness, PoolReport::readiness, Views.Readiness::of);
  }

  private void detailed(Context context) {
    Paging paging = Paging.of(context);
    answer(
        context,
        ledger::report,
        Function.identity(),
        (report, staleMs) -> DetailedView.of(report, paces(report.connections().pool()), paging));
  }

  private <T> void answer(
      Context context,
      Function<String, Optional<T>> owner,
      Function<PoolReport, T> part,
      BiFunction<T, @Nullable Long, Object> view) {
    String pool = context.pathParam("pool");
    Optional<T> known = owner.apply(pool);
    if (known.isPresent()) {
      Conditional.json(context, view.apply(known.get(), null));
      return;
    }
    PoolReport copy = ledger.standby(pool).orElseThrow(() -> missing(pool));
    Conditional.json(context, view.apply(part.apply(copy), copy.staleMs()));
  }

  private Map<PodAddress, DrainPace> paces(String pool) {
    return policies.of(pool).map(PolicyRecord::paces).orElse(Map.of());
  }

  /**
   * Why a pool cannot be shown. Before the ledger has caught up, it may not know every pool yet.
   */
  HttpResponseException missing(String pool) {
    boolean known = ledger.pools().contains(pool);
    if (!known && (ledger.ready() || !PoolPolicy.isValidName(pool))) {
      return new NotFoundResponse(
          PoolPolicy.isValidName(pool)
              ? "no pool is named '" + pool + "'"
              : "a pool's name has 1 to 128 letters, digits, '.', '_' and '-'");
    }
    return new ServiceUnavailableResponse(
        ledger.ready()
            ? "pool '" + pool + "' has no owner that answers, and no instance a copy of it"
            : "pool '" + pool + "' cannot be read yet: " + ledger.status(),
        Map.of(QueryServer.REASON, "no_owner"));
  }
}
