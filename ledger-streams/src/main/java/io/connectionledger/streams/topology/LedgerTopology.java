package io.connectionledger.streams.topology;

import io.connectionledger.model.Ticker;
import io.connectionledger.model.Topics;
import io.connectionledger.streams.store.History;
import io.connectionledger.streams.store.PartitionStores;
import java.time.Duration;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.AutoOffsetReset;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.processor.TimestampExtractor;
import org.apache.kafka.streams.processor.api.ProcessorSupplier;
import org.apache.kafka.streams.state.Stores;

/**
 * The topology: connection events and decisions of a partition meet in one processor, because one
 * writer must see both.
 *
 * <pre>
 *   ledger.connections ─▶ connection-events ─┐             ┌─▶ pods ─▶ ledger.pods
 *   ledger.decisions ───▶ decisions ─────────┼─▶ ledger ───┼─▶ given-up ─▶ ledger.connections
 *   ledger.envoys ──────▶ presence ──────────┘             └─▶ dead-letters ─▶ ledger.dead-letters
 *                          stores: connections, circuits, token-buckets, history
 * </pre>
 */
public final class LedgerTopology {

  static final String DEAD_LETTERS_SINK = "dead-letters";
  static final String GIVEN_UP_SINK = "given-up";
  static final String PODS_SINK = "pods";

  private static final String EVENTS_SOURCE = "connection-events";
  private static final String DECISIONS_SOURCE = "decisions";
  private static final String PRESENCE_SOURCE = "presence";
  private static final String PROCESSOR = "ledger";

  /** How far the clock of another machine may be ahead of ours without being corrected. */
  private static final Duration MAX_AHEAD = Duration.ofMinutes(1);

  private LedgerTopology() {}

  /**
   * Builds it.
   *
   * @param ticker bounds the time that a record says that it is of: one from the future would make
   *     the stores forget what they counted as too old, and one without a time would end the thread
   */
  public static Topology build(
      ProcessorSupplier<String, byte[], String, byte[]> processor, Ticker ticker) {
    TimestampExtractor times =
        (record, partitionTimeMs) ->
            record.timestamp() < 0
                ? ticker.nowMs()
                : Math.min(record.timestamp(), ticker.nowMs() + MAX_AHEAD.toMillis());
    var string = Serdes.String();
    var bytes = Serdes.ByteArray();
    return new Topology()
        .addSource(
            AutoOffsetReset.earliest(),
            EVENTS_SOURCE,
            times,
            string.deserializer(),
            bytes.deserializer(),
            Topics.CONNECTIONS)
        .addSource(
            AutoOffsetReset.earliest(),
            DECISIONS_SOURCE,
            times,
            string.deserializer(),
            bytes.deserializer(),
            Topics.DECISIONS)
        .addSource(
            AutoOffsetReset.earliest(),
            PRESENCE_SOURCE,
            times,
            string.deserializer(),
            bytes.deserializer(),
            Topics.ENVOYS)
        .addProcessor(PROCESSOR, processor, EVENTS_SOURCE, DECISIONS_SOURCE, PRESENCE_SOURCE)
        // Cached until the commit: a reservation that has its outcome by then is never stored,
        // since
        // whoever takes over reads its decision again.
        .addStateStore(
            Stores.keyValueStoreBuilder(
                    Stores.persistentKeyValueStore(PartitionStores.CONNECTIONS), string, bytes)
                .withCachingEnabled(),
            PROCESSOR)
        // So few that reading them from the changelog is faster than to open a database.
        .addStateStore(
            Stores.keyValueStoreBuilder(
                Stores.inMemoryKeyValueStore(PartitionStores.CIRCUITS), string, bytes),
            PROCESSOR)
        .addStateStore(
            Stores.keyValueStoreBuilder(
                    Stores.persistentKeyValueStore(PartitionStores.BUCKETS), string, bytes)
                .withCachingEnabled(),
            PROCESSOR)
        .addStateStore(
            Stores.windowStoreBuilder(
                    Stores.persistentWindowStore(
                        PartitionStores.HISTORY, History.RETENTION, History.BUCKET, false),
                    string,
                    bytes)
                .withCachingEnabled(),
            PROCESSOR)
        .addSink(
            DEAD_LETTERS_SINK,
            Topics.DEAD_LETTERS,
            string.serializer(),
            bytes.serializer(),
            PROCESSOR)
        .addSink(
            GIVEN_UP_SINK, Topics.CONNECTIONS, string.serializer(), bytes.serializer(), PROCESSOR)
        .addSink(PODS_SINK, Topics.PODS, string.serializer(), bytes.serializer(), PROCESSOR);
  }
}
