package io.connectionledger.streams.query;

import io.connectionledger.model.Ticker;
import io.connectionledger.streams.ownership.PartitionOwners;
import io.connectionledger.streams.store.Counts;
import io.connectionledger.streams.store.History;
import io.connectionledger.streams.store.PartitionStores;
import io.connectionledger.streams.store.Rejected;
import io.connectionledger.streams.store.StandbyCopy;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.Function;
import java.util.function.Supplier;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StoreQueryParameters;
import org.apache.kafka.streams.errors.InvalidStateStoreException;
import org.apache.kafka.streams.state.QueryableStoreType;
import org.apache.kafka.streams.state.QueryableStoreTypes;
import org.apache.kafka.streams.state.ReadOnlyWindowStore;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Reads the stores of a running topology by interactive queries. Thread-safe. */
public final class StoreReads implements RunningTopology {

  private static final Logger LOGGER = LoggerFactory.getLogger(StoreReads.class);

  private final Supplier<KafkaStreams> streams;
  private final PartitionOwners owners;
  private final StandbyLag standbyLag;
  private final long commitIntervalMs;
  private final Ticker ticker;

  /**
   * Reads of whatever {@code streams} says.
   *
   * @param commitIntervalMs how late an owner's caches may reach the changelogs
   */
  public StoreReads(
      Supplier<KafkaStreams> streams,
      PartitionOwners owners,
      StandbyLag standbyLag,
      long commitIntervalMs,
      Ticker ticker) {
    this.streams = streams;
    this.owners = owners;
    this.standbyLag = standbyLag;
    this.commitIntervalMs = commitIntervalMs;
    this.ticker = ticker;
  }

  @Override
  public boolean isRunning() {
    return streams.get().state() == KafkaStreams.State.RUNNING;
  }

  @Override
  public String state() {
    return streams.get().state().name();
  }

  @Override
  public Optional<Rejected> rejected(String pool, int partition) {
    return ofHistory(partition, history -> History.rejected(history, pool, ticker.nowMs()));
  }

  @Override
  public OptionalLong latelyForWantOfRoom(String pool, int partition) {
    return ofHistory(
            partition, history -> History.latelyForWantOfRoom(history, pool, ticker.nowMs()))
        .map(OptionalLong::of)
        .orElse(OptionalLong.empty());
  }

  @Override
  public Optional<Counts> counts(String pool, int partition) {
    return ofHistory(partition, history -> History.counts(history, pool, ticker.nowMs()));
  }

  private <T> Optional<T> ofHistory(
      int partition, Function<ReadOnlyWindowStore<String, byte[]>, T> read) {
    try {
      return Optional.of(
          read.apply(
              streams
                  .get()
                  .store(
                      StoreQueryParameters.fromNameAndType(
                              PartitionStores.HISTORY,
                              QueryableStoreTypes.<String, byte[]>windowStore())
                          .withPartition(partition))));
    } catch (InvalidStateStoreException moving) {
      LOGGER.atDebug().setCause(moving).log("History not available while partitions move");
      return Optional.empty();
    }
  }

  @Override
  public Optional<StandbyCopy> standby(String pool, int partition) {
    OptionalLong silentMs = owners.silentMs(partition);
    if (silentMs.isEmpty()) {
      return Optional.empty();
    }
    long staleMs =
        commitIntervalMs + Math.max(silentMs.getAsLong(), standbyLag.ofPartitionMs(partition));
    try {
      return Optional.of(
          StandbyCopy.read(
              new StandbyCopy.Stores(
                  copy(PartitionStores.CONNECTIONS, QueryableStoreTypes.keyValueStore(), partition),
                  copy(PartitionStores.CIRCUITS, QueryableStoreTypes.keyValueStore(), partition),
                  copy(PartitionStores.HISTORY, QueryableStoreTypes.windowStore(), partition)),
              pool,
              ticker.nowMs(),
              staleMs));
    } catch (InvalidStateStoreException notHere) {
      LOGGER.atDebug().setCause(notHere).log("No copy of another instance's pool");
      return Optional.empty();
    }
  }

  private <T> T copy(String store, QueryableStoreType<T> type, int partition) {
    return streams
        .get()
        .store(
            StoreQueryParameters.fromNameAndType(store, type)
                .withPartition(partition)
                .enableStaleStores());
  }
}
