package io.connectionledger.streams;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.connectionledger.model.Decision;
import io.connectionledger.model.PoolPolicy;
import io.connectionledger.model.PoolReadiness;
import io.connectionledger.model.PoolView;
import io.connectionledger.model.RejectionReason;
import io.connectionledger.model.Ticker;
import io.connectionledger.model.Topics;
import io.connectionledger.streams.rules.LeaseTerms;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.binder.kafka.KafkaStreamsMetrics;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Properties;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.common.utils.Utils;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StoreQueryParameters;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.errors.InvalidStateStoreException;
import org.apache.kafka.streams.errors.StreamsUncaughtExceptionHandler.StreamThreadExceptionResponse;
import org.apache.kafka.streams.state.QueryableStoreTypes;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The running topology, and the {@link Ledger} that it makes of this instance. Thread-safe. */
public final class LedgerStreams implements Ledger, AutoCloseable {

  private static final Logger LOGGER = LoggerFactory.getLogger(LedgerStreams.class);
  private static final String APPLICATION_ID = "connection-ledger";
  private static final Duration STOP_TIMEOUT = Duration.ofSeconds(20);

  private final Map<String, PoolPolicy> policies;
  private final LeaseTerms terms;
  private final Map<String, Integer> partitionOf = new ConcurrentHashMap<>();
  private final OwnedShards shards = new OwnedShards();
  private final Ticker ticker;
  private final Admin admin;
  private final KafkaStreams streams;
  private final KafkaStreamsMetrics streamsMetrics;

  /**
   * What a {@link LedgerStreams} is made of.
   *
   * @param kafka client settings with the bootstrap servers; keys of Kafka Streams win over ours
   * @param partitions of every topic of the ledger
   * @param stateDir where the stores live; one process at a time
   * @param instanceId the same after each restart of this instance: Kafka hands its partitions back
   *     without a rebalance
   */
  public record Settings(
      Map<String, Object> kafka, int partitions, Path stateDir, String instanceId) {}

  /** Wires the topology; {@link #start} runs it. */
  public LedgerStreams(
      Settings settings,
      Map<String, PoolPolicy> policies,
      LeaseTerms terms,
      Ticker ticker,
      MeterRegistry registry) {
    this.policies = Collections.unmodifiableMap(new TreeMap<>(policies));
    this.terms = terms;
    this.ticker = ticker;
    LedgerMetrics metrics = new LedgerMetrics(registry);
    Map<Integer, List<PoolPolicy>> byPartition = new ConcurrentHashMap<>();
    for (PoolPolicy policy : policies.values()) {
      int partition = partitionOf(policy.pool(), settings.partitions());
      partitionOf.put(policy.pool(), partition);
      byPartition.merge(
          partition, List.of(policy), (a, b) -> Stream.concat(a.stream(), b.stream()).toList());
      metrics.pool(policy.pool());
    }
    admin = Admin.create(settings.kafka());
    CatchUp catchUp =
        new KafkaCatchUp(
            admin, APPLICATION_ID, List.of(Topics.CONNECTIONS, Topics.DECISIONS, Topics.ENVOYS));
    streams =
        new KafkaStreams(
            LedgerTopology.build(
                () ->
                    new LedgerProcessor(
                        partition -> byPartition.getOrDefault(partition, List.of()),
                        terms,
                        shards,
                        catchUp,
                        ticker,
                        metrics)),
            properties(settings));
    streams.setUncaughtExceptionHandler(LedgerStreams::replaceThread);
    streamsMetrics = new KafkaStreamsMetrics(streams);
    streamsMetrics.bindTo(registry);
  }

  /** The partition that Kafka's default partitioner gives to the key {@code pool}. */
  private static int partitionOf(String pool, int partitions) {
    return Utils.toPositive(Utils.murmur2(pool.getBytes(UTF_8))) % partitions;
  }

