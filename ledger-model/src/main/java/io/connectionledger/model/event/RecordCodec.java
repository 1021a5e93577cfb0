package io.connectionledger.model.event;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.ObjectReader;
import com.fasterxml.jackson.databind.ObjectWriter;
import com.fasterxml.jackson.databind.json.JsonMapper;
import io.connectionledger.model.JsonBounds;
import io.connectionledger.model.NodeId;
import io.connectionledger.model.Topics;
import io.connectionledger.model.UnreadableRecordException;
import io.connectionledger.model.endpoints.PoolEndpoints;
import io.connectionledger.model.policy.PoolPolicy;
import java.io.IOException;
import java.util.Collection;
import java.util.List;

/**
 * The JSON form of the values of the ledger's topics. Readers ignore fields that they do not know,
 * so that a field may be added (docs/events/README.md). Whatever the bytes are, a reader returns a
 * record that holds what its type promises or throws {@link UnreadableRecordException}, and nothing
 * else. Thread-safe.
 */
public final class RecordCodec {

  /** The last millisecond of the year 9999: with later times nobody can calculate. */
  private static final long MAX_MS = 253_402_300_799_999L;

  /** An ingest complains in a few sentences. */
  private static final int MAX_PROBLEMS = 16;

  private static final int MAX_PROBLEM = 1_024;

  private static final ObjectMapper MAPPER =
      JsonMapper.builder(JsonBounds.factory())
          .defaultPropertyInclusion(
              JsonInclude.Value.construct(
                  JsonInclude.Include.NON_NULL, JsonInclude.Include.NON_NULL))
          .disable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
          .enable(DeserializationFeature.FAIL_ON_NULL_FOR_PRIMITIVES)
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
          .build();
  private static final ObjectReader EVENTS = MAPPER.readerFor(ConnectionEvent.class);
  private static final ObjectReader DECISIONS = MAPPER.readerFor(Decision.class);
  private static final ObjectReader PRESENCES = MAPPER.readerFor(Presence.class);
  private static final ObjectReader BEATS = MAPPER.readerFor(OwnershipHeartbeat.class);
  private static final ObjectReader ENDPOINTS = MAPPER.readerFor(PoolEndpoints.class);
  private static final ObjectWriter EVENT_WRITER = MAPPER.writerFor(ConnectionEvent.class);
  private static final ObjectWriter DECISION_WRITER = MAPPER.writerFor(Decision.class);

  private RecordCodec() {}

  public static byte[] encode(LedgerRecord value) {
    try {
      return switch (value) {
        case ConnectionEvent event -> EVENT_WRITER.writeValueAsBytes(event);
        case Decision decision -> DECISION_WRITER.writeValueAsBytes(decision);
      };
    } catch (JsonProcessingException impossible) {
      throw new IllegalStateException("records of plain values always encode", impossible);
    }
  }

  public static byte[] encode(Presence presence) {
    try {
      return MAPPER.writeValueAsBytes(presence);
    } catch (JsonProcessingException impossible) {
      throw new IllegalStateException("records of plain values always encode", impossible);
    }
  }

  public static byte[] encode(OwnershipHeartbeat beat) {
    try {
      return MAPPER.writeValueAsBytes(beat);
    } catch (JsonProcessingException impossible) {
      throw new IllegalStateException("records of plain values always encode", impossible);
    }
  }

  public static byte[] encode(PoolEndpoints endpoints) {
    try {
      return MAPPER.writeValueAsBytes(endpoints);
    } catch (JsonProcessingException impossible) {
      throw new IllegalStateException("records of plain values always encode", impossible);
    }
  }

  /**
   * Reads a value of {@link Topics#ENDPOINTS}.
   *
   * @throws UnreadableRecordException when {@code json} is none
   */
  public static PoolEndpoints decodeEndpoints(byte[] json) throws UnreadableRecordException {
    PoolEndpoints read = read(ENDPOINTS, PoolEndpoints.class, json);
    if (read.pool() == null || !PoolPolicy.isValidName(read.pool())) {
      throw new UnreadableRecordException("field 'pool' is missing or no pool's name");
    }
    if (read.slice() == null || !NodeId.isValid(read.slice())) {
      throw new UnreadableRecordException("field 'slice' is missing or no name");
    }
    for (PoolEndpoints.Endpoint endpoint : read.endpoints()) {
      if (endpoint.name() == null
          || endpoint.name().isBlank()
          || !NodeId.isValid(endpoint.name())
          || endpoint.address() == null) {
        throw new UnreadableRecordException("an endpoint without a name or an address");
      }
    }
    return read;
  }

  /**
   * Reads a value of {@link Topics#OWNERS}.
   *
   * @throws UnreadableRecordException when {@code json} is not a beat
   */
  public static OwnershipHeartbeat decodeBeat(byte[] json) throws UnreadableRecordException {
    OwnershipHeartbeat beat = read(BEATS, OwnershipHeartbeat.class, json);
    if (beat.kind() == null
        || beat.instance() == null
        || beat.run() == null
        || beat.address() == null
        || beat.term() < 1) {
      throw new UnreadableRecordException("a required field is missing");
    }
    if (!NodeId.isValid(beat.instance())
        || !NodeId.isValid(beat.run())
        || !NodeId.isPrintable(beat.address())) {
      throw new UnreadableRecordException(
          "instance, run and address: allowed are " + NodeId.ALLOWED);
    }
    return beat;
  }

