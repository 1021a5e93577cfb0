package io.connectionledger.streams.query;

import io.connectionledger.model.Ticker;
import io.connectionledger.model.policy.PolicyRecord;
import io.connectionledger.model.policy.PoolPolicy;
import io.connectionledger.model.view.PoolHistory;
import io.connectionledger.model.view.PoolReadiness;
import io.connectionledger.model.view.PoolRejections;
import io.connectionledger.model.view.PoolReport;
import io.connectionledger.model.view.PoolView;
import io.connectionledger.streams.Owner;
import io.connectionledger.streams.PoolQueries;
import io.connectionledger.streams.ownership.OwnedShards;
import io.connectionledger.streams.ownership.PartitionOwners;
import io.connectionledger.streams.ownership.PoolDirectory;
import io.connectionledger.streams.ownership.PoolShard;
import io.connectionledger.streams.rules.ScalingRule;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.Set;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Answers about the pools that this instance owns, and about its copies of others'. Thread-safe.
 */
public final class LocalQueries implements PoolQueries {

  private final PoolDirectory pools;
  private final OwnedShards shards;
  private final Function<String, Optional<PolicyRecord>> policies;
  private final Ticker ticker;
  private final Reports reports = new Reports();
  private final ExpiringMemo<Optional<PoolReport>> standbys;
  private final ExpiringMemo<Optional<PoolHistory>> histories;
  private volatile RunningTopology topology = RunningTopology.NOT_STARTED;
  private volatile PartitionOwners owners = PartitionOwners.UNKNOWN;

  /** Whether all has been here once: what moves since is decided by others, or soon here. */
  private volatile boolean settled;

  /**
   * Queries without a topology to read yet.
   *
   * @param policies the latest policy of a pool, by its name
   */
  public LocalQueries(
      PoolDirectory pools,
      OwnedShards shards,
      Function<String, Optional<PolicyRecord>> policies,
      Ticker ticker) {
    this.pools = pools;
    this.shards = shards;
    this.policies = policies;
    this.ticker = ticker;
    this.standbys = new ExpiringMemo<>(ticker);
    this.histories = new ExpiringMemo<>(ticker);
  }

  /** Reads this topology from now on, which has to catch up first. */
  public void read(RunningTopology running, PartitionOwners others) {
    topology = running;
    owners = others;
    settled = false;
  }

  @Override
  public Set<String> pools() {
    return pools.pools();
  }

  @Override
  public boolean isElsewhere(String pool) {
    return pools.owner(pool) instanceof Owner.Other;
  }

  @Override
  public boolean isOwned(String pool) {
    PoolShard shard = shard(pool);
    return shard != null && pools.isKnown() && shard.isDeciding(ticker.nowNanos());
  }

  private @Nullable PoolShard shard(String pool) {
    return shards.get(pools.partition(pool));
  }

  @Override
  public Optional<PoolView> connections(String pool) {
    return Optional.ofNullable(shard(pool)).flatMap(shard -> shard.view(pool, ticker.nowMs()));
  }

  @Override
  public Optional<PoolReadiness> readiness(String pool) {
    return Optional.ofNullable(shard(pool)).flatMap(shard -> shard.readiness(pool, ticker.nowMs()));
  }

  @Override
  public Optional<PoolRejections> rejections(String pool) {
    return connections(pool)
        .flatMap(
            view ->
                topology
                    .rejected(pool, pools.partitionOf(pool))
                    .map(rejected -> Reports.rejections(view, rejected)));
  }

  @Override
  public Optional<PoolHistory> history(String pool) {
    return histories.of(
        pool,
        () ->
            connections(pool)
                .flatMap(
                    view ->
                        topology
                            .counts(pool, pools.partitionOf(pool))
                            .map(counts -> counts.of(pool, view.asOfMs(), view.active()))));
  }

  @Override
  public OptionalInt desiredPods(PoolView view) {
    String pool = view.pool();
    PoolPolicy policy = pools.policy(pool);
    if (policy == null) {
      return OptionalInt.empty();
    }
    OptionalLong lately = topology.latelyForWantOfRoom(pool, pools.partitionOf(pool));
    return lately.isPresent()
        ? OptionalInt.of(ScalingRule.desiredPods(policy, view.active(), lately.getAsLong()))
        : OptionalInt.empty();
  }

  @Override
  public Optional<PoolReport> report(String pool) {
    PoolShard shard = shard(pool);
    PoolPolicy policy = pools.policy(pool);
    if (shard == null || policy == null) {
      return Optional.empty();
    }
    long nowMs = ticker.nowMs();
    PoolView view = shard.view(pool, nowMs).orElse(null);
    PoolReadiness readiness = shard.readiness(pool, nowMs).orElse(null);
    if (view == null || readiness == null) {
      return Optional.empty();
    }
    return topology
        .rejected(pool, pools.partitionOf(pool))
        .map(rejected -> reports.report(null, policy, view, readiness, shard.isNew(), rejected));
  }

  @Override
  public Optional<PoolReport> standby(String pool) {
    return policies
        .apply(pool)
        .flatMap(
            record ->
                standbys.of(
                    pool,
                    () ->
                        topology
                            .standby(pool, pools.partitionOf(pool))
                            .map(copy -> reports.report(record, copy))));
  }

  @Override
  public void watch(Watcher watcher) {
    shards.watch(watcher);
  }

  @Override
  public boolean ready() {
    boolean following = owners.isFollowing();
    if (following && pools.isKnown() && topology.isRunning() && shards.behind() == 0) {
      settled = true;
    }
    return settled && following;
  }

  @Override
  public String status() {
    if (ready()) {
      return "ready";
    }
    if (!pools.isKnown()) {
      return "the policies are not read yet";
    }
    return "streams are "
        + topology.state()
        + ", "
        + shards.behind()
        + " partitions are catching up";
  }
}
