package io.connectionledger.admission.http;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.connectionledger.admission.decisionlog.DecisionArchive;
import io.connectionledger.admission.http.page.PageHandler;
import io.connectionledger.admission.http.view.DecisionView;
import io.connectionledger.admission.http.view.Views;
import io.connectionledger.admission.stream.PoolStreams;
import io.connectionledger.admission.stream.Refusal;
import io.connectionledger.admission.stream.StreamHandler;
import io.connectionledger.admission.stream.StreamJson;
import io.connectionledger.admission.stream.StreamLimits;
import io.connectionledger.model.Ticker;
import io.connectionledger.model.event.ConnectionIds;
import io.connectionledger.model.policy.Policies;
import io.connectionledger.model.view.Simulations;
import io.connectionledger.streams.PoolQueries;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.BindException;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.function.Supplier;
import org.eclipse.jetty.http.HttpStatus;
import org.eclipse.jetty.http.UriCompliance;
import org.eclipse.jetty.server.Handler;
import org.eclipse.jetty.server.HttpConfiguration;
import org.eclipse.jetty.server.HttpConnectionFactory;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.server.ServerConnector;
import org.eclipse.jetty.server.handler.GracefulHandler;
import org.eclipse.jetty.util.thread.QueuedThreadPool;

/**
 * The HTTP port: checks; query API, metrics and health, answered from memory; and policies, of
 * which changes are answered when Kafka has them. Thread-safe.
 */
public final class QueryServer implements AutoCloseable {

  /** Longer than the head of any request that Envoy passes on, 60 KiB. */
  private static final int MAX_HEAD_BYTES = 80 << 10;

  private static final byte[] OPEN_API = resource("openapi.json");
  private static final StreamJson STREAM_JSON = new StreamViews();
  private static final Duration STOP_TIMEOUT = Duration.ofSeconds(5);
  private static final int MAX_THREADS = 250;
  private static final int MIN_THREADS = 8;
  private static final String PROMETHEUS_TEXT = "text/plain; version=0.0.4; charset=utf-8";

  private final QueryRoutes queries;
  private final DecisionArchive decisions;
  private final Supplier<String> metrics;
  private final Supplier<List<String>> unready;
  private final PoolStreams streams;
  private final Server server;
  private final ServerConnector connector;

  private QueryServer(
      String host,
      int port,
      Handler checks,
      PoolQueries ledger,
      Policies policies,
      DecisionArchive decisions,
      Simulations simulations,
      Ticker ticker,
      Supplier<String> metrics,
      Supplier<List<String>> unready) {
    this.decisions = decisions;
    this.metrics = metrics;
    this.unready = unready;
    queries = new QueryRoutes(ledger, policies, ticker);
    streams =
        new PoolStreams(ledger, policies, STREAM_JSON, this::refusal, StreamLimits.DEFAULT, ticker);
    Router router =
        new Router()
            .get(
                "/openapi.json",
                exchange -> exchange.answer(HttpStatus.OK_200, Exchange.JSON, OPEN_API))
            .get("/v1/decisions/{id}", this::decision)
            .get("/metrics", this::metrics)
            .get("/websocket/metrics", this::metrics)
            .get("/health/live", exchange -> exchange.json(new Views.Status("live")))
            .get("/health/ready", this::ready);
    queries.addTo(router);
    new FigureRoutes(ledger, decisions, ticker, queries::missing).addTo(router);
    new PolicyRoutes(policies, ledger, ticker, queries::missing).addTo(router);
    new SimulationRoutes(simulations, policies, ticker, queries::missing).addTo(router);
    QueuedThreadPool threads = new QueuedThreadPool(MAX_THREADS, MIN_THREADS);
    threads.setName("http");
    server = new Server(threads);
    server.setStopTimeout(STOP_TIMEOUT.toMillis());
    server.setErrorHandler(new ProblemPages());
    server.setHandler(
        new GracefulHandler(
            new HeadAsGet(
                new Handler.Sequence(
                    checks, new PageHandler(), new StreamHandler(streams, STREAM_JSON), router))));
    connector = new ServerConnector(server, new HttpConnectionFactory(everyPath()));
    connector.setHost(host);
    connector.setPort(port);
    server.addConnector(connector);
  }

