package io.connectionledger.streams;

import io.connectionledger.model.RejectionReason;
import io.connectionledger.model.Ticker;
import io.connectionledger.model.Topics;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.binder.kafka.KafkaStreamsMetrics;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Properties;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StoreQueryParameters;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.errors.InvalidStateStoreException;
import org.apache.kafka.streams.errors.ProcessorStateException;
import org.apache.kafka.streams.errors.StreamsUncaughtExceptionHandler.StreamThreadExceptionResponse;
import org.apache.kafka.streams.state.QueryableStoreTypes;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The running topology that fills a {@link LocalLedger}. When its local state cannot be read, it
 * leaves that state behind and restores another from the changelogs. Thread-safe.
 */
public final class LedgerStreams implements AutoCloseable {

  private static final Logger LOGGER = LoggerFactory.getLogger(LedgerStreams.class);
  private static final String APPLICATION_ID = "connection-ledger";
  private static final Duration STOP_TIMEOUT = Duration.ofSeconds(20);

  private final Settings settings;
  private final LocalLedger ledger;
  private final Ticker ticker;
  private final MeterRegistry registry;
  private final LedgerMetrics metrics;
  private final Admin admin;
  private final CatchUp catchUp;
  private final StateGenerations state;
  private volatile KafkaStreams streams;
  private KafkaStreamsMetrics streamsMetrics;
  private boolean closed;

  /**
   * What a {@link LedgerStreams} is made of.
   *
   * @param kafka client settings with the bootstrap servers; keys of Kafka Streams win over ours
   * @param stateDir where the stores live; ours alone, one process at a time
   * @param instanceId the same after each restart of this instance: Kafka hands its partitions back
   *     without a rebalance
   */
  public record Settings(Map<String, Object> kafka, Path stateDir, String instanceId) {}

  /** Wires the topology; {@link #start} runs it. */
  public LedgerStreams(
      Settings settings, LocalLedger ledger, Ticker ticker, MeterRegistry registry) {
    this.settings = settings;
    this.ledger = ledger;
    this.ticker = ticker;
    this.registry = registry;
    metrics = new LedgerMetrics(registry);
    ledger.pools().forEach(metrics::pool);
    admin = Admin.create(settings.kafka());
    catchUp =
        new KafkaCatchUp(
            admin, APPLICATION_ID, List.of(Topics.CONNECTIONS, Topics.DECISIONS, Topics.ENVOYS));
    state = new StateGenerations(settings.stateDir());
    streams = wire();
    streamsMetrics = new KafkaStreamsMetrics(streams);
  }

  private KafkaStreams wire() {
    KafkaStreams wired =
        new KafkaStreams(
            LedgerTopology.build(
                () ->
                    new LedgerProcessor(
                        ledger::emptyShard, ledger.shards(), catchUp, ticker, metrics)),
            properties(settings, state.current()));
    wired.setUncaughtExceptionHandler(failure -> failed(wired, failure));
    return wired;
  }

  private static Properties properties(Settings settings, Path stateDir) {
    Properties p = new Properties();
    p.put(StreamsConfig.APPLICATION_ID_CONFIG, APPLICATION_ID);
    p.put(StreamsConfig.STATE_DIR_CONFIG, stateDir.toString());
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

  private StreamThreadExceptionResponse failed(KafkaStreams failed, Throwable failure) {
    if (!isOfState(failure)) {
      LOGGER.atError().setCause(failure).log("Stream thread failed, starting another");
      return StreamThreadExceptionResponse.REPLACE_THREAD;
    }
    // Not by this thread, which the shutdown waits for.
    Thread.ofPlatform().daemon().name("state-rebuild").start(() -> rebuild(failed, failure));
    return StreamThreadExceptionResponse.SHUTDOWN_CLIENT;
  }

  private static boolean isOfState(Throwable failure) {
    for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
      if (cause instanceof ProcessorStateException) {
        return true;
      }
    }
    return false;
  }

  private synchronized void rebuild(KafkaStreams failed, Throwable failure) {
    if (!closed && streams.equals(failed)) {
      leaveState(failure);
      begin();
    }
  }

  private void leaveState(Throwable failure) {
    LOGGER
        .atError()
        .addKeyValue("directory", state.current())
        .setCause(failure)
        .log("The local state cannot be read, restoring another from the changelogs");
    stop();
    state.next();
    streams = wire();
    streamsMetrics = new KafkaStreamsMetrics(streams);
  }

  /** Starts it; {@link Ledger#ready} tells when it has caught up. */
  public synchronized void start() {
    ledger.runBy(new Topology());
    try {
      begin();
    } catch (ProcessorStateException failed) {
      // Kafka Streams opens here what it finds on disk, and the rest when it gets the partitions.
      leaveState(failed);
      begin();
    }
  }

  private void begin() {
    streamsMetrics.bindTo(registry);
    streams.start();
  }

  private void stop() {
    streamsMetrics.close();
    if (!streams.close(STOP_TIMEOUT)) {
      LOGGER.atWarn().addKeyValue("timeout", STOP_TIMEOUT).log("Streams did not stop in time");
    }
  }

  /** Stops the topology and hands its partitions back; state stays on disk. */
  @Override
  public synchronized void close() {
    closed = true;
    stop();
    admin.close(Duration.ofSeconds(5));
  }

  private final class Topology implements LocalLedger.Running {

    @Override
    public boolean isRunning() {
      return streams.state() == KafkaStreams.State.RUNNING;
    }

    @Override
    public String state() {
      return streams.state().name();
    }

    @Override
    public Optional<Map<Window, Map<RejectionReason, Long>>> rejections(String pool) {
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
  }
}
