package io.connectionledger.admission.http;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.connectionledger.admission.decisionlog.DecisionArchive;
import io.connectionledger.admission.http.Router.Scope;
import io.connectionledger.admission.http.audit.AuditTrail;
import io.connectionledger.admission.http.auth.BrowserRules;
import io.connectionledger.admission.http.auth.HttpAccess;
import io.connectionledger.admission.http.page.PageHandler;
import io.connectionledger.admission.http.port.HttpAddress;
import io.connectionledger.admission.http.port.HttpBounds;
import io.connectionledger.admission.http.port.HttpPort;
import io.connectionledger.admission.http.port.HttpRefusal;
import io.connectionledger.admission.http.port.HttpRefusals;
import io.connectionledger.admission.http.port.HttpSettings;
import io.connectionledger.admission.http.port.HttpTls;
import io.connectionledger.admission.http.port.WorkThreads;
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
import io.micrometer.core.instrument.MeterRegistry;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.OptionalInt;
import java.util.function.Supplier;
import org.eclipse.jetty.http.HttpStatus;
import org.eclipse.jetty.server.Handler;
import org.jspecify.annotations.Nullable;

/**
 * The HTTP ports: checks; query API, metrics and health, answered from memory; and policies, of
 * which changes are answered when Kafka has them. Thread-safe.
 */
public final class QueryServer implements AutoCloseable {

  private static final byte[] OPEN_API = resource("openapi.json");
  private static final StreamJson STREAM_JSON = new StreamViews();
  private static final String PROMETHEUS_TEXT = "text/plain; version=0.0.4; charset=utf-8";

  private static final int CHANGE_THREADS = 4;
  private static final int PROBE_THREADS = 2;
  private static final int PROBES_WAITING = 16;

  private static final String MAIN = "http";
  private static final String ADMIN = "http-admin";
  private static final String PROBES = "http-probes";

  private final Parts parts;
  private final QueryRoutes queries;
  private final PoolStreams streams;
  private final WorkThreads workers =
      new WorkThreads("http-work", HttpBounds.WORKERS, HttpBounds.WAITING);

  /** A change that has begun does not wait for those who only ask. */
  private final WorkThreads changes =
      new WorkThreads("http-changes", CHANGE_THREADS, HttpBounds.WAITING);

  /** So that it answers whatever the others do. */
  private final WorkThreads probeWorkers =
      new WorkThreads("http-probes-work", PROBE_THREADS, PROBES_WAITING);

  private final HttpRefusals refusals;
  private final Ticker ticker;
  private final Router router;
  private final Map<String, HttpPort> ports = new LinkedHashMap<>();

  /**
   * What it answers from.
   *
   * @param checks sees every request of the main port first, and leaves alone what is no check
   * @param audit has every change before it is made
   * @param metrics the scrape, in Prometheus' text format 0.0.4
   * @param unready why this instance is not ready, a line each; empty when it is. Never waits
   */
  public record Parts(
      Handler checks,
      PoolQueries ledger,
      Policies policies,
      AuditTrail audit,
      DecisionArchive decisions,
      Simulations simulations,
      Supplier<String> metrics,
      Supplier<List<String>> unready) {}

  private QueryServer(
      HttpSettings settings,
      HttpAccess access,
      Parts parts,
      Ticker ticker,
      MeterRegistry registry) {
    this.parts = parts;
    this.ticker = ticker;
    refusals = new HttpRefusals(registry);
    queries = new QueryRoutes(parts.ledger, parts.policies, ticker);
    streams =
        new PoolStreams(
            parts.ledger,
            parts.policies,
            STREAM_JSON,
            this::refusal,
            () -> refusals.count(HttpRefusal.READERS),
            StreamLimits.DEFAULT,
            ticker);
    StreamHandler follow = new StreamHandler(streams, STREAM_JSON);
    router =
        new Router(access, refusals, ticker)
                .open(
                    "/openapi.json",
                    exchange -> exchange.answer(HttpStatus.OK_200, Exchange.JSON, OPEN_API))
                .stream("/v1/pools/{pool}/stream", exchange -> exchange.handTo(follow))
                .get("/v1/decisions/{id}", this::decision)
                .metrics("/metrics", this::metrics)
                .metrics("/websocket/metrics", this::metrics)
                .probe("/health/live", exchange -> exchange.json(new Views.Status("live")))
                .probe("/health/ready", this::ready);
    queries.addTo(router);
    new FigureRoutes(parts.ledger, parts.decisions, ticker, queries::missing).addTo(router);
    new PolicyRoutes(
            parts.policies,
            parts.ledger,
            new WritablePods(settings),
            parts.audit,
            changes,
            ticker,
            queries::missing)
        .addTo(router);
    new SimulationRoutes(parts.simulations, parts.policies, ticker, queries::missing).addTo(router);
  }

