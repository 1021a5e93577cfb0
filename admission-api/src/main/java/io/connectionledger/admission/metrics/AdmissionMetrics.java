package io.connectionledger.admission.metrics;

import io.connectionledger.model.event.Decision;
import io.connectionledger.model.event.RejectionReason;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import java.time.Duration;
import java.util.EnumMap;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;

/**
 * The counters and timers of admission; the names in a scrape are contract. Series exist for pools
 * with a policy and for {@link #UNKNOWN_POOL}, so that no caller can add any. Thread-safe.
 */
public final class AdmissionMetrics {

  /** The pool label of every check that names no known pool. */
  static final String UNKNOWN_POOL = "unknown";

  private static final Duration[] BUCKETS = {
    Duration.ofNanos(20_000),
    Duration.ofNanos(50_000),
    Duration.ofNanos(100_000),
    Duration.ofNanos(250_000),
    Duration.ofNanos(500_000),
    Duration.ofMillis(1),
    Duration.ofNanos(2_500_000),
    Duration.ofMillis(5),
    Duration.ofMillis(10),
    Duration.ofMillis(25),
    Duration.ofMillis(50),
    Duration.ofMillis(100),
    Duration.ofMillis(200),
    Duration.ofSeconds(1)
  };

  private final MeterRegistry registry;
  private final Map<String, PoolCounters> pools = new ConcurrentHashMap<>();
  private final Counter unknownAttempted;
  private final Counter unknownRejected;
  private final Timer allowed;
  private final Map<RejectionReason, Timer> rejected = new EnumMap<>(RejectionReason.class);
  private final Counter lost;
  private final Counter dropped;

  public AdmissionMetrics(MeterRegistry registry) {
    this.registry = registry;
    this.unknownAttempted = attemptedCounter(UNKNOWN_POOL);
    this.unknownRejected = rejectedCounter(UNKNOWN_POOL, RejectionReason.UNKNOWN_POOL);
    this.allowed = timer("allowed");
    for (RejectionReason reason : RejectionReason.values()) {
      rejected.put(reason, timer(reason.label()));
    }
    this.lost =
        Counter.builder("ledger.decisions.lost")
            .description("Decisions that were answered as allowed and then not recorded.")
            .register(registry);
    this.dropped =
        Counter.builder("ledger.decisions.dropped")
            .description("Rejected decisions that were answered and not recorded.")
            .register(registry);
  }

  /** Makes the series of these pools exist before their first check. */
  public void expect(Set<String> known) {
    known.forEach(this::pool);
  }

  public void attempted(String pool) {
    pool(pool).attempted.increment();
  }

  public void attemptedUnknownPool() {
    unknownAttempted.increment();
  }

  public void allowed(long nanos) {
    allowed.record(nanos, TimeUnit.NANOSECONDS);
  }

  public void rejected(Decision.Rejected decision) {
    RejectionReason reason = decision.reason();
    if (reason == RejectionReason.UNKNOWN_POOL) {
      unknownRejected.increment();
    } else {
      PoolCounters pool = pool(decision.pool());
      of(pool.rejected, reason).increment();
      if (reason == RejectionReason.RATE_LIMITED) {
        pool.rateLimited.increment();
      }
    }
  }

  public void rejected(RejectionReason reason, long nanos) {
    of(rejected, reason).record(nanos, TimeUnit.NANOSECONDS);
  }

  public void decisionLost() {
    lost.increment();
  }

  public void decisionsDropped(int count) {
    dropped.increment(count);
  }

  private PoolCounters pool(String pool) {
    PoolCounters known = pools.get(pool);
    return known != null ? known : pools.computeIfAbsent(pool, this::register);
  }

  private PoolCounters register(String pool) {
    Map<RejectionReason, Counter> byReason = new EnumMap<>(RejectionReason.class);
    for (RejectionReason reason : RejectionReason.values()) {
      if (reason != RejectionReason.UNKNOWN_POOL) {
        byReason.put(reason, rejectedCounter(pool, reason));
      }
    }
    Counter rateLimited =
        Counter.builder("websocket.connection.rate.limited")
            .description("WebSocket handshakes rejected by the pool's rate limit.")
            .tag("pool", pool)
            .register(registry);
    return new PoolCounters(attemptedCounter(pool), rateLimited, byReason);
  }

  private Counter attemptedCounter(String pool) {
    return Counter.builder("websocket.connections.attempted")
        .description("WebSocket handshakes that asked for admission.")
        .tag("pool", pool)
        .register(registry);
  }

  private Counter rejectedCounter(String pool, RejectionReason reason) {
    return Counter.builder("websocket.connections.rejected")
        .description("WebSocket handshakes that were not admitted.")
        .tag("pool", pool)
        .tag("reason", reason.label())
        .register(registry);
  }

  private Timer timer(String outcome) {
    return Timer.builder("ledger.decision")
        .description("Time from a check to its answer.")
        .tag("outcome", outcome)
        .serviceLevelObjectives(BUCKETS)
        .register(registry);
  }

  private static <T> T of(Map<RejectionReason, T> byReason, RejectionReason reason) {
    T value = byReason.get(reason);
    if (value == null) {
      throw new IllegalStateException("no meter for " + reason);
    }
    return value;
  }

  private record PoolCounters(
      Counter attempted, Counter rateLimited, Map<RejectionReason, Counter> rejected) {}
}
