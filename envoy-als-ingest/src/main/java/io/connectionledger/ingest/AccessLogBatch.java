package io.connectionledger.ingest;

import com.google.protobuf.Message;
import io.connectionledger.ingest.translate.AccessLogTranslator;
import io.connectionledger.ingest.translate.DeadLetterCause;
import io.connectionledger.ingest.translate.Translation;
import io.connectionledger.ingest.translate.Translation.Event;
import io.connectionledger.ingest.translate.Translation.Heartbeat;
import io.connectionledger.ingest.translate.Translation.Ignored;
import io.connectionledger.ingest.translate.Translation.Limited;
import io.connectionledger.ingest.translate.Translation.Malformed;
import io.connectionledger.model.PodAddress;
import io.connectionledger.model.event.ConnectionEvent;
import io.connectionledger.model.event.ConnectionEvent.Alive;
import io.envoyproxy.envoy.data.accesslog.v3.HTTPAccessLogEntry;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * The meaning of one access-log message: the records to write, in the order to write them. Pure.
 *
 * <p>Heartbeats become one {@link Alive} a pool and go first, because a stream's end entry follows
 * its heartbeats; the other events keep the order of their entries. A heartbeat of a connection
 * that the same message opened adds nothing and is left out, so that it is not taken for a repair.
 */
final class AccessLogBatch {

  /** The most connections in one {@link Alive}; more of them make several. */
  static final int MAX_ALIVE_CONNECTIONS = 1_000;

  /** The most pools in one message. An Envoy that names more invents them. */
  static final int MAX_POOLS = 1_024;

  private final String envoy;
  private final long receivedAtMs;
  private final Map<String, OpenAlive> open = new LinkedHashMap<>();
  private final Set<String> pools = new HashSet<>();
  private final Set<String> opened = new HashSet<>();
  private final List<ConnectionEvent> alive = new ArrayList<>();
  private final List<ConnectionEvent> others = new ArrayList<>();
  private final List<DeadLetter> deadLetters = new ArrayList<>();
  private int limited;

  private AccessLogBatch(String envoy, long receivedAtMs) {
    this.envoy = envoy;
    this.receivedAtMs = receivedAtMs;
  }

  /**
   * @param receivedAtMs milliseconds since the epoch by our own clock
   */
  static AccessLogBatch of(
      AccessLogTranslator translator, List<HTTPAccessLogEntry> entries, long receivedAtMs) {
    AccessLogBatch batch = new AccessLogBatch(translator.envoy(), receivedAtMs);
    for (HTTPAccessLogEntry entry : entries) {
      batch.add(translator.translate(entry, receivedAtMs), entry);
    }
    batch.open.forEach(batch::write);
    return batch;
  }

  /** What to write to the topic of events, in this order. */
  List<ConnectionEvent> events() {
    List<ConnectionEvent> events = new ArrayList<>(alive.size() + others.size());
    events.addAll(alive);
    events.addAll(others);
    return events;
  }

  List<DeadLetter> deadLetters() {
    return deadLetters;
  }

  /** How many handshakes Envoy turned away before it asked the ledger. */
  int limited() {
    return limited;
  }

  private void add(Translation translation, HTTPAccessLogEntry entry) {
    switch (translation) {
      case Heartbeat heartbeat -> {
        if (accepts(heartbeat.pool(), entry)) {
          add(heartbeat);
        }
      }
      case Event event -> {
        if (accepts(event.event().pool(), entry)) {
          add(event.event());
        }
      }
      case Malformed malformed -> reject(malformed.cause(), malformed.reason(), entry);
      case Limited one -> limited++;
      case Ignored ignored -> {}
    }
  }

  private void add(Heartbeat heartbeat) {
    if (opened.contains(heartbeat.connection())) {
      return;
    }
    OpenAlive record = open.computeIfAbsent(heartbeat.pool(), pool -> new OpenAlive());
    record.add(heartbeat);
    if (record.size == MAX_ALIVE_CONNECTIONS) {
      open.remove(heartbeat.pool());
      write(heartbeat.pool(), record);
    }
  }

  private void add(ConnectionEvent event) {
    if (event instanceof ConnectionEvent.Opened first) {
      opened.add(first.connection());
    }
    others.add(event);
  }

  private boolean accepts(String pool, HTTPAccessLogEntry entry) {
    if (pools.contains(pool) || pools.size() < MAX_POOLS) {
      pools.add(pool);
      return true;
    }
    reject(
        DeadLetterCause.TOO_MANY_POOLS,
        "pool '" + pool + "' comes after " + MAX_POOLS + " others in one message",
        entry);
    return false;
  }

  private void reject(DeadLetterCause cause, String reason, Message entry) {
    deadLetters.add(new DeadLetter(cause, reason, entry));
  }

  private void write(String pool, OpenAlive record) {
    alive.add(new Alive(pool, envoy, record.pods, receivedAtMs));
  }

  /** A record that still takes connections. */
  private static final class OpenAlive {
    private final Map<PodAddress, List<String>> pods = new HashMap<>();
    private int size;

    void add(Heartbeat heartbeat) {
      pods.computeIfAbsent(heartbeat.pod(), pod -> new ArrayList<>()).add(heartbeat.connection());
      size++;
    }
  }
}
