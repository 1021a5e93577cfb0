package io.connectionledger.model;

import java.time.Duration;
import java.util.List;
import java.util.Map;

/** The Kafka topics of the ledger. Names, keys and partitioning are contract. */
public final class Topics {

  public static final String CONNECTIONS = "ledger.connections";
  public static final String DECISIONS = "ledger.decisions";
  public static final String POLICIES = "ledger.policies";

  /** The pods that Kubernetes has for a pool, a record each EndpointSlice. */
  public static final String ENDPOINTS = "ledger.endpoints";

  /** Which Envoys each ingest hears, in every partition; not keyed by pool. */
  public static final String ENVOYS = "ledger.envoys";

  /** Who owns which partition; not keyed by pool. */
  public static final String OWNERS = "ledger.owners";

  public static final String PODS = "ledger.pods";

  /** Who changed a pool over HTTP, and how. */
  public static final String AUDIT = "ledger.audit";

  public static final String DEAD_LETTERS = "ledger.dead-letters";

  /** Header of a dead letter: one line that says what is wrong with it. */
  public static final String REASON_HEADER = "reason";

  /** Header of a dead letter: where it came from, an Envoy's node id or a topic and offset. */
  public static final String SOURCE_HEADER = "source";

  /**
   * The longest value of a dead letter, in bytes: what is longer is cut, and its reason says so.
   */
  public static final int MAX_DEAD_LETTER_BYTES = 16 * 1024;

  /** The longest key and the longest header of a dead letter, in characters. */
  public static final int MAX_DEAD_LETTER_TEXT = 256;

  /** How long events and decisions stay readable: long enough to replay a day after an incident. */
  public static final Duration RETENTION = Duration.ofDays(2);

  /**
   * Below this the ledger could not do what it promises: simulate the last hour, from records that
   * lead up to it.
   */
  private static final Duration LEAST_HISTORY = Duration.ofHours(2);

  /** Below this who starts late would miss who owns what, and which Envoys are heard. */
  private static final Duration LEAST_BRIEF = Duration.ofMinutes(10);

  /**
   * What a topic must take in one record, in bytes: the largest is the heartbeat of a thousand
   * connections, each on another pod, with the longest ids and addresses.
   */
  public static final int LEAST_MESSAGE_BYTES = 128 << 10;

  private static final Map<String, String> DELETE =
      Map.of("cleanup.policy", "delete", "retention.ms", Long.toString(RETENTION.toMillis()));
  private static final Map<String, String> BRIEF =
      Map.of(
          "cleanup.policy",
          "delete",
          "retention.ms",
          Long.toString(Duration.ofHours(1).toMillis()));

  /** For as long as somebody may ask who did it. */
  private static final Map<String, String> LONG =
      Map.of(
          "cleanup.policy",
          "delete",
          "retention.ms",
          Long.toString(Duration.ofDays(365).toMillis()));

  /** By the broker's clock: what a term may be depends on when it was claimed. */
  private static final Map<String, String> BRIEF_BY_BROKERS_CLOCK =
      Map.of(
          "cleanup.policy",
          "delete",
          "retention.ms",
          Long.toString(Duration.ofHours(1).toMillis()),
          "message.timestamp.type",
          "LogAppendTime");

  private static final Map<String, String> COMPACT = Map.of("cleanup.policy", "compact");

  /** Every topic with the settings that it is created with; all have the same partition count. */
  public static final List<Spec> ALL =
      List.of(
          new Spec(CONNECTIONS, DELETE, LEAST_HISTORY),
          new Spec(DECISIONS, DELETE, LEAST_HISTORY),
          new Spec(ENVOYS, BRIEF, LEAST_BRIEF),
          new Spec(OWNERS, BRIEF_BY_BROKERS_CLOCK, LEAST_BRIEF),
          new Spec(POLICIES, COMPACT, Duration.ZERO),
          new Spec(ENDPOINTS, COMPACT, Duration.ZERO),
          new Spec(PODS, COMPACT, Duration.ZERO),
          new Spec(AUDIT, LONG, Duration.ZERO),
          new Spec(DEAD_LETTERS, DELETE, Duration.ZERO));

  private Topics() {}

  /**
   * A topic to create.
   *
   * @param configs Kafka topic configuration
   * @param leastRetention for how long its records must stay readable; zero where that is nobody's
   *     need, or they stay for ever
   */
  public record Spec(String name, Map<String, String> configs, Duration leastRetention) {

    /** Whether clients and Envoys decide how much is in it, and time alone would not bound it. */
    public boolean isFilledByOthers() {
      return DELETE.equals(configs);
    }

    /** Whether the latest record of each key stays, and only that. */
    public boolean isCompacted() {
      return COMPACT.equals(configs);
    }
  }
}
