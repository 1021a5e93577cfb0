package io.connectionledger.streams;

import io.connectionledger.model.Affinity;
import io.connectionledger.model.Decision;
import io.connectionledger.model.PolicyRecord;
import io.connectionledger.model.PoolIndex;
import io.connectionledger.model.PoolPolicy;
import io.connectionledger.model.PoolPolicy.OnOwnerLoss;
import io.connectionledger.model.PoolPolicy.Placement;
import io.connectionledger.model.PoolReadiness;
import io.connectionledger.model.PoolRejections;
import io.connectionledger.model.PoolReport;
import io.connectionledger.model.PoolView;
import io.connectionledger.model.RejectionReason;
import io.connectionledger.model.Ticker;
import io.connectionledger.streams.history.Partitions;
import io.connectionledger.streams.rules.LeaseTerms;
import java.time.Duration;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/**
 * The pools that this instance owns: none until {@link LedgerStreams} runs the topology that fills
 * them. Thread-safe.
 */
public final class LocalLedger implements Ledger {

  private final int partitions;
  private final LeaseTerms terms;
  private final Ticker ticker;
  private final Map<String, Integer> partitionOf = new ConcurrentHashMap<>();
  private final OwnedShards shards = new OwnedShards(this::followAll);
  private final LocalLoans loans;
  private volatile Map<String, PoolPolicy> policies;
  private volatile PoolIndex index;

  /** The latest policy of each pool, those included that are not served any more. */
  private final Map<String, PolicyRecord> followed = new HashMap<>();

  private final Reports reports = new Reports();
  private final ExpiringMemo<Optional<PoolReport>> standbys;
  private volatile boolean policiesKnown;
  private volatile Running running = Running.NOT_YET;

  /** Whether all has been here once: what moves since is decided by others, or soon here. */
  private volatile boolean settled;

  /** What the topology says of itself. */
  interface Running {

    Running NOT_YET =
        new Running() {
          @Override
          public boolean isRunning() {
            return false;
          }

          @Override
          public boolean isFollowing() {
            return false;
          }

          @Override
          public String state() {
            return "not started";
          }

          @Override
          public Optional<Rejected> rejected(String pool, int partition) {
            return Optional.empty();
          }

          @Override
          public Optional<StandbyCopy> standby(String pool, int partition) {
            return Optional.empty();
          }

          @Override
          public Set<String> others() {
            return Set.of();
          }

          @Override
          public Owner owner(int partition) {
            return Owner.NOBODY;
          }

          @Override
          public void disowned(int partition, Owner.Other owner) {
            // Named none.
          }

          @Override
          public void unreachable(int partition, Owner.Other owner) {
            // Named none.
          }
        };

    boolean isRunning();

    /** Whether it is known who owns what. */
    boolean isFollowing();

    /** In a word of Kafka Streams. */
    String state();

    /** From the store of an owned pool; empty while partitions move. */
    Optional<Rejected> rejected(String pool, int partition);

    /** From this instance's copy of the stores of another; empty when it has none. */
    Optional<StandbyCopy> standby(String pool, int partition);

    /** The addresses of other owners, of whatever partitions. */
    Set<String> others();

    /** Who decides for a partition for which this instance may not. */
    Owner owner(int partition);

    void disowned(int partition, Owner.Other owner);

    void unreachable(int partition, Owner.Other owner);
  }

