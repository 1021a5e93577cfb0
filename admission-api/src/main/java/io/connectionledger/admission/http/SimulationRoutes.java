package io.connectionledger.admission.http;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.connectionledger.admission.http.auth.HttpRole;
import io.connectionledger.admission.http.view.Views;
import io.connectionledger.model.JsonBounds;
import io.connectionledger.model.Ticker;
import io.connectionledger.model.policy.DurationText;
import io.connectionledger.model.policy.InvalidPolicyException;
import io.connectionledger.model.policy.Policies;
import io.connectionledger.model.policy.PolicyCodec;
import io.connectionledger.model.policy.PoolPolicy;
import io.connectionledger.model.view.Simulation;
import io.connectionledger.model.view.Simulation.Outcome;
import io.connectionledger.model.view.SimulationRefusedException;
import io.connectionledger.model.view.Simulations;
import java.io.IOException;
import java.time.DateTimeException;
import java.time.Duration;
import java.time.Instant;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;
import org.eclipse.jetty.http.HttpStatus;

/**
 * Answers what other limits would have done, over HTTP. It is answered by the thread that asks,
 * which reads Kafka for some seconds; since one is made at a time, no more than one thread waits.
 * Thread-safe.
 */
final class SimulationRoutes {

  private static final String WINDOW = "window";
  private static final String FROM = "from";
  private static final String TO = "to";
  private static final Set<String> TIMES = Set.of(WINDOW, FROM, TO);

  /** Of a policy's keys those that decide who is admitted. */
  private static final List<String> LIMITS =
      List.of(
          "connectionsPerSecond",
          "burstCapacity",
          "perPodMaxConnections",
          "pods",
          "placement",
          "slowStart");

  private static final Duration LONGEST = Duration.ofHours(1);
  private static final String LENGTH = "1s to 1h";
  private static final String MOMENT = "a moment that has passed, such as 2026-11-21T12:00:00Z";
  private static final String RETRY_SECONDS = "5";

  private static final ObjectMapper MAPPER = new ObjectMapper(JsonBounds.factory());

  private final Simulations simulations;
  private final Policies policies;
  private final Ticker ticker;
  private final Function<String, HttpProblem> missing;

  /**
   * The route.
   *
   * @param missing says why there is no pool of a name
   */
  SimulationRoutes(
      Simulations simulations,
      Policies policies,
      Ticker ticker,
      Function<String, HttpProblem> missing) {
    this.simulations = simulations;
    this.policies = policies;
    this.ticker = ticker;
    this.missing = missing;
  }

  void addTo(Router routes) {
    routes.post("/v1/pools/{pool}/simulate", HttpRole.OPERATE, this::simulate);
  }

  private record Window(long fromMs, long toMs) {}

  private void simulate(Exchange exchange) throws IOException {
    String pool = exchange.pathParam("pool");
    PoolPolicy now = policies.of(pool).orElseThrow(() -> missing.apply(pool)).policy();
    ObjectNode body = body(exchange.body());
    Window window = window(body);
    body.remove(TIMES);
    byte[] limits = limits(body);
    // Refused before anything is read.
    PolicyCodec.changed(now, limits, Set.of());
    try {
      Simulation answer =
          simulations.simulate(
              new Simulations.Request(
                  pool,
                  window.fromMs,
                  window.toMs,
                  before -> PolicyCodec.changed(before, limits, Set.of())));
      exchange.json(view(answer));
    } catch (SimulationRefusedException refused) {
      throw refusal(exchange, refused);
    }
  }

  private static ObjectNode body(byte[] json) {
    if (json.length == 0) {
      return MAPPER.createObjectNode();
    }
    try {
      if (MAPPER.readTree(json) instanceof ObjectNode object) {
        return object;
      }
      throw new InvalidPolicyException("the body", "no object", "a JSON object");
    } catch (IOException invalid) {
      InvalidPolicyException refusal =
          new InvalidPolicyException("the body", "no JSON", "a JSON object");
      refusal.initCause(invalid);
      throw refusal;
    }
  }

  private static byte[] limits(ObjectNode body) {
    body.properties()
        .forEach(
            entry -> {
              if (!LIMITS.contains(entry.getKey())) {
                throw new InvalidPolicyException(
                    entry.getKey(),
                    entry.getValue(),
                    "one of " + String.join(", ", LIMITS) + ", window, from, to");
              }
            });
    try {
      return MAPPER.writeValueAsBytes(body);
    } catch (JsonProcessingException impossible) {
      throw new IllegalStateException("trees always encode", impossible);
    }
  }

