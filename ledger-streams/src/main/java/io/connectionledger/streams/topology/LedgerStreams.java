package io.connectionledger.streams.topology;

import io.connectionledger.model.Ticker;
import io.connectionledger.model.Topics;
import io.connectionledger.streams.PoolQueries;
import io.connectionledger.streams.local.LocalLedger;
import io.connectionledger.streams.ownership.KafkaOwnerLog;
import io.connectionledger.streams.ownership.OwnershipManager;
import io.connectionledger.streams.query.StandbyLag;
import io.connectionledger.streams.query.StoreReads;
import io.connectionledger.streams.store.PartitionStores;
import io.connectionledger.streams.store.RocksDbMemory;
import io.micrometer.core.instrument.MeterRegistry;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Properties;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Supplier;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.DescribeConsumerGroupsOptions;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.common.Metric;
import org.apache.kafka.common.MetricName;
import org.apache.kafka.common.config.TopicConfig;
import org.apache.kafka.streams.CloseOptions.GroupMembershipOperation;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.Topology;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The running topology that fills a {@link LocalLedger}, and this instance's part in who owns which
 * partition. Thread-safe.
 */
public final class LedgerStreams implements AutoCloseable {

  /** The consumer group, and what the names of the internal topics begin with. */
  public static final String APPLICATION_ID = "connection-ledger";

  /** The internal topics: what the stores are restored from. */
  public static final List<String> CHANGELOGS =
      PartitionStores.ALL.stream()
          .map(store -> APPLICATION_ID + '-' + store + "-changelog")
          .toList();

  private static final Logger LOGGER = LoggerFactory.getLogger(LedgerStreams.class);
  private static final Duration HAND_OVER_TIMEOUT = Duration.ofSeconds(8);
  private static final int DESCRIBE_TIMEOUT_MS = 2_000;
  private static final int COMMIT_INTERVAL_MS = 1_000;

  private final Settings settings;
  private final LocalLedger ledger;
  private final Ticker ticker;
  private final LedgerMetrics metrics;
  private final Admin admin;
  private final CatchUp catchUp;
  private final OwnershipManager owners;
  private final StandbyLag standbyLag;
  private final RestorableStreams streams;
  private boolean stopped;
  private boolean alone;

  /**
   * What a {@link LedgerStreams} is made of.
   *
   * @param kafka client settings with the bootstrap servers; keys of Kafka Streams win over ours
   * @param stateDir where the stores live; ours alone, one process at a time
   * @param replication of the changelogs
   * @param minInSyncReplicas on how many brokers what they have must be
   * @param instanceId the same after each restart of this instance: Kafka hands its partitions back
   *     without a rebalance
   */
  public record Settings(
      Map<String, Object> kafka,
      Path stateDir,
      int replication,
      int minInSyncReplicas,
      String instanceId) {}

  /**
   * What it needs of the instance's other parts.
   *
   * @param address where this instance answers others, host:port; empty while it does not. Safe for
   *     any thread
   * @param settle returns when all decisions made before are recorded; may wait
   * @param fast whether decisions may be answered before they are recorded
   */
  public record Surroundings(Supplier<String> address, Runnable settle, boolean fast) {}

  /** Wires the topology; {@link #start} runs it. */
  public LedgerStreams(
      Settings settings,
      LocalLedger ledger,
      Surroundings surroundings,
      Ticker ticker,
      MeterRegistry registry) {
    this.settings = settings;
    this.ledger = ledger;
    this.ticker = ticker;
    metrics = new LedgerMetrics(registry);
    ledger.ledger().routing().pools().forEach(metrics::pool);
    metrics.partitions(() -> ledger.shards().deciding(ticker.nowNanos()));
    admin = Admin.create(settings.kafka());
    catchUp =
        new KafkaCatchUp(
            admin, APPLICATION_ID, List.of(Topics.CONNECTIONS, Topics.DECISIONS, Topics.ENVOYS));
    standbyLag = new StandbyLag(ticker);
    owners =
        new OwnershipManager(
            settings.instanceId(),
            ledger.partitions(),
            ledger.shards(),
            ticker,
            new KafkaOwnerLog(settings.kafka(), ledger.partitions(), ticker, registry),
            surroundings.address(),
            surroundings.settle(),
            surroundings.fast() ? ledger.terms().maxUnseen() : Duration.ZERO);
    streams =
        new RestorableStreams(settings.stateDir(), this::wire, registry, ticker, this::fillLedger);
    fillLedger();
  }

  private void fillLedger() {
    ledger.runBy(
        new StoreReads(() -> streams.current(), owners, standbyLag, COMMIT_INTERVAL_MS, ticker),
        owners);
  }

  private KafkaStreams wire(Path stateDir) {
    KafkaStreams wired =
        new MeasuredStreams(
            LedgerTopology.build(
                () ->
                    new LedgerProcessor(
                        ledger::emptyShard, ledger.shards(), owners, catchUp, ticker, metrics),
                ticker),
            properties(settings, stateDir));
    wired.setStandbyUpdateListener(standbyLag);
    return wired;
  }

