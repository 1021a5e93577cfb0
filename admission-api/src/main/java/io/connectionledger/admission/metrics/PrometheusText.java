package io.connectionledger.admission.metrics;

import io.connectionledger.streams.PoolQueries;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;

/**
 * The whole scrape in Prometheus' text format 0.0.4: the registry's meters, and the gauge families
 * of the pools. Those are written here because the client library refuses {@code _total} at the end
 * of a gauge's name, and because pods come and go. Only the owner of a pool writes its gauges, but
 * {@code ledger_pool_owned}, which is how a pool without an owner shows. Thread-safe.
 */
public final class PrometheusText {

  static final String CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8";

  private final PrometheusMeterRegistry registry;
  private final AdmissionMetrics metrics;
  private final PoolQueries ledger;

  public PrometheusText(
      PrometheusMeterRegistry registry, AdmissionMetrics metrics, PoolQueries ledger) {
    this.registry = registry;
    this.metrics = metrics;
    this.ledger = ledger;
  }

  public String scrape() {
    metrics.expect(ledger.pools());
    PoolGauges gauges = new PoolGauges();
    for (String pool : ledger.pools()) {
      gauges.ownership(pool, ledger.isOwned(pool));
      ledger
          .connections(pool)
          .ifPresent(
              view -> {
                gauges.connections(view);
                ledger.desiredPods(view).ifPresent(pods -> gauges.desiredPods(pool, pods));
              });
      ledger.readiness(pool).ifPresent(gauges::readiness);
    }
    StringBuilder page = new StringBuilder(registry.scrape(CONTENT_TYPE));
    gauges.appendTo(page);
    return page.toString();
  }
}
