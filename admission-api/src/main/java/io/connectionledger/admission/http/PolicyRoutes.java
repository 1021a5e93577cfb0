package io.connectionledger.admission.http;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.connectionledger.admission.http.audit.AuditTrail;
import io.connectionledger.admission.http.audit.AuditedChange;
import io.connectionledger.admission.http.audit.UnauditedException;
import io.connectionledger.admission.http.auth.HttpRole;
import io.connectionledger.admission.http.view.InvalidParameterException;
import io.connectionledger.admission.http.view.Views;
import io.connectionledger.model.PodAddress;
import io.connectionledger.model.Ticker;
import io.connectionledger.model.audit.AuditEntry.Action;
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
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.CompletionException;
import java.util.concurrent.Executor;
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

  private static final Duration MIN_WITHIN = Duration.ofSeconds(1);
  private static final Duration MAX_WITHIN = Duration.ofHours(24);

  private static final String AUDIT_HEADER = "x-ledger-audit";

  private final Policies policies;
  private final PoolQueries ledger;
  private final WritablePods pods;
  private final AuditTrail audit;
  private final Executor workers;
  private final Ticker ticker;
  private final Function<String, HttpProblem> missing;

  /**
   * The routes.
   *
   * @param ledger tells what a pod holds
   * @param pods which of a policy's pods may be changed
   * @param audit has every change before it is made
   * @param workers who may wait
   * @param missing says why there is no pool of a name
   */
  PolicyRoutes(
      Policies policies,
      PoolQueries ledger,
      WritablePods pods,
      AuditTrail audit,
      Executor workers,
      Ticker ticker,
      Function<String, HttpProblem> missing) {
    this.policies = policies;
    this.ledger = ledger;
    this.pods = pods;
    this.audit = audit;
    this.workers = workers;
    this.ticker = ticker;
    this.missing = missing;
  }

  void addTo(Router routes) {
    routes
        .get(
            POLICY,
            exchange ->
                Conditional.json(exchange, view(of(exchange.pathParam("pool")), ticker.nowMs())))
        .put(POLICY, HttpRole.ADMIN, this::put)
        .delete(POLICY, HttpRole.ADMIN, this::reset)
        .put(DRAIN, HttpRole.OPERATE, this::drain)
        .delete(DRAIN, HttpRole.OPERATE, this::undrain);
  }

  private PolicyRecord of(String pool) {
    return policies.of(pool).orElseThrow(() -> missing.apply(pool));
  }

  private void put(Exchange exchange) {
    byte[] body = exchange.body();
    change(
        exchange,
        Action.PUT_POLICY,
        null,
        current -> {
          PoolPolicy policy = PolicyCodec.changed(current.policy(), body, BESIDE);
          pods.refuse(current.policy(), policy);
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
        Action.DELETE_POLICY,
        null,
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
        Action.DRAIN,
        pod.address().toString(),
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
        Action.UNDRAIN,
        pod.address().toString(),
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
      Exchange exchange,
      Action action,
      @Nullable String pod,
      UnaryOperator<PolicyRecord> change,
      Consumer<PolicyRecord> answer) {
    PolicyRecord now = of(exchange.pathParam("pool"));
    AuditedChange audited =
        new AuditedChange(
            policies,
            audit,
            ticker,
            PolicyRoutes::content,
            exchange.caller(),
            exchange.address(),
            action,
            now,
            pod,
            change);
    exchange.header(AUDIT_HEADER, audited.id());
    audited
        .make(workers)
        .thenAccept(answer)
        .exceptionally(
            failure -> {
              Router.fail(exchange, refusal(now.pool(), failure));
              return null;
            });
  }

  private static RuntimeException refusal(String pool, Throwable failure) {
    Throwable cause = failure instanceof CompletionException ? failure.getCause() : failure;
    if (cause instanceof InvalidPolicyException overtaken) {
      // By another change, after this one was looked at.
      return overtaken;
    }
    LOGGER
        .atWarn()
        .addKeyValue("pool", pool)
        .addKeyValue("failure", String.valueOf(cause))
        .log("A change of a policy was not stored");
    if (cause instanceof UnauditedException) {
      return new HttpProblem(
          HttpStatus.SERVICE_UNAVAILABLE_503,
          "the change of pool '" + pool + "' was not made: Kafka did not take its audit record");
    }
    return new HttpProblem(
        HttpStatus.SERVICE_UNAVAILABLE_503,
        "Kafka did not take the change of pool '" + pool + "'; it may still take effect");
  }

  private void show(Exchange exchange, PolicyRecord record) {
    exchange.json(view(record, ticker.nowMs()));
  }

  static ObjectNode view(PolicyRecord record, long nowMs) {
    ObjectNode content = content(record);
    ObjectNode answer = content.objectNode();
    answer.put("pool", record.pool());
    answer.put("asOf", Views.instant(nowMs));
    answer.setAll(content);
    return answer;
  }

  /** What is said of a policy, whenever and of whichever pool. */
  static ObjectNode content(PolicyRecord record) {
    ObjectNode view = PolicyCodec.tree(record.policy());
    if (record.policy().kubernetes() != null) {
      // They are found, not written; what is answered here may be sent back.
      view.remove("pods");
    }
    ObjectNode answer = view.objectNode();
    answer.put("source", record.isOverride() ? "api" : "configuration");
    answer.setAll(view);
    var draining = answer.putArray("draining");
    record.draining().stream().sorted().forEach(pod -> draining.add(pod.toString()));
    return answer;
  }
}
