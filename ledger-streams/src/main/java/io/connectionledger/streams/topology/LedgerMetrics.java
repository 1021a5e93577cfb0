package io.connectionledger.streams.topology;

import io.connectionledger.model.event.ConnectionEvent;
import io.connectionledger.streams.rules.state.Changes;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Supplier;

/** What the topology counts. Thread-safe. */
public final class LedgerMetrics {

  private final MeterRegistry registry;
  private final Map<String, Counter> established = new ConcurrentHashMap<>();
  private final Map<String, Counter> unreported = new ConcurrentHashMap<>();
  private final Map<String, Counter> circuitChanges = new ConcurrentHashMap<>();
  private final Counter repairs;
  private final Counter leasesExpired;
  private final Counter released;
  private final Counter refused;
  private final Counter deadLetters;

  public LedgerMetrics(MeterRegistry registry) {
    this.registry = registry;
    this.repairs =
        Counter.builder("ledger.repairs")
            .description("Connections found open, or on another pod, without an event that said so")
            .register(registry);
    this.leasesExpired =
        Counter.builder("ledger.leases.expired")
            .description("Connections given up because their heartbeats stayed out")
            .register(registry);
    this.released =
        Counter.builder("ledger.connections.released")
            .description("Connections given up because their Envoy is gone or reports them no more")
            .register(registry);
    this.refused =
        Counter.builder("ledger.events.refused")
            .description("News of connections beyond what a pool takes in")
            .register(registry);
    this.deadLetters =
        Counter.builder("ledger.dead.letters")
            .description("What could not be read and went to ledger.dead-letters")
            .tag("cause", "record")
            .register(registry);
  }

  /** Shows for how many partitions this instance decides. */
  void partitions(Supplier<Number> owned) {
    Gauge.builder("ledger.partitions.owned", owned)
        .description("Partitions for which this instance decides")
        .register(registry);
  }

  void deadLetter() {
    deadLetters.increment();
  }

  /** Makes the pool's counters exist from the start, at zero. */
  void pool(String pool) {
    var unused = established(pool);
    unused = unreported(pool);
    unused = circuitChanges(pool);
  }

  private Counter unreported(String pool) {
    return unreported.computeIfAbsent(
        pool,
        name ->
            Counter.builder("ledger.unreported")
                .description("Outcomes of connections that Envoy owed and did not report")
                .tag("pool", name)
                .register(registry));
  }

  private Counter circuitChanges(String pool) {
    return circuitChanges.computeIfAbsent(
        pool,
        name ->
            Counter.builder("ledger.circuit.changes")
                .description("Times that a pod's circuit opened, opened again or closed")
                .tag("pool", name)
                .register(registry));
  }

  private Counter established(String pool) {
    return established.computeIfAbsent(pool, this::register);
  }

  private Counter register(String pool) {
    return Counter.builder("websocket.connections.established")
        .description("WebSocket connections that were established")
        .tag("pool", pool)
        .register(registry);
  }

  /**
   * Counts what a record changed.
   *
   * @param pool has a policy
   */
  void count(String pool, Changes changes) {
    established(pool).increment(changes.established());
    repairs.increment(changes.repaired());
    refused.increment(changes.refused());
    unreported(pool).increment(changes.unreported());
    circuitChanges(pool).increment(changes.circuits().size());
    for (ConnectionEvent.Closed lost : changes.givenUp()) {
      (lost.reason().equals(ConnectionEvent.Closed.LEASE_EXPIRED) ? leasesExpired : released)
          .increment();
    }
  }
}
