package io.connectionledger.streams.history;

import io.connectionledger.model.event.ConnectionEvent;
import io.connectionledger.model.event.ConnectionEvent.Closed;
import io.connectionledger.model.event.LedgerRecord;
import io.connectionledger.model.event.Presence;
import io.connectionledger.model.policy.PolicyRecord;
import io.connectionledger.model.view.PoolView;
import io.connectionledger.streams.ownership.PoolShard;
import io.connectionledger.streams.rules.lease.EnvoyFailureDetector;
import io.connectionledger.streams.rules.lease.LeaseTerms;
import io.connectionledger.streams.rules.state.Changes;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;

/**
 * Rebuilds what the ledger knew at a past moment: its own rules, fed with the records that it was
 * fed with. What was never recorded it does not know: a reservation that was given back, because
 * the caller left before its answer, counts until it expires. Not thread-safe.
 */
public final class Replay implements HistoryListener {

  private static final long NANOS_PER_MS = 1_000_000;

  private final LeaseTerms terms;
  private final Map<Integer, Partition> partitions = new HashMap<>();
  private final Map<String, Integer> partitionOf = new TreeMap<>();
  private final Changes changes = new Changes();

  /** The pools of one partition. */
  private final class Partition {
    private final PoolShard shard;
    private final long beganMs;
    private boolean ingestHeard;
    private long toldMs;

    Partition(long atMs) {
      shard = new PoolShard(Set.of(), terms, atMs);
      shard.caughtUp();
      beganMs = atMs;
      toldMs = atMs;
    }

    /**
     * Where the topic of the presences does not reach back, the events say that an ingest is heard,
     * each for as long as it takes an Envoy to be heard again.
     */
    void letTimePass(ConnectionEvent event, long atMs) {
      boolean concluded = event instanceof Closed closed && closed.concluded();
      if (ingestHeard || concluded || atMs - beganMs < EnvoyFailureDetector.SILENCE_MS) {
        return;
      }
      long stepMs = EnvoyFailureDetector.SILENCE_MS / 2;
      if (atMs - toldMs <= terms.heartbeat().toMillis() * 3 / 2) {
        while (toldMs + stepMs < atMs) {
          toldMs += stepMs;
          tell(toldMs);
        }
      }
      toldMs = Math.max(toldMs, atMs);
      tell(toldMs);
    }

    private void tell(long atMs) {
      shard.heard(new Presence("replay", Map.of(), atMs), atMs);
    }
  }

  /**
   * One that knows nothing yet.
   *
   * @param terms of the ledger that wrote the records
   */
  public Replay(LeaseTerms terms) {
    this.terms = terms;
  }

  private Partition partition(int number, long atMs) {
    return partitions.computeIfAbsent(number, unused -> new Partition(atMs));
  }

  @Override
  public void policy(int partition, PolicyRecord policy, long atMs) {
    partitionOf.put(policy.pool(), partition);
    partition(partition, atMs).shard.follow(policy, atMs * NANOS_PER_MS);
  }

  @Override
  public void presence(int partition, Presence presence, long atMs) {
    Partition its = partition(partition, atMs);
    its.ingestHeard = true;
    its.shard.heard(presence, atMs);
  }

  @Override
  public void record(int partition, LedgerRecord record, long atMs) {
    Partition its = partition(partition, atMs);
    if (record instanceof ConnectionEvent event) {
      its.letTimePass(event, atMs);
    }
    changes.clear();
    its.shard.apply(record, changes);
  }

  /** The pools whose policy is known, in alphabetical order. */
  public Set<String> pools() {
    return partitionOf.keySet();
  }

  /**
   * The pool after all that was taken.
   *
   * @param atMs milliseconds since the epoch
   * @return empty when no policy of it is known
   */
  public Optional<PoolView> connections(String pool, long atMs) {
    Integer partition = partitionOf.get(pool);
    return partition == null ? Optional.empty() : partition(partition, atMs).shard.view(pool, atMs);
  }
}
