package io.connectionledger.streams.topology;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.connectionledger.model.PodAddress;
import io.connectionledger.model.Topics;
import io.connectionledger.model.event.ConnectionEvent;
import io.connectionledger.model.event.Decision;
import io.connectionledger.model.event.Presence;
import io.connectionledger.model.event.RecordCodec;
import io.connectionledger.model.policy.Pod;
import io.connectionledger.model.policy.PoolPolicy;
import io.connectionledger.streams.ownership.OwnedShards;
import io.connectionledger.streams.ownership.PoolShard;
import io.connectionledger.streams.ownership.UndisputedOwnership;
import io.connectionledger.streams.rules.lease.LeaseTerms;
import io.connectionledger.streams.store.PartitionStores;
import io.connectionledger.testkit.ManualTicker;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.Stream;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;
import org.apache.kafka.streams.TestInputTopic;
import org.apache.kafka.streams.TopologyTestDriver;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.WindowStore;
import org.apache.kafka.streams.test.TestRecord;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Whatever a record holds, it ends in the dead letters, and the next one is read. */
class PoisonRecordsTest {

  private static final String POOL = "chat";
  private static final PodAddress POD = PodAddress.parse("10.0.0.1:80");

  @TempDir Path stateDir;

  private final ManualTicker ticker = new ManualTicker();
  private final OwnedShards shards = new OwnedShards();

  /** Whether what is asked for the time next fails. */
  private final AtomicBoolean bug = new AtomicBoolean();

  private TopologyTestDriver driver;

  @BeforeEach
  void start() {
    PoolPolicy policy =
        new PoolPolicy(
            POOL,
            1,
            1,
            2,
            PoolPolicy.Mode.ENFORCE,
            PoolPolicy.OnOwnerLoss.DENY,
            List.of(new Pod("pod-1", POD)));
    LeaseTerms terms = new LeaseTerms(Duration.ofSeconds(10), 3, Duration.ofSeconds(15));
    LedgerMetrics metrics = new LedgerMetrics(new SimpleMeterRegistry());
    driver =
        TestTopology.run(
            () ->
                new LedgerProcessor(
                    partition -> new PoolShard(List.of(policy), terms, ticker.nowMs()),
                    shards,
                    new UndisputedOwnership(shards),
                    partition -> CompletableFuture.completedFuture(Map.of()),
                    this::nowNanos,
                    metrics),
            stateDir,
            ticker);
    driver.advanceWallClockTime(Duration.ofMillis(100));
  }

  @AfterEach
  void stop() {
    driver.close();
  }

  private long nowNanos() {
    if (bug.getAndSet(false)) {
      throw new IllegalStateException("a bug");
    }
    return ticker.nowNanos();
  }

  private TestInputTopic<String, byte[]> topic(String name) {
    return driver.createInputTopic(name, new StringSerializer(), new ByteArraySerializer());
  }

  private List<TestRecord<String, byte[]>> deadLetters() {
    return driver
        .createOutputTopic(
            Topics.DEAD_LETTERS, new StringDeserializer(), new ByteArrayDeserializer())
        .readRecordsToList();
  }

  private int active() {
    return Objects.requireNonNull(shards.get(0)).view(POOL, ticker.nowMs()).orElseThrow().active();
  }

  private void open(String id) {
    topic(Topics.CONNECTIONS)
        .pipeInput(
            POOL,
            RecordCodec.encode(
                new ConnectionEvent.Opened(POOL, id, POD, "envoy-1", 1, ticker.nowMs())),
            Instant.ofEpochMilli(ticker.nowMs()));
  }

