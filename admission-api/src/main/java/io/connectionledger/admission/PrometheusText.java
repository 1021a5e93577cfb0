package io.connectionledger.admission;

import io.connectionledger.model.PoolView;
import io.connectionledger.model.PoolView.PodView;
import io.connectionledger.streams.Ledger;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.util.Optional;

/**
 * The whole scrape in Prometheus' text format 0.0.4: the registry's meters, and the two gauge
 * families of the pools that this instance owns. Those are written here because the client library
 * refuses {@code _total} at the end of a gauge's name, and because pods come and go. Thread-safe.
 */
final class PrometheusText {

  static final String CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8";

  private final PrometheusMeterRegistry registry;
  private final AdmissionMetrics metrics;
  private final Ledger ledger;

  PrometheusText(PrometheusMeterRegistry registry, AdmissionMetrics metrics, Ledger ledger) {
    this.registry = registry;
    this.metrics = metrics;
    this.ledger = ledger;
  }

  String scrape() {
    metrics.expect(ledger.pools());
    StringBuilder active =
        family("websocket_connections_active_total", "Established WebSocket connections.");
    StringBuilder perPod =
        family("websocket_connections_per_pod", "Established WebSocket connections of one pod.");
    for (String name : ledger.pools()) {
      Optional<PoolView> owned = ledger.connections(name);
      if (owned.isPresent()) {
        PoolView pool = owned.get();
        active.append("websocket_connections_active_total{");
        label(active, "pool", pool.pool());
        active.append("} ").append(pool.active()).append('\n');
        for (PodView pod : pool.pods()) {
          perPod.append("websocket_connections_per_pod{");
          label(perPod, "pool", pool.pool());
          label(perPod.append(','), "pod", pod.pod());
          perPod.append("} ").append(pod.active()).append('\n');
        }
      }
    }
    return registry.scrape(CONTENT_TYPE) + active + perPod;
  }

  private static StringBuilder family(String name, String help) {
    return new StringBuilder()
        .append("# HELP ")
        .append(name)
        .append(' ')
        .append(help)
        .append("\n# TYPE ")
        .append(name)
        .append(" gauge\n");
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
