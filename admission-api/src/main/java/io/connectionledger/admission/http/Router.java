package io.connectionledger.admission.http;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.connectionledger.admission.http.auth.AccessRefusedException;
import io.connectionledger.admission.http.auth.BrowserRules;
import io.connectionledger.admission.http.auth.Caller;
import io.connectionledger.admission.http.auth.HttpAccess;
import io.connectionledger.admission.http.auth.HttpRole;
import io.connectionledger.admission.http.port.HttpBounds;
import io.connectionledger.admission.http.port.HttpRefusal;
import io.connectionledger.admission.http.port.HttpRefusals;
import io.connectionledger.admission.http.port.RequestBody;
import io.connectionledger.admission.http.view.InvalidParameterException;
import io.connectionledger.admission.http.view.Views;
import io.connectionledger.model.Ticker;
import io.connectionledger.model.policy.InvalidPolicyException;
import java.net.URLDecoder;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.stream.Collectors;
import org.eclipse.jetty.http.HttpStatus;
import org.eclipse.jetty.http.pathmap.UriTemplatePathSpec;
import org.eclipse.jetty.server.Handler;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.server.Response;
import org.eclipse.jetty.util.Callback;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Has each request answered by the route of its method and path, when the caller may, and with a
 * problem where there is none or the route throws. The threads of a port never wait here: bodies
 * are read as they come, and routes are worked on by others. Thread-safe once it has all its
 * routes.
 */
final class Router {

  static final String SEE_LOG = "see this instance's log";

  private static final Logger LOGGER = LoggerFactory.getLogger(Router.class);

  private static final Set<String> WITH_BODY = Set.of("PUT", "POST");

  private final HttpAccess access;
  private final HttpRefusals refusals;
  private final Ticker ticker;
  private final List<Entry> routes = new ArrayList<>();

  /** What a port answers. */
  enum Scope {
    /** Every route. */
    ALL,
    /** Every route that changes nothing. */
    NO_WRITES,
    /** What must be known of the instance itself, whatever host the request names. */
    PROBES
  }

  /** Who has a route answered, and how. */
  private enum Kind {
    /** In memory, at once, on the port's own thread. */
    AT_ONCE,
    /** By a thread that may wait. */
    WORK,
    /** As {@link #WORK}, and it changes something. */
    WRITE
  }

  /** Answers requests. Thread-safe; may wait, unless it was added as one that answers at once. */
  @FunctionalInterface
  interface Route {

    /** Answers, now or later, or throws, which is answered for it. */
    void handle(Exchange exchange) throws Exception;
  }

  /**
   * A route.
   *
   * @param role who may; null for everybody
   * @param probe whether it says something of the instance itself
   */
  private record Entry(
      String method,
      UriTemplatePathSpec path,
      @Nullable HttpRole role,
      Kind kind,
      boolean probe,
      Route route) {

    boolean isIn(Scope scope) {
      return switch (scope) {
        case ALL, NO_WRITES -> true;
        case PROBES -> probe;
      };
    }
  }

  Router(HttpAccess access, HttpRefusals refusals, Ticker ticker) {
    this.access = access;
    this.refusals = refusals;
    this.ticker = ticker;
  }

  /** A route for everybody, which answers at once. */
  Router open(String path, Route route) {
    return add("GET", path, null, Kind.AT_ONCE, false, route);
  }

  /** A route for everybody, which says at once something of the instance itself. */
  Router probe(String path, Route route) {
    return add("GET", path, null, Kind.AT_ONCE, true, route);
  }

  /** The metrics. */
  Router metrics(String path, Route route) {
    return add("GET", path, access.hasOpenMetrics() ? null : HttpRole.READ, Kind.WORK, true, route);
  }

  /** A route for who may read. */
  Router get(String path, Route route) {
    return add("GET", path, HttpRole.READ, Kind.WORK, false, route);
  }

  /** A route for who may read, which begins at once and answers as long as it likes. */
  Router stream(String path, Route route) {
    return add("GET", path, HttpRole.READ, Kind.AT_ONCE, false, route);
  }

  /** A route that changes something. */
  Router put(String path, HttpRole role, Route route) {
    return add("PUT", path, role, Kind.WRITE, false, route);
  }

  /** A route that changes something. */
  Router delete(String path, HttpRole role, Route route) {
    return add("DELETE", path, role, Kind.WRITE, false, route);
  }

