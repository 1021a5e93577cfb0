package io.connectionledger.admission.http;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.connectionledger.admission.http.view.InvalidParameterException;
import io.connectionledger.admission.http.view.Views;
import io.connectionledger.model.PodAddress;
import io.connectionledger.model.Ticker;
import io.connectionledger.model.policy.DrainPace;
import io.connectionledger.model.policy.DurationText;
import io.connectionledger.model.policy.InvalidPolicyException;
import io.connectionledger.model.policy.Pod;
import io.connectionledger.model.policy.Policies;
import io.connectionledger.model.policy.PolicyCodec;
import io.connectionledger.model.policy.PolicyRecord;
import io.connectionledger.model.policy.PoolIndex;
import io.connectionledger.model.policy.PoolPolicy;
import io.connectionledger.model.view.PoolReport;
import io.connectionledger.model.view.PoolView;
import io.connectionledger.streams.PoolQueries;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.UnaryOperator;
import org.eclipse.jetty.http.HttpStatus;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Shows and changes policies, and drains pods, over HTTP. A change is answered when it is stored
 * and followed by this instance; the others follow it at the same time. Thread-safe.
 */
final class PolicyRoutes {

  private static final Logger LOGGER = LoggerFactory.getLogger(PolicyRoutes.class);

  private static final String POLICY = "/v1/pools/{pool}/policy";
  private static final String DRAIN = "/v1/pools/{pool}/pods/{address}/drain";

  /** What an answer has beside a policy's keys: it may be sent back with them, and is ignored. */
  private static final Set<String> BESIDE = Set.of("pool", "asOf", "source", "draining");

  private static final int STORE_SECONDS = 10;
  private static final Duration MIN_WITHIN = Duration.ofSeconds(1);
  private static final Duration MAX_WITHIN = Duration.ofHours(24);

  private final Policies policies;
  private final PoolQueries ledger;
  private final Ticker ticker;
  private final Function<String, HttpProblem> missing;

  /**
   * The routes.
   *
   * @param ledger tells what a pod holds
   * @param missing says why there is no pool of a name
   */
  PolicyRoutes(
      Policies policies, PoolQueries ledger, Ticker ticker, Function<String, HttpProblem> missing) {
    this.policies = policies;
    this.ledger = ledger;
    this.ticker = ticker;
    this.missing = missing;
  }

  void addTo(Router routes) {
    routes
        .get(
            POLICY,
            exchange ->
                Conditional.json(exchange, view(of(exchange.pathParam("pool")), ticker.nowMs())))
        .put(POLICY, this::put)
        .delete(POLICY, this::reset)
        .put(DRAIN, this::drain)
        .delete(DRAIN, this::undrain);
  }

  private PolicyRecord of(String pool) {
    return policies.of(pool).orElseThrow(() -> missing.apply(pool));
  }

  private void put(Exchange exchange) throws IOException {
    byte[] body = exchange.body();
    change(
        exchange,
        current -> {
          PoolPolicy policy = PolicyCodec.changed(current.policy(), body, BESIDE);
          refuseConflict(policy);
          return current.withPolicy(policy, ticker.nowMs());
        },
        record -> show(exchange, record));
  }

  /** What it claims may be no other pool's. */
  private void refuseConflict(PoolPolicy changed) {
    List<PoolPolicy> all = new ArrayList<>(List.of(changed));
    for (String pool : ledger.pools()) {
      if (!pool.equals(changed.pool())) {
        policies.of(pool).map(PolicyRecord::policy).ifPresent(all::add);
      }
    }
    PoolIndex.conflict(all)
        .filter(conflict -> conflict.isOf(changed.pool()))
        .ifPresent(
            conflict -> {
              throw new InvalidPolicyException(
                  conflict.key(), "'" + conflict.value() + "'", conflict.allowed(changed.pool()));
            });
  }

  /** Back to what the configuration wants. */
  private void reset(Exchange exchange) {
    change(
        exchange,
        current -> current.withPolicy(current.base(), ticker.nowMs()),
        record -> show(exchange, record));
  }

  private void drain(Exchange exchange) {
    PolicyRecord now = of(exchange.pathParam("pool"));
    Pod pod = pod(now, exchange.pathParam("address"));
    DrainPace pace = pace(now.pool(), pod.address(), exchange.queryParam("within"));
    Views.Drain answer = answer(now, pod, true, pace);
    boolean same =
        now.draining().contains(pod.address())
            && Objects.equals(now.paces().get(pod.address()), pace);
    if (same) {
      exchange.json(answer);
      return;
    }
    change(
        exchange,
        current -> current.withDrain(pod.address(), pace, ticker.nowMs()),
        record -> exchange.json(answer));
  }

