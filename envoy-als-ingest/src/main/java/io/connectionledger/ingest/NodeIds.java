package io.connectionledger.ingest;

import io.connectionledger.model.LogRateLimiter;
import io.connectionledger.model.Ticker;
import io.envoyproxy.envoy.config.core.v3.SocketAddress;
import io.envoyproxy.envoy.data.accesslog.v3.AccessLogCommon;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Watches over the node ids by which the ledger tells Envoys apart: one that has none is refused,
 * and two that have the same are noticed. Two streams are of two Envoys when clients reached the
 * Envoy of one at other addresses than that of the other: a worker serves all listeners of its
 * Envoy, so that its streams for one log come to have addresses in common. Listeners with different
 * logs have a stream each, and are not compared. Thread-safe.
 */
final class NodeIds {

  private static final Logger LOGGER = LoggerFactory.getLogger(NodeIds.class);

  /** Connections on each of two streams before it means something what they have in common. */
  private static final int ENOUGH = 8;

  /** An Envoy has fewer listeners; more addresses are not remembered of a stream. */
  private static final int MAX_LISTENERS = 64;

  /** Of a log's name and of an address: what is longer is remembered by its beginning. */
  static final int MAX_TEXT = 256;

  /** An Envoy that is refused tries again within seconds: after this it is not there any more. */
  private static final Duration REMEMBERED = Duration.ofMinutes(2);

  private static final Duration WARN_INTERVAL = Duration.ofSeconds(1);

  private static final int NAMED = 3;

  private final Ticker ticker;
  private final IngestMetrics metrics;
  private final Map<String, List<Stream>> streams = new HashMap<>();
  private final Set<String> shared = new TreeSet<>();
  private final LogRateLimiter warnings;
  private long refusedNanos;
  private int refused;

  NodeIds(Ticker ticker, IngestMetrics metrics) {
    this.ticker = ticker;
    this.metrics = metrics;
    this.warnings = new LogRateLimiter(ticker, WARN_INTERVAL);
  }

  /** Why a stream is refused: the values of the label {@code cause}. */
  enum Refusal {
    MISSING("no_node_id"),
    TOO_LONG("node_id_too_long"),
    NOT_PRINTABLE("node_id_not_printable"),
    TOO_MANY("too_many_streams");

    private final String label;

    Refusal(String label) {
      this.label = label;
    }

    String label() {
      return label;
    }
  }

  /** One access-log stream, for the one thread that reads it. */
  final class Stream implements AutoCloseable {
    private final String node;
    private final String log;
    private final Set<String> listeners = new HashSet<>();
    private final Set<String> clients = new HashSet<>();

    private Stream(String node, String log) {
      this.node = node;
      this.log = log;
    }

    /** Takes an entry of the stream; the first of each message is enough once some were seen. */
    void saw(AccessLogCommon entry) {
      if (entry.getDownstreamLocalAddress().hasSocketAddress()) {
        NodeIds.this.saw(
            this,
            text(entry.getDownstreamLocalAddress().getSocketAddress()),
            text(entry.getDownstreamRemoteAddress().getSocketAddress()));
      }
    }

    /** Whether what it has shown already means something. */
    boolean isKnown() {
      return clients.size() >= ENOUGH;
    }

    private boolean isOfAnotherEnvoyThan(Stream other) {
      return isKnown()
          && other.isKnown()
          && log.equals(other.log)
          && listeners.stream().noneMatch(other.listeners::contains);
    }

    @Override
    public void close() {
      NodeIds.this.closed(this);
    }
  }

  private static String text(SocketAddress address) {
    return beginning(address.getAddress()) + ':' + address.getPortValue();
  }

  /** What is remembered or shown of a text that others chose. */
  static String beginning(String text) {
    return text.length() <= MAX_TEXT ? text : text.substring(0, MAX_TEXT);
  }

  /**
   * A stream of this node begins.
   *
   * @param log the {@code log_name} of the access log that it is of
   */
  synchronized Stream opened(String node, String log) {
    Stream stream = new Stream(node, beginning(log));
    streams.computeIfAbsent(node, name -> new ArrayList<>()).add(stream);
    return stream;
  }

  private synchronized void saw(Stream stream, String listener, String client) {
    if (stream.clients.size() < ENOUGH) {
      stream.clients.add(client);
    }
    if (stream.listeners.size() < MAX_LISTENERS) {
      stream.listeners.add(listener);
    }
    judge(stream.node);
  }

  private synchronized void closed(Stream stream) {
    List<Stream> left = streams.get(stream.node);
    if (left != null) {
      left.remove(stream);
      if (left.isEmpty()) {
        streams.remove(stream.node);
      }
    }
    judge(stream.node);
  }

  private void judge(String node) {
    List<Stream> all = streams.getOrDefault(node, List.of());
    boolean several =
        all.stream().anyMatch(one -> all.stream().anyMatch(one::isOfAnotherEnvoyThan));
    if (!several) {
      shared.remove(node);
    } else if (shared.add(node)) {
      metrics.nodeIdShared();
      if (warnings.passes()) {
        LOGGER
            .atWarn()
            .addKeyValue("envoy", node)
            .log(
                "Several Envoys have the same node id: start each with a --service-node of its own");
      }
    }
  }

  /**
   * A stream was refused because its node id is none, or there are too many.
   *
   * @param problem a line for the operator, said once until nobody is refused any more
   */
  synchronized void refused(String problem, Refusal refusal) {
    metrics.envoyRefused(refusal);
    if (!isRefusing()) {
      refused = 0;
      LOGGER.atWarn().addKeyValue("problem", problem).log("Refused an access-log stream");
    }
    refused++;
    refusedNanos = ticker.nowNanos();
  }

  private boolean isRefusing() {
    return refused > 0 && ticker.nowNanos() - refusedNanos < REMEMBERED.toNanos();
  }

  /** What is wrong now, a sentence each, for the readiness of every pool. */
  synchronized List<String> problems() {
    List<String> problems = new ArrayList<>();
    if (isRefusing()) {
      problems.add(
          "node-id: an Envoy whose node id is missing, too long or not printable, or whose streams are"
              + " too many, is refused again and again: start each with a --service-node of its own");
    }
    if (!shared.isEmpty()) {
      List<String> named = shared.stream().limit(NAMED).toList();
      problems.add(
          "node-id: several Envoys report as "
              + String.join(", ", named)
              + (shared.size() > NAMED ? " and " + (shared.size() - NAMED) + " more" : "")
              + ": start each with a --service-node of its own");
    }
    return problems;
  }
}
