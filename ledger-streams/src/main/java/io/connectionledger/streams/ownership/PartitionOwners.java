package io.connectionledger.streams.ownership;

import io.connectionledger.streams.Owner;
import java.util.OptionalLong;
import java.util.Set;

/** Who owns the partitions that this instance does not own. Thread-safe. */
public interface PartitionOwners {

  /** Before anything is known. */
  PartitionOwners UNKNOWN =
      new PartitionOwners() {
        @Override
        public boolean isFollowing() {
          return false;
        }

        @Override
        public Owner owner(int partition) {
          return Owner.NOBODY;
        }

        @Override
        public Set<String> others() {
          return Set.of();
        }

        @Override
        public OptionalLong silentMs(int partition) {
          return OptionalLong.empty();
        }

        @Override
        public void disowned(int partition, Owner.Other owner) {
          // Named none.
        }

        @Override
        public void unreachable(int partition, Owner.Other owner) {
          // Named none.
        }
      };

  /** Whether it is known who owns what. */
  boolean isFollowing();

  /** Who decides for the partition when this instance may not. */
  Owner owner(int partition);

  /** The addresses of all others that own a partition now. */
  Set<String> others();

  /** For how long nothing has been heard of the partition's owner; empty when nothing ever was. */
  OptionalLong silentMs(int partition);

  /** The owner has said that it is none. */
  void disowned(int partition, Owner.Other owner);

  /** The owner does not answer. */
  void unreachable(int partition, Owner.Other owner);
}
