package io.connectionledger.admission.decisionlog;

import io.connectionledger.model.event.Decision;
import org.apache.kafka.clients.producer.Callback;

/** Where decisions are recorded: {@link KafkaDecisionLog}. */
@FunctionalInterface
public interface DecisionLog {

  /**
   * Takes a decision, without ever waiting.
   *
   * @param awaited whether somebody waits until it is recorded
   * @param callback completed once, by any thread, possibly before this returns
   */
  void send(Decision decision, boolean awaited, Callback callback);
}
