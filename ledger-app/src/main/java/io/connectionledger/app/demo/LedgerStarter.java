package io.connectionledger.app.demo;

import io.connectionledger.model.policy.PoolPolicy;
import java.time.Duration;

/** Starts a whole ledger in this process. */
@FunctionalInterface
public interface LedgerStarter {

  /**
   * Starts it and waits until it is ready to decide.
   *
   * @param policy the only pool
   * @param heartbeat at which Envoys report open connections
   * @throws Exception when it does not start; the message is for the operator
   */
  RunningLedger start(PoolPolicy policy, Duration heartbeat) throws Exception;

  /** A ledger that is ready; closing stops it. */
  interface RunningLedger extends AutoCloseable {
    LedgerPorts ports();
  }
}