  private void undrain(Exchange exchange) {
    PolicyRecord now = of(exchange.pathParam("pool"));
    Pod pod = pod(now, exchange.pathParam("address"));
    Views.Drain answer = answer(now, pod, false, null);
    if (!now.draining().contains(pod.address())) {
      exchange.json(answer);
      return;
    }
    change(
        exchange,
        current -> current.withoutDrain(pod.address(), ticker.nowMs()),
        record -> exchange.json(answer));
  }

  private Views.Drain answer(
      PolicyRecord record, Pod pod, boolean draining, @Nullable DrainPace pace) {
    return new Views.Drain(
        record.pool(),
        Views.instant(ticker.nowMs()),
        pod.name(),
        pod.address().toString(),
        draining,
        pace == null ? null : Views.instant(pace.untilMs()));
  }

  /** From what the pod holds now to nothing; null when it may take its time. */
  private @Nullable DrainPace pace(String pool, PodAddress pod, @Nullable String within) {
    if (within == null) {
      return null;
    }
    long untilMs = ticker.nowMs() + within(within).toMillis();
    PoolView view =
        ledger
            .connections(pool)
            .or(() -> ledger.standby(pool).map(PoolReport::connections))
            .orElseThrow(() -> missing.apply(pool));
    int active =
        view.pods().stream()
            .filter(one -> one.address().equals(pod))
            .mapToInt(PoolView.PodView::active)
            .sum();
    return new DrainPace(ticker.nowMs(), untilMs, active);
  }

  private static Duration within(String written) {
    try {
      Duration within = DurationText.parse(written);
      if (within.compareTo(MIN_WITHIN) >= 0 && within.compareTo(MAX_WITHIN) <= 0) {
        return within;
      }
    } catch (IllegalArgumentException notADuration) {
      InvalidParameterException refusal = refusal(written);
      refusal.initCause(notADuration);
      throw refusal;
    }
    throw refusal(written);
  }

  private static InvalidParameterException refusal(String within) {
    return new InvalidParameterException(
        "within", within, "1s to 24h, written as 500ms, 10s, 5m or 1h");
  }

  private static Pod pod(PolicyRecord record, String written) {
    PodAddress address;
    try {
      address = PodAddress.parse(written);
    } catch (IllegalArgumentException notAnAddress) {
      throw new HttpProblem(HttpStatus.NOT_FOUND_404, String.valueOf(notAnAddress.getMessage()));
    }
    return record.policy().pods().stream()
        .filter(pod -> pod.address().equals(address))
        .findFirst()
        .orElseThrow(
            () ->
                new HttpProblem(
                    HttpStatus.NOT_FOUND_404,
                    "pool '" + record.pool() + "' has no pod at " + address));
  }

  private void change(
      Exchange exchange, UnaryOperator<PolicyRecord> change, Consumer<PolicyRecord> answer) {
    String pool = of(exchange.pathParam("pool")).pool();
    CompletableFuture<PolicyRecord> stored =
        policies
            .change(pool, change)
            .toCompletableFuture()
            .copy()
            .orTimeout(STORE_SECONDS, TimeUnit.SECONDS);
    stored
        .thenAccept(answer)
        .exceptionally(
            failure -> {
              Router.fail(exchange, refusal(pool, failure));
              return null;
            });
  }

  private static HttpProblem refusal(String pool, Throwable failure) {
    Throwable cause = failure instanceof CompletionException ? failure.getCause() : failure;
    LOGGER
        .atWarn()
        .addKeyValue("pool", pool)
        .addKeyValue("failure", String.valueOf(cause))
        .log("A change of a policy was not stored");
    return new HttpProblem(
        HttpStatus.SERVICE_UNAVAILABLE_503,
        "Kafka did not take the change of pool '" + pool + "'; it may still take effect");
  }

  private void show(Exchange exchange, PolicyRecord record) {
    exchange.json(view(record, ticker.nowMs()));
  }

  static ObjectNode view(PolicyRecord record, long nowMs) {
    ObjectNode view = PolicyCodec.tree(record.policy());
    if (record.policy().kubernetes() != null) {
      // They are found, not written; what is answered here may be sent back.
      view.remove("pods");
    }
    ObjectNode answer = view.objectNode();
    answer.put("pool", record.pool());
    answer.put("asOf", Views.instant(nowMs));
    answer.put("source", record.isOverride() ? "api" : "configuration");
    answer.setAll(view);
    var draining = answer.putArray("draining");
    record.draining().stream().sorted().forEach(pod -> draining.add(pod.toString()));
    return answer;
  }
}