  /** A route that takes a body and changes nothing. */
  Router post(String path, HttpRole role, Route route) {
    return add("POST", path, role, Kind.WORK, false, route);
  }

  /** The parameters of a path stand in braces, a segment each. */
  private Router add(
      String method, String path, @Nullable HttpRole role, Kind kind, boolean probe, Route route) {
    routes.add(new Entry(method, new UriTemplatePathSpec(path), role, kind, probe, route));
    return this;
  }

  /** What answers on a port; its work is done by {@code workers}. */
  Handler on(Scope scope, BrowserRules browsers, Executor workers) {
    return new Port(scope, browsers, workers);
  }

  private final class Port extends Handler.Abstract.NonBlocking {

    private final Scope scope;
    private final BrowserRules browsers;
    private final Executor workers;

    Port(Scope scope, BrowserRules browsers, Executor workers) {
      this.scope = scope;
      this.browsers = browsers;
      this.workers = workers;
    }

    @Override
    public boolean handle(Request request, Response response, Callback callback) {
      // As it is written: resolved, a path could be that of a check.
      String written = String.valueOf(request.getHttpURI().getPath());
      String path =
          written.length() > 1 && written.endsWith("/")
              ? written.substring(0, written.length() - 1)
              : written;
      List<Entry> there =
          routes.stream().filter(entry -> entry.isIn(scope) && entry.path.matches(path)).toList();
      Exchange exchange =
          new Exchange(request, response, callback, parameters(there, path), refusals);
      guarded(
          exchange,
          () -> {
            Entry entry = entry(request.getMethod(), written, there, exchange);
            refuseForeign(request, entry);
            admit(exchange, entry);
          });
      return true;
    }

    /** What may be refused before anything of it is looked into. */
    private void refuseForeign(Request request, Entry entry) {
      String query = request.getHttpURI().getQuery();
      if (query != null && query.length() > HttpBounds.MAX_QUERY_CHARS) {
        throw HttpProblem.of(
            HttpRefusal.QUERY_TOO_LONG,
            "the query has "
                + query.length()
                + " characters: allowed is up to "
                + HttpBounds.MAX_QUERY_CHARS);
      }
      // Who probes an instance knows it by its address, and learns nothing about any pool.
      if (!entry.probe && !browsers.isKnown(Request.getServerName(request))) {
        throw HttpProblem.of(
            HttpRefusal.HOST, "this instance is not reached by that host: see http.hosts");
      }
    }

    private void admit(Exchange exchange, Entry entry) throws Exception {
      if (entry.role == null) {
        answer(exchange, entry);
        return;
      }
      refuseCrossSite(exchange, entry);
      String authorization = exchange.header("authorization");
      try {
        Optional<Caller> caller = access.known(authorization);
        if (caller.isPresent()) {
          admit(exchange, entry, caller.get());
        } else {
          work(exchange, () -> admit(exchange, entry, issued(authorization)));
        }
      } catch (AccessRefusedException refused) {
        throw refusal(exchange, refused);
      }
    }

    private Caller issued(@Nullable String authorization) throws AccessRefusedException {
      return access.issued(authorization);
    }

    private void admit(Exchange exchange, Entry entry, Caller caller) throws Exception {
      HttpRole needed = entry.role;
      if (needed != null && !caller.may(needed)) {
        HttpRole role = caller.role();
        throw HttpProblem.of(
            HttpRefusal.FORBIDDEN,
            "this needs the role "
                + needed.label()
                + "; yours is "
                + (role == null ? "none" : role.label()));
      }
      exchange.caller(caller);
      if (entry.kind == Kind.WRITE && scope == Scope.NO_WRITES) {
        throw HttpProblem.of(
            HttpRefusal.NOT_ADMIN_PORT, "changes are answered on the port of http.admin alone");
      }
      answer(exchange, entry);
    }

    private void answer(Exchange exchange, Entry entry) throws Exception {
      if (entry.kind == Kind.AT_ONCE) {
        entry.route.handle(exchange);
        return;
      }
      requireJson(exchange);
      if (WITH_BODY.contains(entry.method)) {
        RequestBody.read(
            exchange.request(),
            ticker,
            body -> {
              exchange.body(body);
              guarded(exchange, () -> work(exchange, () -> entry.route.handle(exchange)));
            },
            refused -> fail(exchange, refusal(exchange, refused)));
      } else {
        work(exchange, () -> entry.route.handle(exchange));
      }
    }

