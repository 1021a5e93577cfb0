package io.connectionledger.streams.ownership;

import io.connectionledger.model.Ticker;
import io.connectionledger.model.event.ConnectionIds;
import io.connectionledger.model.event.OwnershipHeartbeat;
import io.connectionledger.streams.Owner;
import io.connectionledger.streams.ownership.PartitionLease.Candidacy;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.apache.kafka.common.KafkaException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Keeps this instance's ownerships alive, gives them up when another claims them, and knows whom
 * the other partitions belong to. Thread-safe.
 *
 * <p>A partition changes hands with hardly a gap: the owner whose task has moved away decides on
 * until it reads the claim of the next one, then has its last decisions recorded and resigns, which
 * the next one waits for.
 */
public final class OwnershipManager
    implements Ownership, PartitionOwners, OwnerLog.Reader, AutoCloseable {

  private static final Logger LOGGER = LoggerFactory.getLogger(OwnershipManager.class);
  private static final Duration TICK = Duration.ofMillis(250);

  private final OwnedShards shards;
  private final Ticker ticker;
  private final OwnerLog log;
  private final Supplier<String> address;
  private final Runnable settle;
  private final Duration hidden;
  private final List<PartitionLease> leases;
  private final Map<Candidacy, HeldLease> heldLeases = new ConcurrentHashMap<>();

  /** Partitions that this instance waits to see in other hands. */
  private final Map<Integer, CountDownLatch> successions = new ConcurrentHashMap<>();

  private volatile boolean following;
  private final ScheduledExecutorService thread =
      Executors.newSingleThreadScheduledExecutor(
          Thread.ofPlatform().name("ownership").daemon().factory());
  private final ExecutorService resigning =
      Executors.newThreadPerTaskExecutor(Thread.ofVirtual().name("resigning-", 0).factory());

  /** A candidacy that has not been given up in the log yet. */
  private record HeldLease(int partition, PoolShard shard) {}

  /**
   * Begins to follow the log.
   *
   * @param instance the same after each restart
   * @param partitions of every topic of the ledger
   * @param address where this instance answers others, host:port; empty while it does not
   * @param settle returns when all decisions made before are recorded; may wait
   * @param hidden how long a connection may stay unknown whose decision an owner that died did not
   *     record; zero when all are recorded before they are answered
   */
  public OwnershipManager(
      String instance,
      int partitions,
      OwnedShards shards,
      Ticker ticker,
      OwnerLog log,
      Supplier<String> address,
      Runnable settle,
      Duration hidden) {
    this.shards = shards;
    this.ticker = ticker;
    this.log = log;
    this.address = address;
    this.settle = settle;
    this.hidden = hidden;
    String run = ConnectionIds.next(ticker.nowMs());
    this.leases =
        IntStream.range(0, partitions)
            .mapToObj(partition -> new PartitionLease(instance, run))
            .toList();
    log.follow(this);
    var unused =
        thread.scheduleWithFixedDelay(
            this::tick, TICK.toMillis(), TICK.toMillis(), TimeUnit.MILLISECONDS);
  }

  @Override
  public Owner owner(int partition) {
    return leases.get(partition).owner(ticker.nowNanos());
  }

  @Override
  public Set<String> others() {
    long nowNanos = ticker.nowNanos();
    return leases.stream()
        .map(lease -> lease.owner(nowNanos))
        .filter(Owner.Other.class::isInstance)
        .map(owner -> ((Owner.Other) owner).address())
        .collect(Collectors.toUnmodifiableSet());
  }

  @Override
  public OptionalLong silentMs(int partition) {
    return leases.get(partition).silentMs(ticker.nowNanos());
  }

  @Override
  public void disowned(int partition, Owner.Other owner) {
    leases.get(partition).disowned(owner);
  }

  @Override
  public void unreachable(int partition, Owner.Other owner) {
    leases.get(partition).unreachable(owner);
  }

  @Override
  public boolean isFollowing() {
    return following;
  }

  @Override
  public boolean isDecidedElsewhere(int partition) {
    return owner(partition) instanceof Owner.Other;
  }

  @Override
  public boolean isAnswering() {
    return !address.get().isEmpty();
  }

  @Override
  public Claim claim(int partition, PoolShard shard) {
    PartitionLease lease = leases.get(partition);
    Candidacy before = lease.candidacy();
    Candidacy candidacy = new Candidacy(shard::decideUntil);
    heldLeases.put(candidacy, new HeldLease(partition, shard));
    if (before != null && heldLeases.containsKey(before)) {
      // Its shard is replaced; what it decided must be in the log before ours looks.
      lease.end(before);
      resigning.execute(
          () -> {
            resign(before);
            stand(lease, candidacy);
          });
    } else {
      stand(lease, candidacy);
    }
    return new PartitionClaim(lease, candidacy, partition, shard);
  }

  private void stand(PartitionLease lease, Candidacy candidacy) {
    lease.stand(candidacy);
    soon();
  }

  private void soon() {
    if (!thread.isShutdown()) {
      thread.execute(this::tick);
    }
  }

  /** Says what is due, on the one thread that may. */
  private void tick() {
    try {
      heldLeases.forEach(
          (candidacy, held) -> {
            PartitionLease lease = leases.get(held.partition);
            long nowNanos = ticker.nowNanos();
            complete(lease.clear(nowNanos));
            OwnershipHeartbeat due = lease.due(address.get(), nowNanos);
            if (due != null) {
              log.send(held.partition, due);
            }
            if (lease.isLingering(candidacy, nowNanos) && lease.end(candidacy)) {
              resignLater(candidacy);
            }
          });
    } catch (RuntimeException bug) {
      // An exception would end the schedule, and with it every ownership.
      LOGGER.atError().setCause(bug).log("Ownership was not renewed");
    }
  }

  private static void complete(@Nullable Candidacy won) {
    if (won != null) {
      won.won().complete(null);
    }
  }

  @Override
  public void read(int partition, OwnershipHeartbeat beat) {
    PartitionLease lease = leases.get(partition);
    Candidacy overruled = lease.read(beat, ticker.nowNanos());
    if (overruled != null) {
      LOGGER
          .atInfo()
          .addKeyValue("partition", partition)
          .addKeyValue("by", beat.instance())
          .log("Another instance owns a partition from now on");
      resignLater(overruled);
    }
    complete(lease.clear(ticker.nowNanos()));
    CountDownLatch succession = successions.get(partition);
    if (succession != null && owner(partition) instanceof Owner.Other) {
      succession.countDown();
    }
  }

  @Override
  public void following() {
    leases.forEach(PartitionLease::following);
    following = true;
    soon();
  }

  @Override
  public void lostTrack() {
    following = false;
    for (PartitionLease lease : leases) {
      Candidacy ended = lease.lostTrack();
      if (ended != null) {
        resignLater(ended);
      }
    }
  }

  private void resignLater(Candidacy ended) {
    resigning.execute(() -> resign(ended));
  }

  /** Records the last decisions of a candidacy that has ended, and then says so. May wait. */
  private void resign(Candidacy ended) {
    HeldLease held = heldLeases.get(ended);
    if (held == null) {
      return;
    }
    PartitionLease lease = leases.get(held.partition);
    try {
      settle.run();
      OwnershipHeartbeat last = lease.resignation(ended, ticker.nowNanos());
      if (last != null && !thread.isShutdown()) {
        thread.execute(() -> log.send(held.partition, last));
      }
    } catch (KafkaException unsettled) {
      LOGGER
          .atWarn()
          .addKeyValue("partition", held.partition)
          .setCause(unsettled)
          .log("The last decisions are not recorded, others wait for the lease");
    }
    heldLeases.remove(ended);
    if (lease.hasLeft(ended)) {
      shards.remove(held.partition, held.shard);
    }
  }

  /**
   * Gives everything up, and goes on following who owns what.
   *
   * @param successors how long to decide on until others decide what this instance owned; zero when
   *     there is nobody to wait for
   */
  public void handOver(Duration successors) throws InterruptedException {
    long untilNanos = ticker.nowNanos() + successors.toNanos();
    for (HeldLease held : List.copyOf(heldLeases.values())) {
      if (!isSucceeded(held.partition, untilNanos)) {
        break;
      }
    }
    heldLeases.forEach(
        (candidacy, held) -> {
          if (leases.get(held.partition).end(candidacy)) {
            resignLater(candidacy);
          }
        });
  }

  /** Waits until another decides for the partition; false when none does in time. */
  private boolean isSucceeded(int partition, long untilNanos) throws InterruptedException {
    CountDownLatch succession =
        successions.computeIfAbsent(partition, unheard -> new CountDownLatch(1));
    return owner(partition) instanceof Owner.Other
        || succession.await(Math.max(0, untilNanos - ticker.nowNanos()), TimeUnit.NANOSECONDS);
  }

  /** Ends it, after some seconds at most for the last decisions to be recorded. */
  @Override
  public void close() {
    resigning.shutdown();
    try {
      if (!resigning.awaitTermination(5, TimeUnit.SECONDS)) {
        LOGGER.atWarn().log("The last decisions are not recorded yet, others wait for the lease");
      }
      thread.shutdown();
      thread.awaitTermination(2, TimeUnit.SECONDS);
    } catch (InterruptedException stopping) {
      Thread.currentThread().interrupt();
    }
    log.close();
  }

  private final class PartitionClaim implements Claim {
    private final PartitionLease lease;
    private final Candidacy candidacy;
    private final int partition;
    private final PoolShard shard;

    PartitionClaim(PartitionLease lease, Candidacy candidacy, int partition, PoolShard shard) {
      this.lease = lease;
      this.candidacy = candidacy;
      this.partition = partition;
      this.shard = shard;
    }

    @Override
    public CompletionStage<Void> won() {
      return candidacy.won();
    }

    @Override
    public boolean isUnclean() {
      return lease.isUnclean(candidacy, hidden, ticker.nowNanos());
    }

    @Override
    public void decides() {
      lease.decides(candidacy);
      soon();
    }

    @Override
    public boolean isLost() {
      return lease.mayStandAgain(candidacy, ticker.nowNanos());
    }

    @Override
    public void leave() {
      if (lease.leave(candidacy, ticker.nowNanos())) {
        resignLater(candidacy);
      }
      if (!heldLeases.containsKey(candidacy)) {
        shards.remove(partition, shard);
      }
    }
  }
}
