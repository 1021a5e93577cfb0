package io.connectionledger.streams.topology;

import io.connectionledger.model.Topics;
import io.connectionledger.streams.store.History;
import io.connectionledger.streams.store.PartitionStores;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.Topology;
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

  private LedgerTopology() {}

  public static Topology build(ProcessorSupplier<String, byte[], String, byte[]> processor) {
    var string = Serdes.String();
    var bytes = Serdes.ByteArray();
    return new Topology()
        .addSource(EVENTS_SOURCE, string.deserializer(), bytes.deserializer(), Topics.CONNECTIONS)
        .addSource(DECISIONS_SOURCE, string.deserializer(), bytes.deserializer(), Topics.DECISIONS)
        .addSource(PRESENCE_SOURCE, string.deserializer(), bytes.deserializer(), Topics.ENVOYS)
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
                    Stores.persistentKeyValueStore(PartitionStores.BUCKETS), string, Serdes.Long())
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