  /** A quarter of an hour up to now, unless the body says otherwise. */
  private Window window(ObjectNode body) {
    long nowMs = ticker.nowMs();
    long toMs = body.has(TO) ? moment(body, TO, nowMs) : nowMs;
    if (body.has(FROM)) {
      if (body.has(WINDOW)) {
        throw new InvalidPolicyException(WINDOW, body.path(WINDOW), "left out beside from");
      }
      long fromMs = moment(body, FROM, nowMs);
      if (fromMs >= toMs || toMs - fromMs > LONGEST.toMillis()) {
        throw new InvalidPolicyException(FROM, body.path(FROM), "before to, by 1h at most");
      }
      return new Window(fromMs, toMs);
    }
    return new Window(toMs - length(body).toMillis(), toMs);
  }

  private static Duration length(ObjectNode body) {
    JsonNode written = body.path(WINDOW);
    if (written.isMissingNode()) {
      return Duration.ofMinutes(15);
    }
    try {
      Duration length = DurationText.parse(written.asText());
      if (length.compareTo(Duration.ofSeconds(1)) >= 0 && length.compareTo(LONGEST) <= 0) {
        return length;
      }
      throw new InvalidPolicyException(WINDOW, written, LENGTH);
    } catch (InvalidPolicyException outside) {
      throw outside;
    } catch (IllegalArgumentException invalid) {
      InvalidPolicyException refusal = new InvalidPolicyException(WINDOW, written, LENGTH);
      refusal.initCause(invalid);
      throw refusal;
    }
  }

  private static long moment(ObjectNode body, String key, long nowMs) {
    JsonNode written = body.path(key);
    try {
      long atMs = Instant.parse(written.asText()).toEpochMilli();
      if (atMs >= 0 && atMs <= nowMs) {
        return atMs;
      }
      throw new InvalidPolicyException(key, written, MOMENT);
    } catch (DateTimeException | ArithmeticException invalid) {
      InvalidPolicyException refusal = new InvalidPolicyException(key, written, MOMENT);
      refusal.initCause(invalid);
      throw refusal;
    }
  }

  private static HttpProblem refusal(Exchange exchange, SimulationRefusedException refused) {
    int status =
        switch (refused.why()) {
          case BUSY -> HttpStatus.TOO_MANY_REQUESTS_429;
          case TOO_MUCH -> HttpStatus.PAYLOAD_TOO_LARGE_413;
          case UNAVAILABLE -> HttpStatus.SERVICE_UNAVAILABLE_503;
          case UNKNOWN_POOL -> HttpStatus.NOT_FOUND_404;
        };
    if (status == HttpStatus.TOO_MANY_REQUESTS_429) {
      exchange.header("retry-after", RETRY_SECONDS);
    }
    return new HttpProblem(status, String.valueOf(refused.getMessage()));
  }

  private ObjectNode view(Simulation answer) {
    ObjectNode view = MAPPER.createObjectNode();
    view.put("pool", answer.pool());
    view.put("asOf", Views.instant(ticker.nowMs()));
    view.put(FROM, Views.instant(answer.fromMs()));
    view.put(TO, Views.instant(answer.toMs()));
    ObjectNode policy = PolicyCodec.tree(answer.policy());
    view.set("limits", policy.retain(LIMITS));
    view.set("recorded", view(answer.recorded()));
    view.set("repeated", view(answer.repeated()));
    view.set("simulated", view(answer.simulated()));
    answer.assumptions().forEach(view.putArray("assumptions")::add);
    return view;
  }

  private static ObjectNode view(Outcome outcome) {
    ObjectNode view = MAPPER.createObjectNode();
    long rejected = outcome.rejected().values().stream().mapToLong(Long::longValue).sum();
    view.put("attempts", outcome.admitted() + rejected);
    view.put("admitted", outcome.admitted());
    ObjectNode reasons = view.putObject("rejected");
    outcome.rejected().entrySet().stream()
        .sorted(Map.Entry.comparingByKey(Comparator.naturalOrder()))
        .forEach(reason -> reasons.put(reason.getKey().label(), reason.getValue()));
    var pods = view.putArray("pods");
    outcome
        .pods()
        .forEach(
            pod ->
                pods.addObject()
                    .put("pod", pod.pod())
                    .put("address", pod.address().toString())
                    .put("peak", pod.held()));
    return view;
  }
}
