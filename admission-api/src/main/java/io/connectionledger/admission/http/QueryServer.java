package io.connectionledger.admission.http;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.connectionledger.admission.decisionlog.DecisionArchive;
import io.connectionledger.admission.http.view.DecisionView;
import io.connectionledger.admission.http.view.InvalidParameterException;
import io.connectionledger.admission.http.view.Views;
import io.connectionledger.admission.stream.PoolStreams;
import io.connectionledger.admission.stream.Refusal;
import io.connectionledger.admission.stream.StreamHandler;
import io.connectionledger.admission.stream.StreamJson;
import io.connectionledger.admission.stream.StreamLimits;
import io.connectionledger.model.Ticker;
import io.connectionledger.model.event.ConnectionIds;
import io.connectionledger.model.policy.InvalidPolicyException;
import io.connectionledger.model.policy.Policies;
import io.connectionledger.model.view.Simulations;
import io.connectionledger.streams.PoolQueries;
import io.javalin.Javalin;
import io.javalin.config.JavalinConfig;
import io.javalin.http.Context;
import io.javalin.http.HttpResponseException;
import io.javalin.http.HttpStatus;
import io.javalin.http.NotFoundResponse;
import io.javalin.http.ServiceUnavailableResponse;
import io.javalin.http.UnsupportedMediaTypeResponse;
import io.javalin.util.JavalinException;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.BindException;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.Optional;
import java.util.function.Supplier;
import org.eclipse.jetty.http.UriCompliance;
import org.eclipse.jetty.server.Handler;
import org.eclipse.jetty.server.HttpConfiguration;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The HTTP port: checks; query API, metrics and health, answered from memory; and policies, of
 * which changes are answered when Kafka has them. Thread-safe.
 */
public final class QueryServer implements AutoCloseable {

  /** Of the details of an exception: what went wrong, in a word. */
  static final String REASON = "reason";

  private static final Logger LOGGER = LoggerFactory.getLogger(QueryServer.class);
  private static final ObjectMapper MAPPER = new ObjectMapper();

  /** Longer than the head of any request that Envoy passes on, 60 KiB. */
  private static final int MAX_HEAD_BYTES = 80 << 10;

  private static final byte[] OPEN_API = resource("openapi.json");
  private static final StreamJson STREAM_JSON = new StreamViews();
  static final String PROBLEM = "application/problem+json";
  static final String SEE_LOG = "see this instance's log";
  private static final String PROMETHEUS_TEXT = "text/plain; version=0.0.4; charset=utf-8";

  private final Handler checks;
  private final QueryRoutes queries;
  private final PolicyRoutes policies;
  private final DecisionArchive decisions;
  private final SimulationRoutes simulations;
  private final Supplier<String> metrics;
  private final Supplier<List<String>> unready;
  private final PoolStreams streams;
  private final Javalin javalin;

  private QueryServer(
      Handler checks,
      PoolQueries ledger,
      Policies policies,
      DecisionArchive decisions,
      Simulations simulations,
      Ticker ticker,
      Supplier<String> metrics,
      Supplier<List<String>> unready) {
    this.checks = checks;
    this.decisions = decisions;
    this.queries = new QueryRoutes(ledger, policies, ticker);
    this.policies = new PolicyRoutes(policies, ledger, ticker, queries::missing);
    this.simulations = new SimulationRoutes(simulations, policies, ticker, queries::missing);
    this.metrics = metrics;
    this.unready = unready;
    this.streams =
        new PoolStreams(ledger, policies, STREAM_JSON, this::refusal, StreamLimits.DEFAULT, ticker);
    this.javalin = Javalin.create(this::configure);
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
    QueryServer server =
        new QueryServer(checks, ledger, policies, decisions, simulations, ticker, metrics, unready);
    try {
      server.javalin.start(host, port);
    } catch (JavalinException failure) {
      server.streams.close();
      BindException bind =
          new BindException(
              "cannot listen on http port " + port + " of " + host + ": " + rootMessage(failure));
      bind.initCause(failure);
      throw new UncheckedIOException(bind.getMessage(), bind);
    }
    return server;
  }

  /** The port that is listened on. */
  public int port() {
    return javalin.port();
  }

  @Override
  public void close() {
    streams.close();
    javalin.stop();
  }

