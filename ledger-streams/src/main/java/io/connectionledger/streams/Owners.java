package io.connectionledger.streams;

import io.connectionledger.model.ConnectionIds;
import io.connectionledger.model.OwnerBeat;
import io.connectionledger.model.Ticker;
import io.connectionledger.streams.Ledger.Owner;
import io.connectionledger.streams.Tenure.Mandate;
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
final class Owners implements Ownership, OwnerLog.Reader, AutoCloseable {

  private static final Logger LOGGER = LoggerFactory.getLogger(Owners.class);
  private static final Duration TICK = Duration.ofMillis(100);

  private final OwnedShards shards;
  private final Ticker ticker;
  private final OwnerLog log;
  private final Supplier<String> address;
  private final Runnable settle;
  private final Duration hidden;
  private final List<Tenure> tenures;
  private final Map<Mandate, Office> offices = new ConcurrentHashMap<>();

  /** Partitions that this instance waits to see in other hands. */
  private final Map<Integer, CountDownLatch> successions = new ConcurrentHashMap<>();

  private volatile boolean following;
  private final ScheduledExecutorService thread =
      Executors.newSingleThreadScheduledExecutor(
          Thread.ofPlatform().name("ownership").daemon().factory());
  private final ExecutorService resigning =
      Executors.newThreadPerTaskExecutor(Thread.ofVirtual().name("resigning-", 0).factory());

  /** A mandate that has not been given up in the log yet. */
  private record Office(int partition, PoolShard shard) {}

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
  Owners(
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
    this.tenures =
        IntStream.range(0, partitions).mapToObj(partition -> new Tenure(instance, run)).toList();
    log.follow(this);
    var unused =
        thread.scheduleWithFixedDelay(
            this::tick, TICK.toMillis(), TICK.toMillis(), TimeUnit.MILLISECONDS);
  }

  /** Who decides for the partition when this instance may not. */
  Owner owner(int partition) {
    return tenures.get(partition).owner(ticker.nowNanos());
  }

  /** The addresses of all others that own a partition now. */
  Set<String> others() {
    long nowNanos = ticker.nowNanos();
    return tenures.stream()
        .map(tenure -> tenure.owner(nowNanos))
        .filter(Owner.Other.class::isInstance)
        .map(owner -> ((Owner.Other) owner).address())
        .collect(Collectors.toUnmodifiableSet());
  }

  /** For how long nothing has been heard of the partition's owner; empty when nothing ever was. */
  OptionalLong silentMs(int partition) {
    return tenures.get(partition).silentMs(ticker.nowNanos());
  }

  void disowned(int partition, Owner.Other owner) {
    tenures.get(partition).disowned(owner);
  }

  void unreachable(int partition, Owner.Other owner) {
    tenures.get(partition).unreachable(owner);
  }

  /** Whether it is known who owns what. */
  boolean isFollowing() {
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
    Tenure tenure = tenures.get(partition);
    Mandate before = tenure.mandate();
    Mandate mandate = new Mandate(shard::decideUntil);
    offices.put(mandate, new Office(partition, shard));
    if (before != null && offices.containsKey(before)) {
      // Its shard is replaced; what it decided must be in the log before ours looks.
      tenure.end(before);
      resigning.execute(
          () -> {
            resign(before);
            stand(tenure, mandate);
          });
    } else {
      stand(tenure, mandate);
    }
    return new Standing(tenure, mandate, partition, shard);
  }