  private void open(HttpSettings settings) {
    HttpAddress admin = settings.admin();
    HttpAddress probes = settings.probes();
    Handler api =
        router.on(
            admin == null ? Scope.ALL : Scope.NO_WRITES,
            browsers(settings.main(), settings),
            workers);
    open(
        MAIN,
        settings.main(),
        settings.tls(),
        HttpBounds.MAX_CONNECTIONS,
        new Handler.Sequence(parts.checks, new PageHandler(), api));
    if (admin != null) {
      open(
          ADMIN,
          admin,
          settings.tls(),
          HttpBounds.MAX_CONNECTIONS,
          router.on(Scope.ALL, browsers(admin, settings), workers));
    }
    if (probes != null) {
      open(
          PROBES,
          probes,
          null,
          HttpBounds.MAX_PROBE_CONNECTIONS,
          router.on(Scope.PROBES, browsers(probes, settings), probeWorkers));
    }
  }

  private static BrowserRules browsers(HttpAddress address, HttpSettings settings) {
    return new BrowserRules(address.bind(), settings.hosts());
  }

  private void open(
      String name,
      HttpAddress address,
      @Nullable HttpTls tls,
      int maxConnections,
      Handler handler) {
    ports.put(
        name,
        HttpPort.open(
            name,
            address,
            tls,
            maxConnections,
            handler,
            new ProblemPages(refusals),
            refusals,
            ticker));
  }

  /**
   * Starts listening.
   *
   * @param access says who asks; stays the caller's
   * @param registry counts what is refused
   * @throws UncheckedIOException with one line that names the address when one cannot be listened
   *     on
   */
  public static QueryServer start(
      HttpSettings settings,
      HttpAccess access,
      Parts parts,
      Ticker ticker,
      MeterRegistry registry) {
    QueryServer http = new QueryServer(settings, access, parts, ticker, registry);
    boolean started = false;
    try {
      http.open(settings);
      started = true;
      return http;
    } finally {
      if (!started) {
        http.close();
      }
    }
  }

  /** The port that answers checks and everything else. */
  public int port() {
    return portOf(MAIN).orElseThrow();
  }

  /** The port that alone answers writes; empty when it is the same. */
  public OptionalInt adminPort() {
    return portOf(ADMIN);
  }

  /** The port that has health and metrics for itself; empty when there is none. */
  public OptionalInt probesPort() {
    return portOf(PROBES);
  }

  private OptionalInt portOf(String name) {
    HttpPort port = ports.get(name);
    return port == null ? OptionalInt.empty() : OptionalInt.of(port.port());
  }

  /** Ends streams, and lets what else is being answered end, for some seconds. */
  @Override
  public void close() {
    streams.close();
    ports.values().forEach(HttpPort::close);
    workers.close();
    changes.close();
    probeWorkers.close();
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
              parts
                  .decisions
                  .find(id)
                  .orElseThrow(
                      () ->
                          new HttpProblem(
                              HttpStatus.NOT_FOUND_404,
                              "no decision "
                                  + id
                                  + ": it was not recorded, or too long ago; of a flood of"
                                  + " rejections most are only counted"))));
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
    exchange.answer(HttpStatus.OK_200, PROMETHEUS_TEXT, parts.metrics.get().getBytes(UTF_8));
  }

  private void ready(Exchange exchange) {
    List<String> reasons = parts.unready.get();
    if (reasons.isEmpty()) {
      exchange.json(new Views.Status("ready"));
    } else {
      exchange.problem(
          Views.Problem.of(HttpStatus.SERVICE_UNAVAILABLE_503, "not ready", null, reasons));
    }
  }
}