  /**
   * Pools without an owner yet.
   *
   * @param partitions of every topic of the ledger
   */
  public LocalLedger(
      Map<String, PoolPolicy> policies, int partitions, LeaseTerms terms, Ticker ticker) {
    this.policies = Collections.unmodifiableMap(new TreeMap<>(policies));
    this.index = PoolIndex.of(policies.values());
    this.partitions = partitions;
    this.terms = terms;
    this.ticker = ticker;
    this.loans =
        new LocalLoans(
            pool -> policiesKnown ? Optional.ofNullable(shard(pool)) : Optional.empty(), ticker);
    this.standbys = new ExpiringMemo<>(ticker);
    policies.keySet().forEach(pool -> partitionOf.put(pool, partitionOf(pool)));
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

  private int partitionOf(String pool) {
    return Partitions.of(pool, partitions);
  }

  /** A partition's pools, without any connection. */
  PoolShard emptyShard(int partition) {
    List<PoolPolicy> pools =
        policies.values().stream().filter(p -> partitionOf(p.pool()) == partition).toList();
    return new PoolShard(pools, terms, ticker.nowMs());
  }

  /**
   * Serves these pools by these policies from now on; nothing is decided before the first call. A
   * pool that is not among them any more is unknown to checks, while what is known of its
   * connections is kept up to date, in case it comes back.
   */
  public synchronized void follow(Map<String, PolicyRecord> current) {
    long nowNanos = ticker.nowNanos();
    Map<String, PoolPolicy> serving = new TreeMap<>();
    current.forEach(
        (pool, record) -> {
          serving.put(pool, record.policy());
          if (!record.equals(followed.put(pool, record))) {
            PoolShard shard = shards.get(partitionOf(pool));
            if (shard != null) {
              shard.follow(record, nowNanos);
            }
          }
          partitionOf.put(pool, partitionOf(pool));
        });
    policies.keySet().stream()
        .filter(pool -> !serving.containsKey(pool))
        .forEach(partitionOf::remove);
    policies = Collections.unmodifiableMap(serving);
    index = PoolIndex.of(serving.values());
    policiesKnown = true;
  }

  /** Brings a shard up to date whose partition has just come here. */
  private synchronized void followAll(PoolShard shard, int partition) {
    long nowNanos = ticker.nowNanos();
    followed.values().stream()
        .filter(record -> partitionOf(record.pool()) == partition)
        .forEach(record -> shard.follow(record, nowNanos));
  }

  int partitions() {
    return partitions;
  }

  LeaseTerms terms() {
    return terms;
  }

  OwnedShards shards() {
    return shards;
  }

  void runBy(Running topology) {
    running = topology;
    settled = false;
  }

  @Override
  public Decision decide(String pool, @Nullable String key, @Nullable String listener) {
    long nowNanos = ticker.nowNanos();
    Integer partition = partitionOf.get(pool);
    if (partition == null) {
      return Rejections.of(pool, RejectionReason.UNKNOWN_POOL, nowNanos, null);
    }
    PoolShard shard = shards.get(partition);
    Decision decision =
        shard == null || !policiesKnown ? null : shard.decide(pool, key, listener, nowNanos);
    return decision != null ? decision : noOwner(pool, nowNanos);
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

  @Override
  public Affinity affinity(String pool) {
    PoolPolicy policy = policies.get(pool);
    return policy == null || policy.placement() != Placement.AFFINITY
        ? Affinity.NONE
        : policy.affinity();
  }

  private Decision noOwner(String pool, long nowNanos) {
    PoolPolicy policy = policies.get(pool);
    return Rejections.of(
        pool, RejectionReason.NO_OWNER, nowNanos, policy == null ? null : policy.mode());
  }

  @Override
  public Owner owner(String pool) {
    Integer partition = partitionOf.get(pool);
    return partition == null ? Owner.NOBODY : running.owner(partition);
  }

  @Override
  public Set<String> others() {
    return running.others();
  }

  @Override
  public Loans loans() {
    return loans;
  }

  @Override
  public OnOwnerLoss onOwnerLoss(String pool) {
    PoolPolicy policy = policies.get(pool);
    return policy == null ? OnOwnerLoss.DENY : policy.onOwnerLoss();
  }

  @Override
  public void disowned(String pool, Owner.Other owner) {
    Integer partition = partitionOf.get(pool);
    if (partition != null) {
      running.disowned(partition, owner);
    }
  }

  @Override
  public void unreachable(String pool, Owner.Other owner) {
    Integer partition = partitionOf.get(pool);
    if (partition != null) {
      running.unreachable(partition, owner);
    }
  }

  @Override
  public void release(Decision.Allowed reservation) {
    PoolShard shard = shard(reservation.pool());
    if (shard != null) {
      shard.release(reservation);
    }
  }

  @Override
  public @Nullable String poolOf(String authority, String path) {
    return index.byRequest(authority, path);
  }

  /** What the pools claim now. */
  public PoolIndex index() {
    return index;
  }

  @Override
  public Set<String> pools() {
    return policies.keySet();
  }

  @Override
  public Optional<PoolView> connections(String pool) {
    return Optional.ofNullable(shard(pool)).flatMap(shard -> shard.view(pool, ticker.nowMs()));
  }

  @Override
  public void watch(Watcher watcher) {
    shards.watch(watcher);
  }

  @Override
  public Optional<PoolReadiness> readiness(String pool) {
    return Optional.ofNullable(shard(pool)).flatMap(shard -> shard.readiness(pool, ticker.nowMs()));
  }

  private @Nullable PoolShard shard(String pool) {
    Integer partition = partitionOf.get(pool);
    return partition == null ? null : shards.get(partition);
  }

  @Override
  public Optional<PoolRejections> rejections(String pool) {
    return connections(pool)
        .flatMap(
            view ->
                running
                    .rejected(pool, partitionOf(pool))
                    .map(rejected -> Reports.rejections(view, rejected)));
  }

  @Override
  public Optional<PoolReport> report(String pool) {
    PoolShard shard = shard(pool);
    PoolPolicy policy = policies.get(pool);
    if (shard == null || policy == null) {
      return Optional.empty();
    }
    long nowMs = ticker.nowMs();
    return shard
        .view(pool, nowMs)
        .flatMap(
            view ->
                shard
                    .readiness(pool, nowMs)
                    .flatMap(
                        readiness ->
                            running
                                .rejected(pool, partitionOf(pool))
                                .map(
                                    rejected ->
                                        reports.report(
                                            null,
                                            policy,
                                            view,
                                            readiness,
                                            shard.isNew(),
                                            rejected))));
  }

  @Override
  public Optional<PoolReport> standby(String pool) {
    return latest(pool)
        .flatMap(
            record ->
                standbys.of(
                    pool,
                    () ->
                        running
                            .standby(pool, partitionOf(pool))
                            .map(copy -> copy.report(record, reports))));
  }

  private synchronized Optional<PolicyRecord> latest(String pool) {
    PoolPolicy policy = policies.get(pool);
    return policy == null
        ? Optional.empty()
        : Optional.of(followed.getOrDefault(pool, PolicyRecord.ofBase(policy, Set.of(), 0)));
  }

  @Override
  public boolean ready() {
    if (policiesKnown && running.isRunning() && shards.behind() == 0) {
      settled = true;
    }
    return settled && running.isFollowing();
  }

  @Override
  public String status() {
    if (ready()) {
      return "ready";
    }
    if (!policiesKnown) {
      return "the policies are not read yet";
    }
    return "streams are "
        + running.state()
        + ", "
        + shards.behind()
        + " partitions are catching up";
  }
}
