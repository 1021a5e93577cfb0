package io.connectionledger.streams.ownership;

import io.connectionledger.streams.Owner;
import java.util.OptionalLong;
import java.util.Set;

/** What is known of others by an instance that is alone. */
public record NoOtherInstances() implements PartitionOwners {

  @Override
  public boolean isFollowing() {
    return true;
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
    // There is no other instance here.
  }

  @Override
  public void unreachable(int partition, Owner.Other owner) {
    // There is no other instance here.
  }
}