  static Stream<Arguments> poison() {
    String alive = "{'type':'alive','pool':'chat','envoy':'envoy-1','atMs':7,'pods':";
    String opened = "{'type':'opened','pool':'chat','connection':'c1','pod':'10.0.0.1:80',";
    return Stream.of(
        Arguments.of(Topics.CONNECTIONS, alive + "{'10.0.0.1:80':null}}"),
        Arguments.of(Topics.CONNECTIONS, alive + "{'10.0.0.1:80':[null]}}"),
        Arguments.of(Topics.CONNECTIONS, alive + "{'10.0.0.1:80':['no id!']}}"),
        Arguments.of(Topics.CONNECTIONS, opened + "'envoy':'','startedAtMs':1,'atMs':7}"),
        Arguments.of(Topics.CONNECTIONS, opened + "'envoy':'a\\nb','startedAtMs':1,'atMs':7}"),
        Arguments.of(
            Topics.CONNECTIONS,
            opened + "'envoy':'" + "e".repeat(257) + "','startedAtMs':1,'atMs':7}"),
        Arguments.of(
            Topics.CONNECTIONS,
            opened + "'envoy':'e','startedAtMs':1,'atMs':" + Long.MAX_VALUE + "}"),
        Arguments.of(Topics.CONNECTIONS, opened + "'envoy':'e','startedAtMs':1,'atMs':-1}"),
        Arguments.of(Topics.CONNECTIONS, "{'a':" + "[".repeat(100_000)),
        Arguments.of(
            Topics.DECISIONS,
            "{'type':'allowed','pool':'chat','id':'c1','pod':'10.0.0.1:80','bucketNanos':-1,'atMs':7}"),
        Arguments.of(
            Topics.DECISIONS,
            "{'type':'allowed','pool':'chat','id':'c1','pod':'10.0.0.1:80','bucketNanos':0,'atMs':7,"
                + "'listener':'"
                + "l".repeat(300)
                + "'}"),
        Arguments.of(Topics.ENVOYS, "{'ingest':'i','envoys':{'e':null},'atMs':7}"),
        Arguments.of(Topics.ENVOYS, "{'ingest':'i','envoys':{'a\\nb':1},'atMs':7}"),
        Arguments.of(Topics.ENVOYS, "{'ingest':'i','envoys':{},'atMs':" + Long.MIN_VALUE + "}"),
        Arguments.of(Topics.ENVOYS, "{'ingest':'i','envoys':{},'atMs':7,'problems':[null]}"));
  }

  @ParameterizedTest
  @MethodSource("poison")
  void shouldEndInTheDeadLetters(String topic, String json) {
    byte[] value = json.replace('\'', '"').getBytes(UTF_8);

    topic(topic).pipeInput(POOL, value, Instant.ofEpochMilli(ticker.nowMs()));
    open("next");

    assertThat(deadLetters()).hasSize(1);
    assertThat(active()).isEqualTo(1);
  }

  /** Nobody can know a record that does it: whoever does makes it a test above. */
  @Test
  void shouldEndInTheDeadLettersWhenTheRulesFailOnIt() {
    byte[] presence = RecordCodec.encode(new Presence("ingest", Map.of(), ticker.nowMs()));

    bug.set(true);
    topic(Topics.ENVOYS).pipeInput(POOL, presence, Instant.ofEpochMilli(ticker.nowMs()));
    open("next");

    TestRecord<String, byte[]> letter = deadLetters().getFirst();
    assertThat(letter.value()).isEqualTo(presence);
    assertThat(new String(letter.headers().lastHeader(Topics.REASON_HEADER).value(), UTF_8))
        .isEqualTo("the rules failed on it: java.lang.IllegalStateException: a bug");
    assertThat(active()).isEqualTo(1);
  }

  /** Jackson takes it for UTF-32 and finds no character there, which is no JSON exception. */
  @Test
  void shouldEndInTheDeadLettersWhenItIsInNoCharacterSet() {
    byte[] value = {0, 0, 0, '{', 0x7f, 0x7f, 0x7f, 0x7f};

    topic(Topics.CONNECTIONS).pipeInput(POOL, value, Instant.ofEpochMilli(ticker.nowMs()));
    open("next");

    assertThat(deadLetters()).hasSize(1);
    assertThat(active()).isEqualTo(1);
  }

  /** With what says why it is one, it would not fit where the record did. */
  @Test
  void shouldCutADeadLetter() {
    String key = "k".repeat(500_000);

    topic(Topics.CONNECTIONS)
        .pipeInput(key, new byte[1_000_000], Instant.ofEpochMilli(ticker.nowMs()));

    TestRecord<String, byte[]> letter = deadLetters().getFirst();
    assertThat(letter.value()).hasSize(Topics.MAX_DEAD_LETTER_BYTES);
    assertThat(letter.key()).hasSizeLessThanOrEqualTo(Topics.MAX_DEAD_LETTER_TEXT);
    assertThat(new String(letter.headers().lastHeader(Topics.REASON_HEADER).value(), UTF_8))
        .hasSizeLessThanOrEqualTo(Topics.MAX_DEAD_LETTER_TEXT)
        .contains("1000000");
  }