  /**
   * Reads a value of {@link Topics#ENVOYS}.
   *
   * @throws UnreadableRecordException when {@code json} is not a presence
   */
  public static Presence decodePresence(byte[] json) throws UnreadableRecordException {
    Presence presence = read(PRESENCES, Presence.class, json);
    if (presence.ingest() == null || !ConnectionIds.isValid(presence.ingest())) {
      throw new UnreadableRecordException("field 'ingest' is missing or no id");
    }
    requireTime(presence.atMs());
    if (presence.problems().size() > MAX_PROBLEMS
        || presence.problems().stream().anyMatch(problem -> problem.length() > MAX_PROBLEM)) {
      throw new UnreadableRecordException("field 'problems' has too much text");
    }
    for (String node : presence.envoys().keySet()) {
      requireNode(node);
    }
    return presence;
  }

  /**
   * Reads a value of {@link Topics#CONNECTIONS}.
   *
   * @throws UnreadableRecordException when {@code json} is not a connection event
   */
  public static ConnectionEvent decodeEvent(byte[] json) throws UnreadableRecordException {
    ConnectionEvent event = read(EVENTS, ConnectionEvent.class, json);
    switch (event) {
      case ConnectionEvent.Opened e -> {
        require(e.pool(), e.connection(), e.pod(), e.envoy(), e.connection());
        requireTime(e.atMs());
      }
      case ConnectionEvent.Closed e -> {
        require(e.pool(), e.connection(), e.pod(), e.envoy(), e.reason());
        requireTime(e.atMs());
      }
      case ConnectionEvent.Failed e -> {
        require(e.pool(), e.connection(), e.connection(), e.envoy(), e.reason());
        requireTime(e.atMs());
        if (e.client() != null && !ConnectionIds.isValid(e.client())) {
          throw new UnreadableRecordException("field 'client' is none of the ledger's");
        }
      }
      case ConnectionEvent.Alive e -> {
        require(e.pool(), "alive", e.pods(), e.envoy(), e.envoy());
        requireTime(e.atMs());
        requireIds(e.pods().values());
      }
    }
    requireNode(event.envoy());
    return event;
  }

  /**
   * Reads a value of {@link Topics#DECISIONS}.
   *
   * @throws UnreadableRecordException when {@code json} is not a decision
   */
  public static Decision decodeDecision(byte[] json) throws UnreadableRecordException {
    Decision decision = read(DECISIONS, Decision.class, json);
    switch (decision) {
      case Decision.Allowed d -> {
        require(d.pool(), d.id(), d.pod(), d.id(), d.id());
        if (d.bucketNanos() < 0) {
          throw new UnreadableRecordException("field 'bucketNanos' is negative");
        }
        if (d.listener() != null && !NodeId.isPrintable(d.listener())) {
          throw new UnreadableRecordException("field 'listener' is no address");
        }
      }
      case Decision.Rejected d -> {
        require(d.pool(), d.id(), d.reason(), d.id(), d.id());
        if (d.attempts() < 1) {
          throw new UnreadableRecordException("field 'count' is not positive");
        }
        if (d.fromMs() != null && (d.fromMs() < 0 || d.fromMs() > d.atMs())) {
          throw new UnreadableRecordException("field 'fromMs' is no time up to 'atMs'");
        }
      }
    }
    requireTime(decision.atMs());
    return decision;
  }

  private static <T> T read(ObjectReader reader, Class<T> type, byte[] json)
      throws UnreadableRecordException {
    try {
      T value = reader.readValue(json, type);
      if (value == null) {
        throw new UnreadableRecordException("the value is JSON null");
      }
      return value;
    } catch (JsonProcessingException invalid) {
      throw new UnreadableRecordException(invalid.getOriginalMessage(), invalid);
    } catch (IOException noText) {
      // Of bytes without I/O: no character set has them.
      throw new UnreadableRecordException(String.valueOf(noText.getMessage()), noText);
    }
  }

  private static void requireNode(String node) throws UnreadableRecordException {
    if (!NodeId.isValid(node)) {
      throw new UnreadableRecordException("the node id of an Envoy: allowed are " + NodeId.ALLOWED);
    }
  }

  private static void requireTime(long atMs) throws UnreadableRecordException {
    if (atMs < 0 || atMs > MAX_MS) {
      throw new UnreadableRecordException("field 'atMs' is no time");
    }
  }

  private static void requireIds(Collection<List<String>> pods) throws UnreadableRecordException {
    for (List<String> ids : pods) {
      if (ids == null) {
        throw new UnreadableRecordException("a pod without its connections");
      }
      for (String id : ids) {
        if (id == null || !ConnectionIds.isValid(id)) {
          throw new UnreadableRecordException("the id of a connection is none of the ledger's");
        }
      }
    }
  }

  /** Jackson leaves absent components null, whatever their type promises. */
  private static void require(String pool, String connection, Object... others)
      throws UnreadableRecordException {
    for (Object other : others) {
      if (other == null) {
        throw new UnreadableRecordException("a required field is missing");
      }
    }
    if (pool == null || !PoolPolicy.isValidName(pool)) {
      throw new UnreadableRecordException("field 'pool' is missing or no pool's name");
    }
    if (connection == null || !ConnectionIds.isValid(connection)) {
      throw new UnreadableRecordException("the id is missing or none of the ledger's");
    }
  }
}
