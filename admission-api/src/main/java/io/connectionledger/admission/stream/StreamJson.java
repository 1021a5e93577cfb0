package io.connectionledger.admission.stream;

import io.connectionledger.model.policy.PolicyRecord;
import io.connectionledger.model.view.PoolReadiness;
import io.connectionledger.model.view.PoolView;

/** The JSON of the query API, in UTF-8 and without line ends. Thread-safe. */
public interface StreamJson {

  /** The pods of {@code view}; the policy says how they drain. */
  byte[] connections(PoolView view, PolicyRecord policy);

  byte[] policy(PolicyRecord policy, long nowMs);

  byte[] readiness(PoolReadiness readiness);

  /** All of a pool. */
  byte[] snapshot(PoolView view, PolicyRecord policy, PoolReadiness readiness);

  /** An RFC 9457 problem. */
  byte[] problem(Refusal refusal);
}