  /**
   * Starts listening.
   *
   * @param port 0 for any free one
   * @param checks sees every request first, and leaves alone what is no check
   * @param metrics the scrape, in Prometheus' text format 0.0.4
   * @param unready why this instance is not ready, a line each; empty when it is
   * @throws UncheckedIOException with one line that names the address when it cannot be listened on
   */
  public static QueryServer start(
      String host,
      int port,
      Handler checks,
      PoolQueries ledger,
      Policies policies,
      DecisionArchive decisions,
      Simulations simulations,
      Ticker ticker,
      Supplier<String> metrics,
      Supplier<List<String>> unready) {
    QueryServer http =
        new QueryServer(
            host, port, checks, ledger, policies, decisions, simulations, ticker, metrics, unready);
    try {
      http.server.start();
    } catch (Exception failure) {
      http.close();
      BindException bind =
          new BindException(
              "cannot listen on http port " + port + " of " + host + ": " + rootMessage(failure));
      bind.initCause(failure);
      throw new UncheckedIOException(bind.getMessage(), bind);
    }
    return http;
  }

  /** The port that is listened on. */
  public int port() {
    return connector.getLocalPort();
  }

  /** Ends streams, and lets what else is being answered end, for some seconds. */
  @Override
  public void close() {
    streams.close();
    try {
      server.stop();
    } catch (Exception failure) {
      throw new IllegalStateException("the http port does not close", failure);
    }
  }

  /** A check has path and head of whatever request Envoy took. */
  private static HttpConfiguration everyPath() {
    HttpConfiguration http = new HttpConfiguration();
    http.setSendServerVersion(false);
    http.setRequestHeaderSize(MAX_HEAD_BYTES);
    http.setUriCompliance(UriCompliance.UNSAFE);
    return http;
  }

  private static byte[] resource(String name) {
    try (InputStream in = QueryServer.class.getResourceAsStream(name)) {
      return Objects.requireNonNull(in, name).readAllBytes();
    } catch (IOException broken) {
      throw new UncheckedIOException(broken);
    }
  }

  private void decision(Exchange exchange) {
    String id = exchange.pathParam("id");
    if (ConnectionIds.madeAtMs(id).isEmpty()) {
      throw new HttpProblem(
          HttpStatus.NOT_FOUND_404, "a decision's id has 16 letters, digits, '-' and '_'");
    }
    try {
      exchange.json(
          DecisionView.of(
              decisions
                  .find(id)
                  .orElseThrow(
                      () ->
                          new HttpProblem(
                              HttpStatus.NOT_FOUND_404,
                              "no decision " + id + ": it was not recorded, or too long ago"))));
    } catch (IOException notNow) {
      throw new HttpProblem(
          HttpStatus.SERVICE_UNAVAILABLE_503, String.valueOf(notNow.getMessage()));
    }
  }

  private Refusal refusal(String pool) {
    HttpProblem why = queries.missing(pool);
    return new Refusal(why.status(), why.detail(), why.reason());
  }

  private void metrics(Exchange exchange) {
    exchange.answer(HttpStatus.OK_200, PROMETHEUS_TEXT, metrics.get().getBytes(UTF_8));
  }

  private void ready(Exchange exchange) {
    List<String> reasons = unready.get();
    if (reasons.isEmpty()) {
      exchange.json(new Views.Status("ready"));
    } else {
      exchange.problem(
          Views.Problem.of(HttpStatus.SERVICE_UNAVAILABLE_503, "not ready", null, reasons));
    }
  }

  private static String rootMessage(Throwable failure) {
    Throwable root = failure;
    while (root.getCause() != null) {
      root = root.getCause();
    }
    return root.getMessage() == null ? root.toString() : root.getMessage();
  }
}
