package io.connectionledger.admission.decisionlog;

import org.apache.kafka.clients.producer.Callback;

/** Where records of decisions go: {@link KafkaDecisionLog}. */
@FunctionalInterface
public interface DecisionLog {

  /**
   * Takes a record, without ever waiting.
   *
   * @param key of the record, and so its partition
   * @param callback completed once, by any thread, possibly before this returns
   * @throws RuntimeException when the record was not taken; the callback is then never completed
   */
  void send(byte[] key, byte[] value, Callback callback);
}
