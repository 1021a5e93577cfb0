package io.connectionledger.admission;

import org.apache.kafka.clients.producer.Callback;
import org.apache.kafka.clients.producer.ProducerRecord;

/** Where records of decisions go: {@link KafkaDecisionLog}. */
@FunctionalInterface
interface DecisionLog {

  /**
   * Takes a record, without ever waiting.
   *
   * @param callback completed once, by any thread, possibly before this returns
   * @throws RuntimeException when the record was not taken; the callback is then never completed
   */
  void send(ProducerRecord<byte[], byte[]> record, Callback callback);
}
