package io.connectionledger.ingest;

import io.connectionledger.ingest.translate.DeadLetterCause;
import io.connectionledger.model.event.ConnectionEvent;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import java.util.EnumMap;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * The meters of the ingest, all registered at once so that each is scraped as 0 before its first
 * event. Thread-safe.
 */
final class IngestMetrics {

  /** Prometheus: {@code ledger_events_total{type}}, events acknowledged by Kafka. */
  static final String EVENTS = "ledger.events";

  /** Prometheus: {@code ledger_dead_letters_total{cause}}. */
  static final String DEAD_LETTERS = "ledger.dead.letters";

  /** Prometheus: {@code ledger_events_lost_total}, records that Kafka finally did not take. */
  static final String EVENTS_LOST = "ledger.events.lost";

  /** Prometheus: {@code ledger_als_streams}, access-log streams that are open. */
  static final String STREAMS = "ledger.als.streams";

  /**
   * Prometheus: {@code ledger_envoys_refused_total{cause}}, streams without a usable node id, or
   * too many.
   */
  static final String REFUSED = "ledger.envoys.refused";

  /**
   * Prometheus: {@code ledger_envoy_node_id_conflicts_total}, times that several Envoys had one.
   */
  static final String CONFLICTS = "ledger.envoy.node.id.conflicts";

  private final Map<NodeIds.Refusal, Counter> refused = new EnumMap<>(NodeIds.Refusal.class);

  /** Prometheus: {@code ledger_als_slowed_down_total}, messages beyond what a stream may send. */
  static final String SLOWED_DOWN = "ledger.als.slowed.down";

  /**
   * Prometheus: {@code ledger_handshakes_limited_total}, handshakes that Envoys turned away before
   * they asked the ledger.
   */
  static final String LIMITED = "ledger.handshakes.limited";

  private final Counter nodeIdConflicts;
  private final Counter opened;
  private final Counter alive;
  private final Counter closed;
  private final Counter failed;
  private final Map<DeadLetterCause, Counter> deadLetters = new EnumMap<>(DeadLetterCause.class);
  private final Counter lost;
  private final Counter slowedDown;
  private final Counter limited;
  private final AtomicInteger streams = new AtomicInteger();

  IngestMetrics(MeterRegistry registry) {
    for (NodeIds.Refusal refusal : NodeIds.Refusal.values()) {
      refused.put(refusal, refused(registry, refusal.label()));
    }
    nodeIdConflicts =
        Counter.builder(CONFLICTS)
            .description("Times that several Envoys were found to have the same node id")
            .register(registry);
    opened = events(registry, "opened");
    alive = events(registry, "alive");
    closed = events(registry, "closed");
    failed = events(registry, "failed");
    for (DeadLetterCause cause : DeadLetterCause.values()) {
      deadLetters.put(
          cause,
          Counter.builder(DEAD_LETTERS)
              .description("What could not be read and went to ledger.dead-letters")
              .tag("cause", cause.label())
              .register(registry));
    }
    lost =
        Counter.builder(EVENTS_LOST)
            .description("Records that Kafka finally did not take")
            .register(registry);
    slowedDown =
        Counter.builder(SLOWED_DOWN)
            .description("Access-log messages that had to wait because their stream sent too many")
            .register(registry);
    limited =
        Counter.builder(LIMITED)
            .description("WebSocket handshakes that Envoys turned away before they asked")
            .register(registry);
    Gauge.builder(STREAMS, streams, AtomicInteger::get)
        .description("Access-log streams that are open, one per Envoy worker")
        .register(registry);
  }

  private static Counter events(MeterRegistry registry, String type) {
    return Counter.builder(EVENTS)
        .description("Connection events acknowledged by Kafka")
        .tag("type", type)
        .register(registry);
  }

  private static Counter refused(MeterRegistry registry, String cause) {
    return Counter.builder(REFUSED)
        .description("Access-log streams of Envoys without a usable node id, or too many")
        .tag("cause", cause)
        .register(registry);
  }

  /** Counts a refused stream. */
  void envoyRefused(NodeIds.Refusal refusal) {
    Counter counter = refused.get(refusal);
    if (counter != null) {
      counter.increment();
    }
  }

  void nodeIdShared() {
    nodeIdConflicts.increment();
  }

  void written(ConnectionEvent event) {
    Counter counter =
        switch (event) {
          case ConnectionEvent.Opened e -> opened;
          case ConnectionEvent.Alive e -> alive;
          case ConnectionEvent.Closed e -> closed;
          case ConnectionEvent.Failed e -> failed;
        };
    counter.increment();
  }

  void deadLetter(DeadLetterCause cause) {
    Counter counter = deadLetters.get(cause);
    if (counter != null) {
      counter.increment();
    }
  }

  /** Counts a lost record and returns how many were lost so far. */
  long lost() {
    lost.increment();
    return (long) lost.count();
  }

  int streams() {
    return streams.get();
  }

  /** Counts a message that came sooner than it may. */
  void slowedDown() {
    slowedDown.increment();
  }

  void limited(int handshakes) {
    limited.increment(handshakes);
  }

  void streamOpened() {
    streams.incrementAndGet();
  }

  void streamEnded() {
    streams.decrementAndGet();
  }
}
