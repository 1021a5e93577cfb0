package io.connectionledger.model.policy;

import java.util.Optional;
import java.util.concurrent.CompletionStage;
import java.util.function.UnaryOperator;

/** The policies that all instances share, and the way to change them. Thread-safe. */
public interface Policies {

  /**
   * The policy of a pool now; empty when this instance's configuration names no such pool, or the
   * policies have not been read yet.
   */
  Optional<PolicyRecord> of(String pool);

  /**
   * Stores what {@code change} makes of the pool's policy. May wait some seconds for Kafka. Of two
   * instances that change a pool within the same moment, the later one wins.
   *
   * @param change runs at most once, before this returns; what it throws is thrown
   * @return completed with the new record once it is stored and followed here; fails when Kafka
   *     does not take it
   * @throws java.util.NoSuchElementException when {@link #of} is empty for the pool
   */
  CompletionStage<PolicyRecord> change(String pool, UnaryOperator<PolicyRecord> change);
}
