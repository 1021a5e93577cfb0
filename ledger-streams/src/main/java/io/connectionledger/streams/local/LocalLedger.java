package io.connectionledger.streams.local;

import io.connectionledger.model.Ticker;
import io.connectionledger.model.event.Decision;
import io.connectionledger.model.event.RejectionReason;
import io.connectionledger.model.policy.PolicyRecord;
import io.connectionledger.model.policy.PoolIndex;
import io.connectionledger.model.policy.PoolPolicy;
import io.connectionledger.streams.Decider;
import io.connectionledger.streams.Ledger;
import io.connectionledger.streams.ownership.OwnedShards;
import io.connectionledger.streams.ownership.PartitionOwners;
import io.connectionledger.streams.ownership.PoolDirectory;
import io.connectionledger.streams.ownership.PoolShard;
import io.connectionledger.streams.query.LocalQueries;
import io.connectionledger.streams.query.RunningTopology;
import io.connectionledger.streams.rules.lease.LeaseTerms;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** The pools that this instance owns: none until the topology that fills them runs. Thread-safe. */
public final class LocalLedger implements Decider {

  private final LeaseTerms terms;
  private final Ticker ticker;
  private final PoolDirectory pools;
  private final OwnedShards shards = new OwnedShards(this::followAll);
  private final LocalQueries queries;
  private final LocalLoans loans;

  /** The latest policy of each pool, those included that are not served any more. */
  private final Map<String, PolicyRecord> followed = new HashMap<>();

  /**
   * Pools without an owner yet.
   *
   * @param partitions of every topic of the ledger
   */
  public LocalLedger(
      Map<String, PoolPolicy> policies, int partitions, LeaseTerms terms, Ticker ticker) {
    this.terms = terms;
    this.ticker = ticker;
    this.pools = new PoolDirectory(policies, partitions);
    this.queries = new LocalQueries(pools, shards, this::latest, ticker);
    this.loans =
        new LocalLoans(
            pool -> pools.isKnown() ? Optional.ofNullable(shard(pool)) : Optional.empty(), ticker);
  }

  /** One that owns these pools from the start, by itself: nothing of it is in Kafka. */
  public static LocalLedger detached(List<PoolPolicy> pools, Ticker ticker) {
    LeaseTerms terms = new LeaseTerms(Duration.ofSeconds(10), 3, Duration.ofSeconds(15));
    Map<String, PolicyRecord> records = new HashMap<>();
    pools.forEach(pool -> records.put(pool.pool(), PolicyRecord.ofBase(pool, Set.of(), 0)));
    LocalLedger ledger = new LocalLedger(Map.of(), 1, terms, ticker);
    PoolShard shard = ledger.emptyShard(0);
    shard.caughtUp();
    ledger.shards.add(0, shard);
    ledger.follow(records);
    return ledger;
  }

  /** For its users. */
  public Ledger ledger() {
    return new Ledger(this, pools, queries, loans);
  }

  /** What the pools claim now. */
  public PoolIndex index() {
    return pools.index();
  }

  /**
   * Serves these pools by these policies from now on; nothing is decided before the first call. A
   * pool that is not among them any more is unknown to checks, while what is known of its
   * connections is kept up to date, in case it comes back.
   */
  public synchronized void follow(Map<String, PolicyRecord> current) {
    long nowNanos = ticker.nowNanos();
    current.forEach(
        (pool, record) -> {
          if (!record.equals(followed.put(pool, record))) {
            PoolShard shard = shards.get(pools.partitionOf(pool));
            if (shard != null) {
              shard.follow(record, nowNanos);
            }
          }
        });
    pools.serve(current);
  }

  /** Brings a shard up to date whose partition has just come here. */
  private synchronized void followAll(PoolShard shard, int partition) {
    long nowNanos = ticker.nowNanos();
    followed.values().stream()
        .filter(record -> pools.partitionOf(record.pool()) == partition)
        .forEach(record -> shard.follow(record, nowNanos));
  }

  private synchronized Optional<PolicyRecord> latest(String pool) {
    return Optional.ofNullable(pools.policy(pool))
        .map(policy -> followed.getOrDefault(pool, PolicyRecord.ofBase(policy, Set.of(), 0)));
  }

  /** A partition's pools, without any connection. */
  public PoolShard emptyShard(int partition) {
    return new PoolShard(pools.ofPartition(partition), terms, ticker.nowMs());
  }

  public int partitions() {
    return pools.partitions();
  }

  public LeaseTerms terms() {
    return terms;
  }

  public OwnedShards shards() {
    return shards;
  }

  /** This topology fills the ledger from now on. */
  public void runBy(RunningTopology topology, PartitionOwners owners) {
    pools.ownedBy(owners);
    queries.read(topology, owners);
  }

  private @Nullable PoolShard shard(String pool) {
    return shards.get(pools.partition(pool));
  }

  @Override
  public Decision decide(String pool, @Nullable String key, @Nullable String listener) {
    long nowNanos = ticker.nowNanos();
    Integer partition = pools.partition(pool);
    if (partition == null) {
      return Rejections.of(pool, RejectionReason.UNKNOWN_POOL, nowNanos, null);
    }
    PoolShard shard = shards.get(partition);
    Decision decision =
        shard == null || !pools.isKnown() ? null : shard.decide(pool, key, listener, nowNanos);
    return decision != null ? decision : noOwner(pool, nowNanos);
  }

  private Decision noOwner(String pool, long nowNanos) {
    PoolPolicy policy = pools.policy(pool);
    return Rejections.of(
        pool, RejectionReason.NO_OWNER, nowNanos, policy == null ? null : policy.mode());
  }

  @Override
  public void release(Decision.Allowed reservation) {
    PoolShard shard = shard(reservation.pool());
    if (shard != null) {
      shard.release(reservation);
    }
  }

  @Override
  public boolean reservesHeadroom(String pool) {
    PoolShard shard = shard(pool);
    return shard != null && shard.reservesHeadroom();
  }

  @Override
  public Duration maxUnseen() {
    return terms.maxUnseen();
  }
}
