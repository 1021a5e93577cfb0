package io.connectionledger.admission.metrics;

import io.connectionledger.model.view.PoolReadiness;
import io.connectionledger.model.view.PoolView;
import io.connectionledger.model.view.PoolView.PodView;
import io.connectionledger.model.view.PoolView.State;
import java.util.ArrayList;
import java.util.List;

/**
 * The gauges of pools in Prometheus' text format, for one scrape. A family's lines must stand
 * together, so each has a text of its own, and one pass over the pods writes all of them. Not
 * thread-safe.
 */
final class PoolGauges {

  private static final State[] STATES = State.values();

  private final List<Family> families = new ArrayList<>();

  private final Family owned =
      family("ledger_pool_owned", "1 on the instance that decides for the pool, 0 on the others.");
  private final Family active =
      family("websocket_connections_active_total", "Established WebSocket connections.");
  private final Family activeOfPod =
      family("websocket_connections_per_pod", "Established WebSocket connections of one pod.");
  private final Family reservedOfPod =
      family("ledger_pod_reserved", "Admitted connections of one pod that are not established.");
  private final Family limit =
      family("ledger_pool_limit", "How many connections one pod of the pool may hold.");
  private final Family state =
      family("ledger_pod_state", "1 for the state that the pod is in, 0 for the others.");
  private final Family headroom =
      family("ledger_pool_headroom", "Connections that still fit on the pool's available pods.");
  private final Family desiredPods =
      family("ledger_pool_desired_pods", "How many pods the pool should have.");
  private final Family unleased =
      family("ledger_pool_unleased", "Open connections that were never admitted.");
  private final Family unreported =
      family(
          "ledger_pool_unreported", "Slots held by connections whose outcome no Envoy reported.");
  private final Family ready =
      family("ledger_pool_ready", "Whether a controller may act on the counts.");
  private final Family completeness =
      family("ledger_pool_completeness", "Share of the connections that were heard when due.");
  private final Family envoys =
      family("ledger_pool_envoys", "Envoys that are heard and hold connections of the pool.");
  private final Family reasons =
      family("ledger_pool_unready_reason", "1 for each kind of reason not to be ready.");

  private Family family(String name, String help) {
    Family family = new Family(name, help);
    families.add(family);
    return family;
  }

  /** Whether this instance decides for the pool: told of every pool, by every instance. */
  void ownership(String pool, boolean isOwner) {
    owned.add(label("pool", pool), isOwner ? 1 : 0);
  }

  /** The counts of an owned pool. */
  void connections(PoolView view) {
    String pool = label("pool", view.pool());
    active.add(pool, view.active());
    unleased.add(pool, view.unleased());
    unreported.add(pool, view.unreported());
    long room = 0;
    for (PodView pod : view.pods()) {
      String labels = pool + ',' + label("pod", pod.pod());
      activeOfPod.add(labels, pod.active());
      reservedOfPod.add(labels, pod.reserved());
      limit.add(labels, pod.limit());
      for (State each : STATES) {
        state.add(labels, ",state=\"", each.label(), pod.state() == each ? 1 : 0);
      }
      if (pod.state() == State.AVAILABLE) {
        room += pod.limit() - pod.active() - pod.reserved();
      }
    }
    headroom.add(pool, room);
  }

  /** How many pods an owned pool should have. */
  void desiredPods(String pool, int pods) {
    desiredPods.add(label("pool", pool), pods);
  }

  /** How far the counts of an owned pool can be relied on. */
  void readiness(PoolReadiness readiness) {
    String pool = label("pool", readiness.pool());
    ready.add(pool, readiness.ready() ? 1 : 0);
    completeness.add(pool, readiness.completeness());
    envoys.add(pool, readiness.envoys().size());
    readiness.kinds().forEach(kind -> reasons.add(pool, ",reason=\"", kind, 1));
  }

  void appendTo(StringBuilder page) {
    families.forEach(family -> page.append(family.text));
  }

  private static String label(String name, String value) {
    StringBuilder label = new StringBuilder(name.length() + value.length() + 3);
    label.append(name).append("=\"");
    for (int i = 0; i < value.length(); i++) {
      char c = value.charAt(i);
      switch (c) {
        case '\\' -> label.append("\\\\");
        case '"' -> label.append("\\\"");
        case '\n' -> label.append("\\n");
        default -> label.append(c);
      }
    }
    return label.append('"').toString();
  }

  /** One family: a line for each of its series. */
  private static final class Family {
    private final String name;
    private final StringBuilder text = new StringBuilder();

    Family(String name, String help) {
      this.name = name;
      text.append("# HELP ").append(name).append(' ').append(help);
      text.append("\n# TYPE ").append(name).append(" gauge\n");
    }

    void add(String labels, Number value) {
      text.append(name).append('{').append(labels).append("} ").append(value).append('\n');
    }

    /** With a last label, whose value needs no escaping. */
    void add(String labels, String last, String lastValue, int value) {
      text.append(name).append('{').append(labels).append(last).append(lastValue);
      text.append("\"} ").append(value).append('\n');
    }
  }
}
