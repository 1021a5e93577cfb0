package io.connectionledger.admission.metrics;

import io.connectionledger.model.view.PoolReadiness;
import io.connectionledger.model.view.PoolView;
import io.connectionledger.model.view.PoolView.PodView;
import io.connectionledger.streams.PoolQueries;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.util.Optional;

/**
 * The whole scrape in Prometheus' text format 0.0.4: the registry's meters, and the gauge families
 * of the pools that this instance owns. Those are written here because the client library refuses
 * {@code _total} at the end of a gauge's name, and because pods come and go. Thread-safe.
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
    Family active =
        new Family("websocket_connections_active_total", "Established WebSocket connections.");
    Family perPod =
        new Family(
            "websocket_connections_per_pod", "Established WebSocket connections of one pod.");
    Family unleased =
        new Family("ledger_pool_unleased", "Open connections that were never admitted.");
    Family unreported =
        new Family(
            "ledger_pool_unreported", "Slots held by connections whose outcome no Envoy reported.");
    Family ready = new Family("ledger_pool_ready", "Whether a controller may act on the counts.");
    Family completeness =
        new Family(
            "ledger_pool_completeness", "Share of the connections that were heard when due.");
    Family reasons =
        new Family("ledger_pool_unready_reason", "1 for each kind of reason not to be ready.");
    for (String name : ledger.pools()) {
      Optional<PoolView> owned = ledger.connections(name);
      if (owned.isPresent()) {
        PoolView pool = owned.get();
        active.of(name).value(pool.active());
        unleased.of(name).value(pool.unleased());
        unreported.of(name).value(pool.unreported());
        for (PodView pod : pool.pods()) {
          perPod.of(name).and("pod", pod.pod()).value(pod.active());
        }
      }
      Optional<PoolReadiness> judged = ledger.readiness(name);
      if (judged.isPresent()) {
        PoolReadiness readiness = judged.get();
        ready.of(name).value(readiness.ready() ? 1 : 0);
        completeness.of(name).value(readiness.completeness());
        readiness.kinds().forEach(kind -> reasons.of(name).and("reason", kind).value(1));
      }
    }
    return registry.scrape(CONTENT_TYPE)
        + active
        + perPod
        + unleased
        + unreported
        + ready
        + completeness
        + reasons;
  }

  /** One family of gauges: a line for each of its series, written from left to right. */
  private static final class Family {
    private final String name;
    private final StringBuilder text = new StringBuilder();

    Family(String name, String help) {
      this.name = name;
      text.append("# HELP ").append(name).append(' ').append(help);
      text.append("\n# TYPE ").append(name).append(" gauge\n");
    }

    Family of(String pool) {
      label(text.append(name).append('{'), "pool", pool);
      return this;
    }

    Family and(String label, String value) {
      label(text.append(','), label, value);
      return this;
    }

    void value(Number value) {
      text.append("} ").append(value).append('\n');
    }

    @Override
    public String toString() {
      return text.toString();
    }
  }

  private static void label(StringBuilder out, String name, String value) {
    out.append(name).append("=\"");
    for (int i = 0; i < value.length(); i++) {
      char c = value.charAt(i);
      switch (c) {
        case '\\' -> out.append("\\\\");
        case '"' -> out.append("\\\"");
        case '\n' -> out.append("\\n");
        default -> out.append(c);
      }
    }
    out.append('"');
  }
}
