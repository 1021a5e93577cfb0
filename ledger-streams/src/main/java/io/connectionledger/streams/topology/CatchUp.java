package io.connectionledger.streams.topology;

import java.util.Map;
import java.util.concurrent.CompletionStage;

/** Tells a new owner how far it must read before it may decide. */
@FunctionalInterface
public interface CatchUp {

  /**
   * Asks Kafka which records of the partition exist and are not processed yet.
   *
   * @return per input topic the end offset to reach, without the topics that have nothing left; it
   *     fails when Kafka cannot be asked, and may then be called again
   */
  CompletionStage<Map<String, Long>> remaining(int partition);
}
