package io.connectionledger.kubernetes.discovery;

import io.connectionledger.model.endpoints.PoolEndpoints;
import java.util.Collection;

/**
 * Where endpoints are published for all instances. Called by one thread, which waits for it; what
 * it throws is logged, and tried again some seconds later.
 */
public interface EndpointSink {

  /** Publishes what a slice has now. */
  void publish(PoolEndpoints record);

  /** Publishes that a pool has a slice no more. */
  void remove(String pool, String slice);

  /** The latest record of each slice of a pool, whoever published it. May lag behind. */
  Collection<PoolEndpoints> known(String pool);
}