  private static Properties properties(Settings settings) {
    Properties p = new Properties();
    p.put(StreamsConfig.APPLICATION_ID_CONFIG, APPLICATION_ID);
    p.put(StreamsConfig.STATE_DIR_CONFIG, settings.stateDir().toString());
    p.put(StreamsConfig.PROCESSING_GUARANTEE_CONFIG, StreamsConfig.AT_LEAST_ONCE);
    // Bounds what is read again after a crash; every record may come twice, so it is only time.
    p.put(StreamsConfig.COMMIT_INTERVAL_MS_CONFIG, 1_000);
    // Records may come in any order, so no topic has to wait for the other. Looking whether one
    // must costs a tenth of the stream thread's time.
    p.put(StreamsConfig.MAX_TASK_IDLE_MS_CONFIG, StreamsConfig.MAX_TASK_IDLE_MS_DISABLED);
    p.put(StreamsConfig.ENSURE_EXPLICIT_INTERNAL_RESOURCE_NAMING_CONFIG, true);
    p.put(StreamsConfig.mainConsumerPrefix(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG), "earliest");
    p.put(
        StreamsConfig.mainConsumerPrefix(ConsumerConfig.GROUP_INSTANCE_ID_CONFIG),
        settings.instanceId());
    // The broker's smallest default: how long a dead owner's partitions stay without one.
    p.put(StreamsConfig.mainConsumerPrefix(ConsumerConfig.SESSION_TIMEOUT_MS_CONFIG), 6_000);
    p.put(StreamsConfig.mainConsumerPrefix(ConsumerConfig.HEARTBEAT_INTERVAL_MS_CONFIG), 1_500);
    p.putAll(settings.kafka());
    return p;
  }

  private static StreamThreadExceptionResponse replaceThread(Throwable failure) {
    LOGGER.atError().setCause(failure).log("Stream thread failed, starting another");
    return StreamThreadExceptionResponse.REPLACE_THREAD;
  }

  /** Starts it; {@link #ready} tells when it has caught up. */
  public void start() {
    streams.start();
  }

  @Override
  public Decision decide(String pool) {
    long nowNanos = ticker.nowNanos();
    Integer partition = partitionOf.get(pool);
    if (partition == null) {
      return Rejections.of(pool, RejectionReason.UNKNOWN_POOL, nowNanos, null);
    }
    PoolShard shard = shards.get(partition);
    Decision decision = shard == null ? null : shard.decide(pool, nowNanos);
    return decision != null ? decision : noOwner(pool, nowNanos);
  }

  private Decision noOwner(String pool, long nowNanos) {
    PoolPolicy policy = policies.get(pool);
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
  public void rehearse(Consumer<List<String>> checks) {
    List<PoolPolicy> pools = Rehearsal.pools();
    PoolShard shard = new PoolShard(pools, terms, ticker.nowMs());
    shard.caughtUp();
    shards.add(Rehearsal.PARTITION, shard);
    List<String> names = pools.stream().map(PoolPolicy::pool).toList();
    names.forEach(name -> partitionOf.put(name, Rehearsal.PARTITION));
    try {
      Rehearsal.replay(shard, names, ticker.nowNanos());
      checks.accept(names);
    } finally {
      names.forEach(partitionOf::remove);
      shards.remove(Rehearsal.PARTITION, shard);
    }
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
  public Optional<PoolReadiness> readiness(String pool) {
    return Optional.ofNullable(shard(pool)).flatMap(shard -> shard.readiness(pool, ticker.nowMs()));
  }

  private @Nullable PoolShard shard(String pool) {
    Integer partition = partitionOf.get(pool);
    return partition == null ? null : shards.get(partition);
  }

  @Override
  public Optional<Map<Window, Map<RejectionReason, Long>>> rejections(String pool) {
    if (shard(pool) == null) {
      return Optional.empty();
    }
    try {
      return Optional.of(
          History.rejections(
              streams.store(
                  StoreQueryParameters.fromNameAndType(
                      LedgerTopology.HISTORY_STORE,
                      QueryableStoreTypes.<String, byte[]>windowStore())),
              pool,
              ticker.nowMs()));
    } catch (InvalidStateStoreException moving) {
      LOGGER.atDebug().setCause(moving).log("History not available while partitions move");
      return Optional.empty();
    }
  }

  @Override
  public boolean ready() {
    return streams.state() == KafkaStreams.State.RUNNING
        && shards.all().stream().allMatch(PoolShard::isCaughtUp);
  }

  @Override
  public String status() {
    if (ready()) {
      return "ready";
    }
    long behind = shards.all().stream().filter(shard -> !shard.isCaughtUp()).count();
    return "streams are " + streams.state() + ", " + behind + " partitions are catching up";
  }

  /** Stops the topology and hands its partitions back; state stays on disk. */
  @Override
  public void close() {
    streamsMetrics.close();
    boolean stopped = streams.close(STOP_TIMEOUT);
    if (!stopped) {
      LOGGER.atWarn().addKeyValue("timeout", STOP_TIMEOUT).log("Streams did not stop in time");
    }
    admin.close(Duration.ofSeconds(5));
  }
}