  private void stand(Tenure tenure, Mandate mandate) {
    tenure.stand(mandate);
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
      offices.forEach(
          (mandate, office) -> {
            Tenure tenure = tenures.get(office.partition);
            long nowNanos = ticker.nowNanos();
            complete(tenure.clear(nowNanos));
            OwnerBeat due = tenure.due(address.get(), nowNanos);
            if (due != null) {
              log.send(office.partition, due);
            }
            if (tenure.isLingering(mandate, nowNanos) && tenure.end(mandate)) {
              resignLater(mandate);
            }
          });
    } catch (RuntimeException bug) {
      // An exception would end the schedule, and with it every ownership.
      LOGGER.atError().setCause(bug).log("Ownership was not renewed");
    }
  }

  private static void complete(@Nullable Mandate won) {
    if (won != null) {
      won.won().complete(null);
    }
  }

  @Override
  public void read(int partition, OwnerBeat beat) {
    Tenure tenure = tenures.get(partition);
    Mandate overruled = tenure.read(beat, ticker.nowNanos());
    if (overruled != null) {
      LOGGER
          .atInfo()
          .addKeyValue("partition", partition)
          .addKeyValue("by", beat.instance())
          .log("Another instance owns a partition from now on");
      resignLater(overruled);
    }
    complete(tenure.clear(ticker.nowNanos()));
    CountDownLatch succession = successions.get(partition);
    if (succession != null && owner(partition) instanceof Owner.Other) {
      succession.countDown();
    }
  }

  @Override
  public void following() {
    tenures.forEach(Tenure::following);
    following = true;
    soon();
  }

  @Override
  public void lostTrack() {
    following = false;
    for (Tenure tenure : tenures) {
      Mandate ended = tenure.lostTrack();
      if (ended != null) {
        resignLater(ended);
      }
    }
  }

  private void resignLater(Mandate ended) {
    resigning.execute(() -> resign(ended));
  }

  /** Records the last decisions of a mandate that has ended, and then says so. May wait. */
  private void resign(Mandate ended) {
    Office office = offices.get(ended);
    if (office == null) {
      return;
    }
    Tenure tenure = tenures.get(office.partition);
    try {
      settle.run();
      OwnerBeat last = tenure.resignation(ended, ticker.nowNanos());
      if (last != null && !thread.isShutdown()) {
        thread.execute(() -> log.send(office.partition, last));
      }
    } catch (KafkaException unsettled) {
      LOGGER
          .atWarn()
          .addKeyValue("partition", office.partition)
          .setCause(unsettled)
          .log("The last decisions are not recorded, others wait for the lease");
    }
    offices.remove(ended);
    if (tenure.hasLeft(ended)) {
      shards.remove(office.partition, office.shard);
    }
  }

  /**
   * Gives everything up, and goes on following who owns what.
   *
   * @param successors how long to decide on until others decide what this instance owned; zero when
   *     there is nobody to wait for
   */
  void handOver(Duration successors) throws InterruptedException {
    long untilNanos = ticker.nowNanos() + successors.toNanos();
    for (Office office : List.copyOf(offices.values())) {
      if (!isSucceeded(office.partition, untilNanos)) {
        break;
      }
    }
    offices.forEach(
        (mandate, office) -> {
          if (tenures.get(office.partition).end(mandate)) {
            resignLater(mandate);
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

  private final class Standing implements Claim {
    private final Tenure tenure;
    private final Mandate mandate;
    private final int partition;
    private final PoolShard shard;

    Standing(Tenure tenure, Mandate mandate, int partition, PoolShard shard) {
      this.tenure = tenure;
      this.mandate = mandate;
      this.partition = partition;
      this.shard = shard;
    }

    @Override
    public CompletionStage<Void> won() {
      return mandate.won();
    }

    @Override
    public boolean isUnclean() {
      return tenure.isUnclean(mandate, hidden, ticker.nowNanos());
    }

    @Override
    public void decides() {
      tenure.decides(mandate);
      soon();
    }

    @Override
    public boolean isLost() {
      return tenure.mayStandAgain(mandate, ticker.nowNanos());
    }

    @Override
    public void leave() {
      if (tenure.leave(mandate, ticker.nowNanos())) {
        resignLater(mandate);
      }
      if (!offices.containsKey(mandate)) {
        shards.remove(partition, shard);
      }
    }
  }
}
