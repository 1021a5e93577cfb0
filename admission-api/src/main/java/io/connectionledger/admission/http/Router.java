package io.connectionledger.admission.http;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.connectionledger.admission.http.view.InvalidParameterException;
import io.connectionledger.admission.http.view.Views;
import io.connectionledger.model.policy.InvalidPolicyException;
import java.net.URLDecoder;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;
import org.eclipse.jetty.http.HttpStatus;
import org.eclipse.jetty.http.pathmap.UriTemplatePathSpec;
import org.eclipse.jetty.server.Handler;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.server.Response;
import org.eclipse.jetty.util.Callback;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Has each request answered by the route of its method and path, and with a problem where there is
 * none or the route throws. Thread-safe once it has all its routes.
 */
final class Router extends Handler.Abstract {

  static final String SEE_LOG = "see this instance's log";

  private static final Logger LOGGER = LoggerFactory.getLogger(Router.class);

  private final List<Entry> routes = new ArrayList<>();

  /** Answers requests. Thread-safe; may wait. */
  @FunctionalInterface
  interface Route {

    /** Answers, now or later, or throws, which is answered for it. */
    void handle(Exchange exchange) throws Exception;
  }

  private record Entry(String method, UriTemplatePathSpec path, Route route) {}

  Router get(String path, Route route) {
    return add("GET", path, route);
  }

  Router put(String path, Route route) {
    return add("PUT", path, route);
  }

  Router post(String path, Route route) {
    return add("POST", path, route);
  }

  Router delete(String path, Route route) {
    return add("DELETE", path, route);
  }

  /**
   * A route.
   *
   * @param path with its parameters in braces, a segment each
   */
  private Router add(String method, String path, Route route) {
    routes.add(new Entry(method, new UriTemplatePathSpec(path), route));
    return this;
  }

  @Override
  public boolean handle(Request request, Response response, Callback callback) {
    // As it is written: resolved, a path could be that of a check.
    String written = String.valueOf(request.getHttpURI().getPath());
    String path =
        written.length() > 1 && written.endsWith("/")
            ? written.substring(0, written.length() - 1)
            : written;
    List<Entry> there = routes.stream().filter(entry -> entry.path.matches(path)).toList();
    Exchange exchange = new Exchange(request, response, callback, parameters(there, path));
    try {
      route(request.getMethod(), written, there, exchange).handle(exchange);
    } catch (Exception failure) {
      fail(exchange, failure);
    }
    return true;
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

  private static Route route(String method, String path, List<Entry> there, Exchange exchange) {
    if (there.isEmpty()) {
      throw new HttpProblem(
          HttpStatus.NOT_FOUND_404, "Endpoint " + method + " " + path + " not found");
    }
    Route route =
        there.stream()
            .filter(entry -> entry.method.equals(method))
            .map(Entry::route)
            .findFirst()
            .orElse(null);
    if (route == null) {
      exchange.header("allow", there.stream().map(Entry::method).collect(Collectors.joining(", ")));
      throw new HttpProblem(HttpStatus.METHOD_NOT_ALLOWED_405, "Method Not Allowed");
    }
    requireJson(exchange);
    return route;
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
          case HttpProblem problem ->
              Views.Problem.of(problem.status(), problem.detail(), problem.reason(), null);
          default -> {
            LOGGER.atError().setCause(failure).log("An HTTP request failed");
            yield Views.Problem.of(HttpStatus.INTERNAL_SERVER_ERROR_500, SEE_LOG, null, null);
          }
        });
  }
}