    private void work(Exchange exchange, Step step) {
      try {
        workers.execute(() -> guarded(exchange, step));
      } catch (RejectedExecutionException busy) {
        exchange.header("retry-after", "1");
        throw HttpProblem.of(HttpRefusal.BUSY, "too many requests are being answered, ask again");
      }
    }
  }

  /** A step of answering that may fail. */
  @FunctionalInterface
  private interface Step {
    void run() throws Exception;
  }

  private void guarded(Exchange exchange, Step step) {
    try {
      step.run();
    } catch (AccessRefusedException refused) {
      fail(exchange, refusal(exchange, refused));
    } catch (Exception failure) {
      fail(exchange, failure);
    }
  }

  private static void refuseCrossSite(Exchange exchange, Entry entry) {
    if (!entry.method.equals("GET")
        && BrowserRules.isCrossSite(
            exchange.header("origin"),
            exchange.header("sec-fetch-site"),
            String.valueOf(exchange.header("host")))) {
      throw HttpProblem.of(
          HttpRefusal.CROSS_SITE, "a page of another site asks for this: allowed are our own");
    }
  }

  private static HttpProblem refusal(Exchange exchange, AccessRefusedException refused) {
    String detail = String.valueOf(refused.getMessage());
    if (refused.isOurs()) {
      return new HttpProblem(HttpStatus.SERVICE_UNAVAILABLE_503, detail);
    }
    exchange.header("www-authenticate", "Bearer");
    return HttpProblem.of(HttpRefusal.UNAUTHORIZED, detail);
  }

  private static HttpProblem refusal(Exchange exchange, HttpRefusal refused) {
    // What of the body still comes is not waited for.
    exchange.header("connection", "close");
    return HttpProblem.of(
        refused,
        refused == HttpRefusal.BODY_TOO_LARGE ? "Content Too Large" : "the body came too slowly");
  }

  private static Map<String, String> parameters(List<Entry> there, String path) {
    Map<String, String> parameters = new HashMap<>();
    if (!there.isEmpty()) {
      there
          .getFirst()
          .path
          .getPathParams(path)
          .forEach(
              // A plus sign is one, unlike in a form.
              (name, value) ->
                  parameters.put(name, URLDecoder.decode(value.replace("+", "%2B"), UTF_8)));
    }
    return parameters;
  }

  private static Entry entry(String method, String path, List<Entry> there, Exchange exchange) {
    if (there.isEmpty()) {
      throw new HttpProblem(
          HttpStatus.NOT_FOUND_404, "Endpoint " + method + " " + path + " not found");
    }
    return there.stream()
        .filter(entry -> entry.method.equals(method))
        .findFirst()
        .orElseThrow(
            () -> {
              exchange.header(
                  "allow", there.stream().map(Entry::method).collect(Collectors.joining(", ")));
              return new HttpProblem(HttpStatus.METHOD_NOT_ALLOWED_405, "Method Not Allowed");
            });
  }

  /** What curl says of a body when it is told nothing is taken for JSON, too. */
  private static void requireJson(Exchange exchange) {
    String type = exchange.header("content-type");
    if (type == null || "0".equals(exchange.header("content-length"))) {
      return;
    }
    String essence = type.replaceFirst(";.*", "").strip().toLowerCase(Locale.ROOT);
    if (!essence.endsWith("json") && !essence.equals("application/x-www-form-urlencoded")) {
      throw new HttpProblem(
          HttpStatus.UNSUPPORTED_MEDIA_TYPE_415,
          "the body is " + essence + ": allowed is application/json");
    }
  }

  /** Answers with the problem that {@code failure} is; it is logged when it is a bug. */
  static void fail(Exchange exchange, Throwable failure) {
    exchange.problem(
        switch (failure) {
          case InvalidPolicyException invalid -> Views.Problem.of(invalid);
          case InvalidParameterException invalid -> Views.Problem.of(invalid);
          case HttpProblem problem -> {
            exchange.count(problem.refusal());
            yield Views.Problem.of(problem.status(), problem.detail(), problem.reason(), null);
          }
          default -> {
            LOGGER.atError().setCause(failure).log("An HTTP request failed");
            yield Views.Problem.of(HttpStatus.INTERNAL_SERVER_ERROR_500, SEE_LOG, null, null);
          }
        });
  }
}
