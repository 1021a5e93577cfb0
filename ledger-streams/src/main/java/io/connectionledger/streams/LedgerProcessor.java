package io.connectionledger.streams;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.connectionledger.model.LedgerRecord;
import io.connectionledger.model.PodAddress;
import io.connectionledger.model.Presence;
import io.connectionledger.model.RecordCodec;
import io.connectionledger.model.Ticker;
import io.connectionledger.model.Topics;
import io.connectionledger.model.UnreadableRecordException;
import io.connectionledger.streams.rules.Changes;
import io.connectionledger.streams.rules.StoredCircuitBreaker;
import io.connectionledger.streams.rules.StoredConnection;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.function.IntFunction;
import org.apache.kafka.common.header.Headers;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.processor.PunctuationType;
import org.apache.kafka.streams.processor.api.Processor;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.processor.api.RecordMetadata;
import org.apache.kafka.streams.state.KeyValueIterator;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.WindowStore;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Feeds one partition's records to its {@link PoolShard} and writes down what they changed. It
 * exists while this instance has the partition's active task: {@link #init} takes the stored state
 * over; the ownership is claimed when the task runs; when no other may decide any more, and every
 * record that existed then is applied, the shard speaks; {@link #close} leaves it to whoever claims
 * it next. Runs on the stream thread alone.
 */
final class LedgerProcessor implements Processor<String, byte[], String, byte[]> {

  private static final Logger LOGGER = LoggerFactory.getLogger(LedgerProcessor.class);
  private static final Duration TICK = Duration.ofMillis(100);

  /** How often a new owner looks whether it may decide: a part of the gap between two owners. */
  private static final Duration LOOK = Duration.ofMillis(20);

  /** After so many looks in time, the thread has nothing else to do. */
  private static final int PROMPT_LOOKS = 5;

  /** How long a claim waits for the moment at which it costs least: less than an owner lingers. */
  private static final Duration PATIENCE = Duration.ofSeconds(5);

  /** Between a pool and the node id of an Envoy in the store of the circuits: no pod begins so. */
  private static final String ENVOY = "|@";

  private final IntFunction<PoolShard> emptyShards;
  private final OwnedShards shards;
  private final Ownership ownership;
  private final CatchUp catchUp;
  private final Ticker ticker;
  private final LedgerMetrics metrics;
  private final Changes changes = new Changes();
  private final Map<String, Long> nextOffsets = new HashMap<>();

  private ProcessorContext<String, byte[]> context;
  private KeyValueStore<String, byte[]> connections;
  private KeyValueStore<String, byte[]> circuits;
  private KeyValueStore<String, Long> buckets;
  private WindowStore<String, byte[]> history;
  private PoolShard shard;
  private @Nullable CompletableFuture<Map<String, Long>> backlog;
  private long runningSinceNanos;
  private long lookedNanos;
  private int promptLooks;
  private Ownership.@Nullable Claim claim;
  private CompletableFuture<Map<String, Long>> remaining = new CompletableFuture<>();

  @SuppressWarnings("NullAway.Init") // Kafka Streams calls init before anything else
  LedgerProcessor(
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
  }

  @Override
  public void init(ProcessorContext<String, byte[]> context) {
    this.context = context;
    connections = context.getStateStore(LedgerTopology.CONNECTIONS_STORE);
    circuits = context.getStateStore(LedgerTopology.CIRCUITS_STORE);
    buckets = context.getStateStore(LedgerTopology.BUCKETS_STORE);
    history = context.getStateStore(LedgerTopology.HISTORY_STORE);
    shard = emptyShards.apply(partition());
    shards.announce(shard);
    restore();
    context.schedule(TICK, PunctuationType.WALL_CLOCK_TIME, timestamp -> tick());
    context.schedule(
        LOOK,
        PunctuationType.WALL_CLOCK_TIME,
        timestamp -> {
          if (!shard.isCaughtUp()) {
            look();
          }
        });
  }

  /**
   * Not before the task runs: the owner before decides until it reads the claim, and then nobody
   * does until this one has caught up.
   */
  private void look() {
    if (claim == null) {
      if (!mayClaim()) {
        return;
      }
      claim = ownership.claim(partition(), shard);
      shards.add(partition(), shard);
      remaining = remainingOnceWon(claim);
    }
    checkBarrier(claim);
  }

  /**
   * Between the claim and the end of what there is to read then nobody decides. So while another
   * does, the claim waits until all that is there already is read, and until this thread has done
   * what else came with the assignment, such as opening the stores of other tasks. An instance that
   * still starts leaves the pool where it is: nobody could ask it.
   */
  private boolean mayClaim() {
    long nowNanos = ticker.nowNanos();
    if (backlog == null) {
      backlog = catchUp.remaining(partition()).toCompletableFuture();
      runningSinceNanos = nowNanos;
      lookedNanos = nowNanos;
    }
    promptLooks = nowNanos - lookedNanos > 5 * LOOK.toNanos() ? 0 : promptLooks + 1;
    lookedNanos = nowNanos;
    if (!ownership.isDecidedElsewhere(partition())) {
      return true;
    }
    boolean prompt =
        promptLooks >= PROMPT_LOOKS && (backlog.isCompletedExceptionally() || hasRead(backlog));
    return ownership.isAnswering()
        && (prompt || nowNanos - runningSinceNanos >= PATIENCE.toNanos());
  }

  private boolean hasRead(CompletableFuture<Map<String, Long>> ends) {
    return ends.isDone()
        && ends.resultNow().entrySet().stream()
            .allMatch(end -> nextOffsets.getOrDefault(end.getKey(), 0L) >= end.getValue());
  }

  /** Asked for only then: until then the owner before may add to what there is to read. */
  private CompletableFuture<Map<String, Long>> remainingOnceWon(Ownership.Claim claim) {
    int partition = partition();
    return claim.won().thenCompose(won -> catchUp.remaining(partition)).toCompletableFuture();
  }

  private int partition() {
    return context.taskId().partition();
  }

  private void restore() {
    long startNanos = ticker.nowNanos();
    int count = 0;
    try (KeyValueIterator<String, byte[]> all = connections.all()) {
      while (all.hasNext()) {
        KeyValue<String, byte[]> entry = all.next();
        int separator = entry.key.indexOf('|');
        StoredConnection connection = StoreCodec.connection(entry.value);
        if (separator < 0
            || connection == null
            || !shard.restore(
                entry.key.substring(0, separator),
                entry.key.substring(separator + 1),
                connection)) {
          connections.delete(entry.key);
        } else {
          count++;
        }
      }
    }
    try (KeyValueIterator<String, byte[]> all = circuits.all()) {
      all.forEachRemaining(this::restoreCircuit);
    }
    try (KeyValueIterator<String, Long> all = buckets.all()) {
      all.forEachRemaining(entry -> shard.restoreBucket(entry.key, entry.value));
    }
    if (count > 0) {
      LOGGER
          .atInfo()
          .addKeyValue("partition", partition())
          .addKeyValue("connections", count)
          .addKeyValue("millis", (ticker.nowNanos() - startNanos) / 1_000_000)
          .log("Restored connections from the local store");
    }
  }

  /** An open circuit by its pod, or an interval of heartbeats by its Envoy. */
  private void restoreCircuit(KeyValue<String, byte[]> entry) {
    int separator = entry.key.indexOf('|');
    Long intervalMs = StoreCodec.interval(entry.value);
    if (intervalMs != null) {
      int node = entry.key.indexOf(ENVOY);
      if (node < 0
          || !shard.restoreInterval(
              entry.key.substring(0, node),
              entry.key.substring(node + ENVOY.length()),
              intervalMs)) {
        circuits.delete(entry.key);
      }
      return;
    }
    StoredCircuitBreaker circuit = StoreCodec.circuit(entry.value);
    String written = entry.key.substring(separator + 1);
    // An older version stored every spelling as a pod of its own.
    PodAddress pod =
        PodAddress.find(written).filter(found -> found.toString().equals(written)).orElse(null);
    if (separator < 0
        || circuit == null
        || pod == null
        || !shard.restoreCircuit(entry.key.substring(0, separator), pod, circuit)) {
      circuits.delete(entry.key);
    }
  }

  @Override
  public void process(Record<String, byte[]> record) {
    RecordMetadata source =
        context
            .recordMetadata()
            .orElseThrow(() -> new IllegalStateException("a record without an offset"));
    nextOffsets.put(source.topic(), source.offset() + 1);
    try {
      if (record.value() == null) {
        throw new UnreadableRecordException("the value is missing");
      }
      if (source.topic().equals(Topics.ENVOYS)) {
        Presence presence = RecordCodec.decodePresence(record.value());
        shard.heard(presence, ticker.nowMs()).forEach(this::store);
        return;
      }
      LedgerRecord value = decode(source.topic(), record);
      changes.clear();
      if (shard.apply(value, changes)) {
        History.count(history, value, changes.failedOn(), source.offset(), record.timestamp());
        store(value.pool(), changes);
      } else {
        throw new UnreadableRecordException("no policy for pool '" + value.pool() + "'");
      }
    } catch (UnreadableRecordException unreadable) {
      deadLetter(record, source, unreadable);
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
    changes
        .connections()
        .forEach(
            (id, connection) -> {
              String key = pool + '|' + id;
              if (connection == null) {
                connections.delete(key);
              } else {
                connections.put(key, StoreCodec.connection(connection));
              }
            });
    changes
        .circuits()
        .forEach(
            (pod, circuit) -> {
              String key = pool + '|' + pod;
              if (circuit == null) {
                circuits.delete(key);
              } else {
                circuits.put(key, StoreCodec.circuit(circuit));
              }
            });
    changes
        .intervals()
        .forEach(
            (node, intervalMs) -> {
              String key = pool + ENVOY + node;
              if (intervalMs == null) {
                circuits.delete(key);
              } else {
                circuits.put(key, StoreCodec.interval(intervalMs));
              }
            });
    changes
        .warnings()
        .forEach(
            sentence ->
                LOGGER
                    .atWarn()
                    .addKeyValue("pool", pool)
                    .addKeyValue("reason", sentence)
                    .log("The counts of a pool do not show all that is open"));
    if (changes.bucketArrivalNanos() != 0) {
      buckets.put(pool, changes.bucketArrivalNanos());
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
    LOGGER
        .atWarn()
        .addKeyValue("source", origin)
        .addKeyValue("reason", why.getMessage())
        .log("Unreadable record sent to the dead letters");
    metrics.deadLetter();
    Headers headers =
        new RecordHeaders()
            .add(Topics.REASON_HEADER, Objects.toString(why.getMessage()).getBytes(UTF_8))
            .add(Topics.SOURCE_HEADER, origin.getBytes(UTF_8));
    context.forward(
        new Record<>(record.key(), record.value(), record.timestamp(), headers),
        LedgerTopology.DEAD_LETTERS_SINK);
  }

  private void tick() {
    shard.tick(ticker.nowMs());
    shard
        .changedPods()
        .forEach(
            (pool, pods) -> {
              shards.changed(pool, pods);
              pods.forEach(
                  pod ->
                      context.forward(
                          PodRecords.of(pool, pod, ticker.nowMs()), LedgerTopology.PODS_SINK));
            });
    if (claim != null && claim.isLost()) {
      shard.behind();
      claim = ownership.claim(partition(), shard);
      remaining = remainingOnceWon(claim);
    }
  }

  private void checkBarrier(Ownership.Claim claim) {
    if (remaining.isCompletedExceptionally()) {
      LOGGER
          .atWarn()
          .addKeyValue("partition", partition())
          .setCause(remaining.exceptionNow())
          .log("Kafka did not say how far to catch up, asking again");
      remaining = remainingOnceWon(claim);
    } else if (hasRead(remaining)) {
      if (claim.isUnclean()) {
        shard.reserveHeadroom(ticker.nowMs());
      }
      shard.caughtUp();
      claim.decides();
      LOGGER.atDebug().addKeyValue("partition", partition()).log("Caught up, deciding from now on");
    }
  }

  @Override
  public void close() {
    if (claim == null) {
      shards.remove(partition(), shard);
    } else {
      claim.leave();
      // Kafka Streams may suspend the task and then init the same processor again.
      claim = null;
      remaining = new CompletableFuture<>();
    }
    backlog = null;
    promptLooks = 0;
  }
}