  /**
   * It would move the stores' time, and the counts of the last hour would be dropped as too old.
   */
  @Test
  void shouldCountByItsOwnClockWhatComesFromTheFuture() {
    open("before");
    byte[] event =
        RecordCodec.encode(
            new ConnectionEvent.Opened(POOL, "later", POD, "envoy-1", 1, ticker.nowMs()));

    topic(Topics.CONNECTIONS)
        .pipeInput(POOL, event, Instant.ofEpochMilli(ticker.nowMs()).plus(Duration.ofDays(400)));
    open("after");

    // One of the pool and one of the pod, in two buckets; and what is open.
    assertThat(historyRecords()).isEqualTo(5);
  }

  private int historyRecords() {
    WindowStore<String, byte[]> history = driver.getWindowStore(PartitionStores.HISTORY);
    int count = 0;
    try (var all = history.all()) {
      while (all.hasNext()) {
        all.next();
        count++;
      }
    }
    return count;
  }

  @Test
  void shouldNotRunDryForADecisionThatLeftTheBucketEmptyForEver() {
    byte[] json =
        RecordCodec.encode(new Decision.Allowed(POOL, "c1", POD, Long.MAX_VALUE, ticker.nowMs()));

    topic(Topics.DECISIONS).pipeInput(POOL, json, Instant.ofEpochMilli(ticker.nowMs()));
    Objects.requireNonNull(shards.get(0)).decide(POOL, ticker.nowNanos());
    ticker.advance(Duration.ofSeconds(1));

    assertThat(Objects.requireNonNull(shards.get(0)).decide(POOL, ticker.nowNanos()))
        .isInstanceOf(Decision.Allowed.class);
  }

  @Test
  void shouldForgetStoredBytesThatAreNotItsOwn() {
    KeyValueStore<String, byte[]> connections =
        driver.getKeyValueStore(PartitionStores.CONNECTIONS);
    KeyValueStore<String, byte[]> circuits = driver.getKeyValueStore(PartitionStores.CIRCUITS);
    KeyValueStore<String, byte[]> buckets = driver.getKeyValueStore(PartitionStores.BUCKETS);
    for (KeyValueStore<String, byte[]> store : List.of(connections, circuits, buckets)) {
      store.put("chat|c1", new byte[] {9});
      store.put("no-separator", new byte[0]);
      store.put("chat", new byte[] {1, 2, 3});
    }

    PoolShard restored = Objects.requireNonNull(shards.get(0));
    new PartitionStores(
            connections, circuits, buckets, driver.getWindowStore(PartitionStores.HISTORY))
        .restore(restored);

    assertThat(connections.approximateNumEntries()).isZero();
    assertThat(circuits.approximateNumEntries()).isZero();
    assertThat(buckets.approximateNumEntries()).isZero();
  }

  @Test
  void shouldNotFillTheHistoryWithPodsThatSomebodyInvents() {
    for (int i = 0; i < 2_000; i++) {
      PodAddress invented = new PodAddress("10.9." + i / 200 + "." + i % 200, 80);
      for (var record :
          List.of(
              new ConnectionEvent.Opened(POOL, "c" + i, invented, "envoy-1", 1, ticker.nowMs()),
              new ConnectionEvent.Closed(
                  POOL, "c" + i, invented, "envoy-1", "done", 1L, ticker.nowMs()),
              new ConnectionEvent.Failed(
                  POOL, "f" + i, invented, "envoy-1", 503, "overload", ticker.nowMs()))) {
        topic(Topics.CONNECTIONS)
            .pipeInput(POOL, RecordCodec.encode(record), Instant.ofEpochMilli(ticker.nowMs()));
      }
    }

    // What the pool had: opened, closed, turned away, and what is open.
    assertThat(historyRecords()).isEqualTo(4);
  }
}
