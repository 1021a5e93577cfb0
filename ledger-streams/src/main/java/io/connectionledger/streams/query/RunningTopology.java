package io.connectionledger.streams.query;

import io.connectionledger.streams.store.Counts;
import io.connectionledger.streams.store.Rejected;
import io.connectionledger.streams.store.StandbyCopy;
import java.util.Optional;
import java.util.OptionalLong;

/** What queries read of the topology that fills the ledger. Thread-safe. */
public interface RunningTopology {

  RunningTopology NOT_STARTED =
      new RunningTopology() {
        @Override
        public boolean isRunning() {
          return false;
        }

        @Override
        public String state() {
          return "not started";
        }

        @Override
        public Optional<Rejected> rejected(String pool, int partition) {
          return Optional.empty();
        }

        @Override
        public OptionalLong latelyForWantOfRoom(String pool, int partition) {
          return OptionalLong.empty();
        }

        @Override
        public Optional<Counts> counts(String pool, int partition) {
          return Optional.empty();
        }

        @Override
        public Optional<StandbyCopy> standby(String pool, int partition) {
          return Optional.empty();
        }
      };

  boolean isRunning();

  /** In a word of Kafka Streams. */
  String state();

  /** From the store of an owned pool; empty while partitions move. */
  Optional<Rejected> rejected(String pool, int partition);

  /** {@link Rejected#latelyForWantOfRoom} alone, at a fraction of the price; empty likewise. */
  OptionalLong latelyForWantOfRoom(String pool, int partition);

  /** From the store of an owned pool; empty while partitions move. */
  Optional<Counts> counts(String pool, int partition);

  /** From this instance's copy of the stores of another; empty when it has none. */
  Optional<StandbyCopy> standby(String pool, int partition);
}
