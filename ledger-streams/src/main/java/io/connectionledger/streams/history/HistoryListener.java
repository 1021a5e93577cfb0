package io.connectionledger.streams.history;

import io.connectionledger.model.event.LedgerRecord;
import io.connectionledger.model.event.Presence;
import io.connectionledger.model.policy.PolicyRecord;

/**
 * Takes what was written to the topics, record by record, each with the partition that it was in
 * and the time at which it was written, in milliseconds since the epoch. Those of a partition come
 * in the order of their times.
 */
public interface HistoryListener {

  /** A policy; it comes before any other record of its pool. */
  void policy(int partition, PolicyRecord policy, long atMs);

  /** What an ingest said of its Envoys. */
  void presence(int partition, Presence presence, long atMs);

  /** A decision or an event. */
  void record(int partition, LedgerRecord record, long atMs);
}
