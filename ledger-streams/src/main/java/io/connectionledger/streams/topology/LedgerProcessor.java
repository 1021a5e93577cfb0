package io.connectionledger.streams.topology;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.connectionledger.model.LogRateLimiter;
import io.connectionledger.model.Ticker;
import io.connectionledger.model.Topics;
import io.connectionledger.model.UnreadableRecordException;
import io.connectionledger.model.event.LedgerRecord;
import io.connectionledger.model.event.Presence;
import io.connectionledger.model.event.RecordCodec;
import io.connectionledger.streams.ownership.OwnedShards;
import io.connectionledger.streams.ownership.Ownership;
import io.connectionledger.streams.ownership.PoolShard;
import io.connectionledger.streams.rules.state.Changes;
import io.connectionledger.streams.store.PartitionStores;
import java.time.Duration;
import java.util.Arrays;
import java.util.Objects;
import java.util.function.IntFunction;
import java.util.function.Supplier;
import org.apache.kafka.common.header.Headers;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.streams.processor.PunctuationType;
import org.apache.kafka.streams.processor.api.Processor;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.processor.api.RecordMetadata;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Feeds one partition's records to its {@link PoolShard} and writes down what they changed. It
 * exists while this instance has the partition's active task: {@link #init} takes the stored state
 * over, {@link TakeoverBarrier} says when the shard decides, and {@link #close} leaves it to
 * whoever claims it next. Runs on the stream thread alone.
 */
public final class LedgerProcessor implements Processor<String, byte[], String, byte[]> {

  private static final Logger LOGGER = LoggerFactory.getLogger(LedgerProcessor.class);
  private static final Duration WARN_INTERVAL = Duration.ofSeconds(10);

  /** Each is said once of each Envoy, but Envoys may be invented; the readiness has them all. */
  private static final Duration COUNT_WARN_INTERVAL = Duration.ofMillis(200);

  private final IntFunction<PoolShard> emptyShards;
  private final OwnedShards shards;
  private final Ownership ownership;
  private final CatchUp catchUp;
  private final Ticker ticker;
  private final LedgerMetrics metrics;
  private final Changes changes = new Changes();
  private final LogRateLimiter warnings;
  private final LogRateLimiter countWarnings;

  private ProcessorContext<String, byte[]> context;
  private PartitionStores stores;
  private PoolShard shard;
  private TakeoverBarrier barrier;

  @SuppressWarnings("NullAway.Init") // Kafka Streams calls init before anything else
  public LedgerProcessor(
      IntFunction<PoolShard> emptyShards,
      OwnedShards shards,
      Ownership ownership,
      CatchUp catchUp,
      Ticker ticker,
      LedgerMetrics metrics) {
    this.emptyShards = emptyShards;
    this.shards = shards;
    this.ownership = ownership;
    this.catchUp = catchUp;
    this.ticker = ticker;
    this.metrics = metrics;
    this.warnings = new LogRateLimiter(ticker, WARN_INTERVAL);
    this.countWarnings = new LogRateLimiter(ticker, COUNT_WARN_INTERVAL);
  }

  /** Kafka Streams may suspend the task and then init the same processor again. */
  @Override
  public void init(ProcessorContext<String, byte[]> context) {
    this.context = context;
    int partition = context.taskId().partition();
    stores = new PartitionStores(context);
    shard = emptyShards.apply(partition);
    barrier = new TakeoverBarrier(partition, shard, shards, ownership, catchUp, ticker);
    restore(partition);
    context.schedule(TakeoverBarrier.LOOK, PunctuationType.WALL_CLOCK_TIME, timestamp -> tick());
  }

  private void restore(int partition) {
    long startNanos = ticker.nowNanos();
    int count = stores.restore(shard);
    if (count > 0) {
      LOGGER
          .atInfo()
          .addKeyValue("partition", partition)
          .addKeyValue("connections", count)
          .addKeyValue("millis", (ticker.nowNanos() - startNanos) / 1_000_000)
          .log("Restored connections from the local store");
    }
  }

  @Override
  public void process(Record<String, byte[]> record) {
    RecordMetadata source =
        context
            .recordMetadata()
            .orElseThrow(() -> new IllegalStateException("a record without an offset"));
    try {
      apply(record, source);
    } catch (UnreadableRecordException unreadable) {
      deadLetter(record, source, unreadable);
    }
    barrier.applied(source.topic(), source.offset() + 1);
  }

  private void apply(Record<String, byte[]> record, RecordMetadata source)
      throws UnreadableRecordException {
    if (record.value() == null) {
      throw new UnreadableRecordException("the value is missing");
    }
    if (source.topic().equals(Topics.ENVOYS)) {
      Presence presence = RecordCodec.decodePresence(record.value());
      byRules(() -> shard.heard(presence, ticker.nowMs())).forEach(this::store);
      return;
    }
    LedgerRecord value = decode(source.topic(), record);
    changes.clear();
    boolean known;
    try {
      known = byRules(() -> shard.apply(value, changes));
    } catch (UnreadableRecordException failed) {
      // What it changed until then has changed in memory, too.
      store(value.pool(), changes);
      throw failed;
    }
    if (known) {
      stores.count(value, changes.countedOn(), source.offset(), record.timestamp());
      store(value.pool(), changes);
    } else {
      throw new UnreadableRecordException("no policy for pool '" + value.pool() + "'");
    }
  }

  /**
   * The rules touch memory alone: what they throw is a bug of theirs, which the record would bring
   * again, to this thread and to whoever takes over.
   */
  private static <T> T byRules(Supplier<T> rules) throws UnreadableRecordException {
    try {
      return rules.get();
    } catch (RuntimeException bug) {
      LOGGER.atError().setCause(bug).log("The rules failed on a record");
      throw new UnreadableRecordException("the rules failed on it: " + bug, bug);
    }
  }

  private static LedgerRecord decode(String topic, Record<String, byte[]> record)
      throws UnreadableRecordException {
    LedgerRecord value =
        topic.equals(Topics.DECISIONS)
            ? RecordCodec.decodeDecision(record.value())
            : RecordCodec.decodeEvent(record.value());
    if (!value.pool().equals(record.key())) {
      throw new UnreadableRecordException("the key is not the pool of the value");
    }
    return value;
  }

  private void store(String pool, Changes changes) {
    stores.write(pool, changes);
    for (String sentence : changes.warnings()) {
      if (countWarnings.passes()) {
        LOGGER
            .atWarn()
            .addKeyValue("pool", pool)
            .addKeyValue("reason", sentence)
            .log("The counts of a pool do not show all that is open");
      }
    }
    changes
        .givenUp()
        .forEach(
            event ->
                context.forward(
                    new Record<>(pool, RecordCodec.encode(event), ticker.nowMs()),
                    LedgerTopology.GIVEN_UP_SINK));
    metrics.count(pool, changes);
  }

  private void deadLetter(
      Record<String, byte[]> record, RecordMetadata source, UnreadableRecordException why) {
    String origin = source.topic() + '-' + source.partition() + '@' + source.offset();
    if (warnings.passes()) {
      LOGGER
          .atWarn()
          .addKeyValue("source", origin)
          .addKeyValue("reason", why.getMessage())
          .log("Unreadable record sent to the dead letters, others are only counted for a while");
    }
    metrics.deadLetter();
    byte[] value = record.value();
    String reason = Objects.toString(why.getMessage());
    if (value != null && value.length > Topics.MAX_DEAD_LETTER_BYTES) {
      // With its headers it may be larger than what any topic takes.
      reason = "(cut from " + value.length + " bytes) " + reason;
      value = Arrays.copyOf(value, Topics.MAX_DEAD_LETTER_BYTES);
    }
    Headers headers =
        new RecordHeaders()
            .add(Topics.REASON_HEADER, cut(reason).getBytes(UTF_8))
            .add(Topics.SOURCE_HEADER, cut(origin).getBytes(UTF_8));
    context.forward(
        new Record<>(
            record.key() == null ? null : cut(record.key()), value, record.timestamp(), headers),
        LedgerTopology.DEAD_LETTERS_SINK);
  }

  private static String cut(String text) {
    return text.length() <= Topics.MAX_DEAD_LETTER_TEXT
        ? text
        : text.substring(0, Topics.MAX_DEAD_LETTER_TEXT);
  }

  private void tick() {
    shard.tick(ticker.nowMs());
    shard
        .changedPods()
        .forEach(
            (pool, pods) -> {
              shards.changed(pool, pods);
              stores.open(pool, shard.open(pool), ticker.nowMs());
              pods.forEach(
                  pod ->
                      context.forward(
                          PodRecords.of(pool, pod, ticker.nowMs()), LedgerTopology.PODS_SINK));
            });
    barrier.look();
    barrier.contest();
  }

  @Override
  public void close() {
    barrier.leave();
  }
}