  private void configure(JavalinConfig config) {
    config.startup.showJavalinBanner = false;
    config.startup.showOldJavalinVersionWarning = false;
    config.startup.startupWatcherEnabled = false;
    config.http.prefer405over404 = true;
    config.jetty.modifyServer(
        jetty -> {
          // Javalin adds itself to the sequence, at its end.
          jetty.setHandler(
              new HeadAsGet(new Handler.Sequence(checks, new StreamHandler(streams, STREAM_JSON))));
          jetty.setErrorHandler(new ProblemPages());
        });
    config.jetty.modifyHttpConfiguration(QueryServer::admitEveryPath);
    config.router.javaLangErrorHandler(
        (response, error) -> {
          response.setStatus(HttpStatus.INTERNAL_SERVER_ERROR.getCode());
          LOGGER.atError().setCause(error).log("An HTTP request failed");
        });
    config
        .routes
        .beforeMatched(QueryServer::requireJson)
        .get("/openapi.json", context -> context.result(OPEN_API).contentType("application/json"))
        .get("/v1/decisions/{id}", this::decision)
        .get("/metrics", this::metrics)
        .get("/websocket/metrics", this::metrics)
        .get("/health/live", context -> json(context, new Views.Status("live")))
        .get("/health/ready", this::ready)
        .exception(
            InvalidPolicyException.class,
            (invalid, context) -> badRequest(context, Views.Problem.of(invalid)))
        .exception(
            InvalidParameterException.class,
            (invalid, context) -> badRequest(context, Views.Problem.of(invalid)))
        .exception(HttpResponseException.class, QueryServer::expected)
        .exception(Exception.class, QueryServer::unexpected);
    queries.addTo(config.routes);
    policies.addTo(config.routes);
    simulations.addTo(config.routes);
  }

  /** A check has path and head of whatever request Envoy took. */
  private static void admitEveryPath(HttpConfiguration http) {
    http.setRequestHeaderSize(MAX_HEAD_BYTES);
    http.setUriCompliance(UriCompliance.UNSAFE);
  }

  private static byte[] resource(String name) {
    try (InputStream in = QueryServer.class.getResourceAsStream(name)) {
      return Objects.requireNonNull(in, name).readAllBytes();
    } catch (IOException broken) {
      throw new UncheckedIOException(broken);
    }
  }

  /** What curl says of a body when it is told nothing is taken for JSON, too. */
  private static void requireJson(Context context) {
    String type = context.contentType();
    if (type == null || context.contentLength() == 0) {
      return;
    }
    String essence = type.replaceFirst(";.*", "").strip().toLowerCase(Locale.ROOT);
    if (!essence.endsWith("json") && !essence.equals("application/x-www-form-urlencoded")) {
      throw new UnsupportedMediaTypeResponse(
          "the body is " + essence + ": allowed is application/json");
    }
  }

  private void decision(Context context) {
    String id = context.pathParam("id");
    if (ConnectionIds.madeAtMs(id).isEmpty()) {
      throw new NotFoundResponse("a decision's id has 16 letters, digits, '-' and '_'");
    }
    try {
      json(
          context,
          DecisionView.of(
              decisions
                  .find(id)
                  .orElseThrow(
                      () ->
                          new NotFoundResponse(
                              "no decision " + id + ": it was not recorded, or too long ago"))));
    } catch (IOException notNow) {
      throw new ServiceUnavailableResponse(String.valueOf(notNow.getMessage()));
    }
  }

  private Refusal refusal(String pool) {
    HttpResponseException why = queries.missing(pool);
    return new Refusal(
        why.getStatus(), String.valueOf(why.getMessage()), why.getDetails().get(REASON));
  }

  private void metrics(Context context) {
    context.result(metrics.get()).contentType(PROMETHEUS_TEXT);
  }

  private void ready(Context context) {
    List<String> reasons = unready.get();
    if (reasons.isEmpty()) {
      json(context, new Views.Status("ready"));
    } else {
      problem(context, HttpStatus.SERVICE_UNAVAILABLE.getCode(), "not ready", null, reasons);
    }
  }

  private static void expected(HttpResponseException exception, Context context) {
    String allowed = exception.getDetails().get("availableMethods");
    if (allowed != null) {
      context.header("allow", allowed);
    }
    problem(
        context,
        exception.getStatus(),
        Optional.ofNullable(exception.getMessage()).orElse(""),
        exception.getDetails().get(REASON),
        null);
  }

  private static void badRequest(Context context, Views.Problem problem) {
    write(context.status(HttpStatus.BAD_REQUEST), problem, PROBLEM);
  }

  private static void unexpected(Exception exception, Context context) {
    LOGGER.atError().setCause(exception).log("An HTTP request failed");
    problem(context, HttpStatus.INTERNAL_SERVER_ERROR.getCode(), SEE_LOG, null, null);
  }

  private static void problem(
      Context context,
      int status,
      String detail,
      @Nullable String reason,
      @Nullable List<String> reasons) {
    write(context.status(status), Views.Problem.of(status, detail, reason, reasons), PROBLEM);
  }

  static void json(Context context, Object view) {
    write(context, view, "application/json");
  }

  private static void write(Context context, Object view, String contentType) {
    context.result(encode(view)).contentType(contentType);
  }

  static byte[] encode(Object view) {
    try {
      return MAPPER.writeValueAsBytes(view);
    } catch (JsonProcessingException impossible) {
      throw new IllegalStateException("plain values always encode", impossible);
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