  private static Properties properties(Settings settings, Path stateDir) {
    Properties p = new Properties();
    p.put(StreamsConfig.APPLICATION_ID_CONFIG, APPLICATION_ID);
    p.put(StreamsConfig.STATE_DIR_CONFIG, stateDir.toString());
    p.put(StreamsConfig.PROCESSING_GUARANTEE_CONFIG, StreamsConfig.AT_LEAST_ONCE);
    // Bounds what is read again after a crash; every record may come twice, so it is only time.
    p.put(StreamsConfig.COMMIT_INTERVAL_MS_CONFIG, COMMIT_INTERVAL_MS);
    p.put(StreamsConfig.REPLICATION_FACTOR_CONFIG, settings.replication());
    p.put(
        StreamsConfig.topicPrefix(TopicConfig.MIN_IN_SYNC_REPLICAS_CONFIG),
        settings.minInSyncReplicas());
    // Whoever takes over restores what its standby lacks, not everything.
    p.put(StreamsConfig.NUM_STANDBY_REPLICAS_CONFIG, 1);
    // How late a tick may be when no record comes.
    p.put(StreamsConfig.POLL_MS_CONFIG, (int) TakeoverBarrier.LOOK.toMillis());
    p.put(StreamsConfig.ROCKSDB_CONFIG_SETTER_CLASS_CONFIG, RocksDbMemory.class);
    p.put(StreamsConfig.ENSURE_EXPLICIT_INTERNAL_RESOURCE_NAMING_CONFIG, true);
    p.put(StreamsConfig.mainConsumerPrefix(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG), "earliest");
    p.put(
        StreamsConfig.mainConsumerPrefix(ConsumerConfig.GROUP_INSTANCE_ID_CONFIG),
        settings.instanceId());
    // The broker's smallest default: how long a dead owner's partitions stay without one.
    p.put(StreamsConfig.mainConsumerPrefix(ConsumerConfig.SESSION_TIMEOUT_MS_CONFIG), 6_000);
    p.put(StreamsConfig.mainConsumerPrefix(ConsumerConfig.HEARTBEAT_INTERVAL_MS_CONFIG), 500);
    p.putAll(settings.kafka());
    return p;
  }

  /** Whether other instances run already; false when Kafka does not say. */
  public boolean hasOthers() {
    return !others().isEmpty();
  }

  /** Starts it; {@link PoolQueries#ready} tells when it has caught up. */
  public void start() {
    streams.start();
  }

  /**
   * Stops the topology; state stays on disk. Where there are other instances its partitions are
   * handed over to them: checks are decided until they claim them, and when this returns they
   * decide, and are known here. A lone instance keeps its membership, so that it gets its
   * partitions back at once when it comes back. Idempotent.
   *
   * @return whether there are others
   */
  public synchronized boolean handOver() {
    if (stopped) {
      return !alone;
    }
    stopped = true;
    alone = others().isEmpty();
    streams.stop(
        alone ? GroupMembershipOperation.REMAIN_IN_GROUP : GroupMembershipOperation.LEAVE_GROUP);
    try {
      owners.handOver(alone ? Duration.ZERO : HAND_OVER_TIMEOUT);
    } catch (InterruptedException stopping) {
      Thread.currentThread().interrupt();
    }
    return !alone;
  }

  /**
   * {@link #handOver}, and the end of what is left: who owns what is not known any more.
   * Idempotent.
   */
  @Override
  public synchronized void close() {
    handOver();
    owners.close();
    admin.close(Duration.ofSeconds(5));
  }

  /** The members of other instances; none when Kafka does not say. */
  private List<String> others() {
    try {
      return Objects.requireNonNull(
              admin
                  .describeConsumerGroups(
                      List.of(APPLICATION_ID),
                      new DescribeConsumerGroupsOptions().timeoutMs(DESCRIBE_TIMEOUT_MS))
                  .describedGroups()
                  .get(APPLICATION_ID))
          .get(DESCRIBE_TIMEOUT_MS, TimeUnit.MILLISECONDS)
          .members()
          .stream()
          .map(member -> member.groupInstanceId().orElse(""))
          .filter(id -> !id.startsWith(settings.instanceId()))
          .toList();
    } catch (ExecutionException | TimeoutException unknown) {
      LOGGER.atDebug().setCause(unknown).log("Kafka does not say whether there are others");
      return List.of();
    } catch (InterruptedException stopping) {
      Thread.currentThread().interrupt();
      return List.of();
    }
  }

  /**
   * Does without the metrics of the stores: some ask RocksDB, and one that is read while its store
   * closes, as stores do when partitions move, ends the process.
   */
  private static final class MeasuredStreams extends KafkaStreams {

    MeasuredStreams(Topology topology, Properties properties) {
      super(topology, properties);
    }

    @Override
    public Map<MetricName, ? extends Metric> metrics() {
      Map<MetricName, Metric> metrics = new HashMap<>(super.metrics());
      metrics.keySet().removeIf(name -> name.group().equals("stream-state-metrics"));
      return metrics;
    }
  }
}
