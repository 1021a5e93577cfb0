package io.connectionledger.admission.http;

import io.connectionledger.admission.decisionlog.DecisionArchive;
import io.connectionledger.admission.http.view.Figures;
import io.connectionledger.admission.http.view.InvalidParameterException;
import io.connectionledger.admission.http.view.Paging;
import io.connectionledger.admission.http.view.Views;
import io.connectionledger.model.Ticker;
import io.connectionledger.streams.PoolQueries;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Function;
import org.eclipse.jetty.http.HttpStatus;
import org.jspecify.annotations.Nullable;

/**
 * Answers what many people look at all the time: figures, the last hour, the latest decisions. It
 * costs about the same however many ask. Thread-safe.
 */
final class FigureRoutes {

  private static final String POOL = "/v1/pools/{pool}";
  private static final long KEPT_NANOS = Duration.ofMillis(500).toNanos();

  private final PoolQueries ledger;
  private final DecisionArchive decisions;
  private final Ticker ticker;
  private final Function<String, HttpProblem> missing;
  private final Map<String, Known> known = new ConcurrentHashMap<>();

  private record Known(Optional<Figures> figures, long atNanos) {}

  /**
   * The routes.
   *
   * @param missing says why there is no pool of a name
   */
  FigureRoutes(
      PoolQueries ledger,
      DecisionArchive decisions,
      Ticker ticker,
      Function<String, HttpProblem> missing) {
    this.ledger = ledger;
    this.decisions = decisions;
    this.ticker = ticker;
    this.missing = missing;
  }

  void addTo(Router routes) {
    routes
        .get("/v1/figures", this::all)
        .get(POOL + "/figures", this::one)
        .get(POOL + "/history", this::history)
        .get(POOL + "/decisions", this::decisions);
  }

  private void all(Exchange exchange) {
    Paging paging = Paging.of(exchange.queryParam("limit"), exchange.queryParam("after"));
    known.keySet().retainAll(ledger.pools());
    Conditional.json(
        exchange,
        Views.PoolFigures.of(
            ticker.nowMs(),
            paging.of(List.copyOf(ledger.pools()), Function.identity()),
            this::figures));
  }

  private void one(Exchange exchange) {
    String pool = exchange.pathParam("pool");
    Conditional.json(exchange, figures(pool).orElseThrow(() -> missing.apply(pool)));
  }

  /** Of this second: one who asks finds out, and others who ask meanwhile wait for the same. */
  private Optional<Figures> figures(String pool) {
    if (!ledger.pools().contains(pool)) {
      return Optional.empty();
    }
    Known now =
        known.compute(
            pool,
            (name, last) -> {
              boolean isFresh = last != null && ticker.nowNanos() - last.atNanos < KEPT_NANOS;
              return isFresh ? last : new Known(find(name), ticker.nowNanos());
            });
    return now.figures;
  }

  private Optional<Figures> find(String pool) {
    return ledger.report(pool).or(() -> ledger.standby(pool)).map(Figures::of);
  }

  private void history(Exchange exchange) {
    String pool = exchange.pathParam("pool");
    Conditional.json(
        exchange, Views.History.of(ledger.history(pool).orElseThrow(() -> missing.apply(pool))));
  }

  private void decisions(Exchange exchange) {
    String pool = exchange.pathParam("pool");
    long after = after(exchange.queryParam("after"));
    int limit = Paging.limitOf(exchange.queryParam("limit"));
    if (!ledger.pools().contains(pool)) {
      throw missing.apply(pool);
    }
    try {
      exchange.json(Views.Decisions.of(pool, ticker.nowMs(), decisions.latest(pool, after, limit)));
    } catch (IOException notNow) {
      throw new HttpProblem(
          HttpStatus.SERVICE_UNAVAILABLE_503, String.valueOf(notNow.getMessage()));
    }
  }

  private static long after(@Nullable String written) {
    if (written == null) {
      return 0;
    }
    if (written.matches("\\d{1,18}")) {
      return Long.parseLong(written);
    }
    throw new InvalidParameterException("after", written, "the 'next' of an earlier answer");
  }
}
