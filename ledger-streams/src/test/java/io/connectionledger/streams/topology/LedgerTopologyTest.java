package io.connectionledger.streams.topology;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;

import io.connectionledger.model.PodAddress;
import io.connectionledger.model.Topics;
import io.connectionledger.model.event.ConnectionEvent;
import io.connectionledger.model.event.Decision;
import io.connectionledger.model.event.LedgerRecord;
import io.connectionledger.model.event.Presence;
import io.connectionledger.model.event.RecordCodec;
import io.connectionledger.model.event.RejectionReason;
import io.connectionledger.model.policy.Pod;
import io.connectionledger.model.policy.PoolPolicy;
import io.connectionledger.model.view.PoolHistory;
import io.connectionledger.model.view.PoolReadiness;
import io.connectionledger.model.view.PoolView;
import io.connectionledger.model.view.PoolView.PodView;
import io.connectionledger.streams.PoolQueries;
import io.connectionledger.streams.Window;
import io.connectionledger.streams.ownership.OwnedShards;
import io.connectionledger.streams.ownership.Ownership;
import io.connectionledger.streams.ownership.PoolShard;
import io.connectionledger.streams.ownership.UndisputedOwnership;
import io.connectionledger.streams.rules.lease.LeaseTerms;
import io.connectionledger.streams.rules.state.StoredCircuitBreaker;
import io.connectionledger.streams.rules.state.StoredConnection;
import io.connectionledger.streams.store.History;
import io.connectionledger.streams.store.PartitionStores;
import io.connectionledger.streams.store.Rejected;
import io.connectionledger.streams.store.StoreCodec;
import io.connectionledger.testkit.ManualTicker;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;
import org.apache.kafka.streams.TestInputTopic;
import org.apache.kafka.streams.TestOutputTopic;
import org.apache.kafka.streams.TopologyTestDriver;
import org.apache.kafka.streams.state.KeyValueIterator;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.WindowStore;
import org.apache.kafka.streams.test.TestRecord;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class LedgerTopologyTest {

  private static final String POOL = "chat";
  private static final PodAddress POD = PodAddress.parse("10.0.0.1:80");
  private static final PodAddress OTHER_POD = PodAddress.parse("10.0.0.2:80");
  private static final String NO_INGEST =
      "no-ingest: no access-log service is heard, or Kafka does not take what they hear";
  private static final LeaseTerms TERMS =
      new LeaseTerms(Duration.ofSeconds(10), 3, Duration.ofSeconds(15));

  @TempDir Path stateDir;

  private final ManualTicker ticker = new ManualTicker();
  private final SimpleMeterRegistry registry = new SimpleMeterRegistry();
  private final OwnedShards shards = new OwnedShards();
  private String[] envoys = {"envoy-1"};
  private final AtomicBoolean decidedElsewhere = new AtomicBoolean();
  private final AtomicBoolean answering = new AtomicBoolean(true);
  private CompletableFuture<Map<String, Long>> remaining =
      CompletableFuture.completedFuture(Map.of());
  private TopologyTestDriver driver;
  private TestInputTopic<String, byte[]> events;
  private TestInputTopic<String, byte[]> decisions;

  @BeforeEach
  void start() {
    PoolPolicy policy =
        new PoolPolicy(
            POOL,
            PoolPolicy.UNLIMITED_RATE,
            1,
            2,
            PoolPolicy.Mode.ENFORCE,
            PoolPolicy.OnOwnerLoss.DENY,
            List.of(new Pod("pod-1", POD), new Pod("pod-2", OTHER_POD)));
    LedgerMetrics metrics = new LedgerMetrics(registry);
    metrics.pool(POOL);
    driver =
        TestTopology.run(
            () ->
                new LedgerProcessor(
                    partition -> new PoolShard(List.of(policy), TERMS, ticker.nowMs()),
                    shards,
                    ownership(),
                    partition -> remaining,
                    ticker,
                    metrics),
            stateDir,
            ticker);
    events =
        driver.createInputTopic(
            Topics.CONNECTIONS, new StringSerializer(), new ByteArraySerializer());
    decisions =
        driver.createInputTopic(
            Topics.DECISIONS, new StringSerializer(), new ByteArraySerializer());
    pass(Duration.ofMillis(100));
  }

  /** Alone, after another who may decide on for a while. */
  private Ownership ownership() {
    return new Ownership() {
      @Override
      public boolean isDecidedElsewhere(int partition) {
        return decidedElsewhere.get();
      }

      @Override
      public boolean isAnswering() {
        return answering.get();
      }

      @Override
      public Claim claim(int partition, PoolShard shard) {
        return new UndisputedOwnership(shards).claim(partition, shard);
      }
    };
  }

  /** A restart must find what is counted. */
  @AfterEach
  void theStoreHoldsWhatIsCounted() {
    Map<PodAddress, Long> stored = new HashMap<>();
    KeyValueStore<String, byte[]> store = driver.getKeyValueStore(PartitionStores.CONNECTIONS);
    try (KeyValueIterator<String, byte[]> all = store.all()) {
      all.forEachRemaining(
          entry -> {
            if (StoreCodec.connection(entry.value) instanceof StoredConnection.Open open) {
              stored.merge(open.pod(), 1L, Long::sum);
            }
          });
    }
    for (PodView pod : view().pods()) {
      assertThat(stored.getOrDefault(pod.address(), 0L))
          .as("stored as open on %s", pod.address())
          .isEqualTo(pod.active());
    }
    driver.close();
  }

  private void pass(Duration time) {
    // In steps: the lease clock does not believe in longer ones.
    for (Duration left = time; left.isPositive(); left = left.minusMillis(100)) {
      ticker.advance(Duration.ofMillis(100));
      if (left.toMillis() % 1_000 == 0) {
        heard(envoys);
      }
      driver.advanceWallClockTime(Duration.ofMillis(100));
    }
  }

  private void passInSilence(Duration time) {
    for (Duration left = time; left.isPositive(); left = left.minusMillis(100)) {
      ticker.advance(Duration.ofMillis(100));
      driver.advanceWallClockTime(Duration.ofMillis(100));
    }
  }

  private void heard(String... nodes) {
    driver
        .createInputTopic(Topics.ENVOYS, new StringSerializer(), new ByteArraySerializer())
        .pipeInput(
            "ingest-1",
            RecordCodec.encode(new Presence("ingest-1", firstStreams(nodes), ticker.nowMs())));
  }

  private static Map<String, Long> firstStreams(String... nodes) {
    return Stream.of(nodes).collect(Collectors.toMap(node -> node, node -> 1L));
  }

  private void send(LedgerRecord record) {
    (record instanceof Decision ? decisions : events)
        .pipeInput(record.pool(), RecordCodec.encode(record), ticker.nowMs());
  }

  private PoolShard shard() {
    return Objects.requireNonNull(shards.get(0), "no shard");
  }

  private PoolView view() {
    return shard().view(POOL, ticker.nowMs()).orElseThrow();
  }

  private Decision decide() {
    return Objects.requireNonNull(shard().decide(POOL, ticker.nowNanos()), "not deciding");
  }

  private Rejected rejected() {
    WindowStore<String, byte[]> store = driver.getWindowStore(PartitionStores.HISTORY);
    return History.rejected(store, POOL, ticker.nowMs());
  }

  private PoolHistory hour() {
    return History.counts(driver.getWindowStore(PartitionStores.HISTORY), POOL, ticker.nowMs())
        .of(POOL, ticker.nowMs(), view().active());
  }

  private Map<String, Long> rejections(Window window) {
    return Objects.requireNonNull(rejected().pool().byLabel().get(window.label()));
  }

  private Map<String, String> podsTopic() {
    TestOutputTopic<String, byte[]> topic =
        driver.createOutputTopic(
            Topics.PODS, new StringDeserializer(), new ByteArrayDeserializer());
    Map<String, String> latest = new HashMap<>();
    topic
        .readKeyValuesToList()
        .forEach(
            kv -> {
              if (kv.value == null) {
                latest.remove(kv.key);
              } else {
                latest.put(kv.key, new String(kv.value, UTF_8));
              }
            });
    return latest;
  }

  private static ConnectionEvent.Opened opened(String id) {
    return new ConnectionEvent.Opened(POOL, id, POD, "envoy-1", 1, 2);
  }

  private static ConnectionEvent.Closed closed(String id) {
    return new ConnectionEvent.Closed(POOL, id, POD, "envoy-1", "done", 5L, 2);
  }

  @Test
  void shouldCountAnOwnDecisionOnceWhenItComesBackFromTheLog() {
    Decision decision = decide();

    send(decision);

    assertThat(view()).extracting(PoolView::active, PoolView::reserved).containsExactly(0, 1);
    assertThat(driver.getKeyValueStore(PartitionStores.CONNECTIONS).get("chat|" + decision.id()))
        .isNotNull();
  }

  @Test
  void shouldKeepAClosedConnectionClosedAgainstLateNews() {
    send(opened("c1"));
    send(closed("c1"));

    send(opened("c1"));
    send(new ConnectionEvent.Alive(POOL, "envoy-1", Map.of(POD, List.of("c1")), 3));

    assertThat(view().active()).isZero();
  }

  @Test
  void shouldDecideNothingBeforeItHasReadWhatExistedWhenItStarted() {
    driver.close();
    remaining = CompletableFuture.completedFuture(Map.of(Topics.CONNECTIONS, 2L));
    start();

    Decision before = shard().decide(POOL, ticker.nowNanos());
    send(opened("c1"));
    pass(Duration.ofMillis(200));
    Decision between = shard().decide(POOL, ticker.nowNanos());
    send(opened("c2"));
    pass(Duration.ofMillis(200));
    Decision after = decide();

    assertThat(before).isNull();
    assertThat(between).isNull();
    assertThat(after).isInstanceOf(Decision.Allowed.class);
  }

  @Test
  void shouldClaimWhatAnotherDecidesOnlyOnceItHasReadWhatIsThere() {
    driver.close();
    decidedElsewhere.set(true);
    remaining = CompletableFuture.completedFuture(Map.of(Topics.CONNECTIONS, 1L));
    start();

    pass(Duration.ofSeconds(1));
    PoolShard before = shards.get(0);
    send(opened("c1"));
    pass(Duration.ofMillis(200));

    assertThat(before).isNull();
    assertThat(decide()).isInstanceOf(Decision.Allowed.class);
  }

  @Test
  void shouldClaimAfterAWhileThoughThereIsMoreToReadAndDecideNothingYet() {
    driver.close();
    decidedElsewhere.set(true);
    remaining = CompletableFuture.completedFuture(Map.of(Topics.CONNECTIONS, 1L));
    start();

    pass(Duration.ofSeconds(6));
    Decision before = shard().decide(POOL, ticker.nowNanos());
    send(opened("c1"));
    pass(Duration.ofMillis(200));

    assertThat(before).isNull();
    assertThat(decide()).isInstanceOf(Decision.Allowed.class);
  }

  @Test
  void shouldClaimNothingThatAnotherDecidesWhileNobodyCanAskThisInstance() {
    driver.close();
    decidedElsewhere.set(true);
    answering.set(false);
    start();

    pass(Duration.ofSeconds(6));
    PoolShard before = shards.get(0);
    answering.set(true);
    pass(Duration.ofMillis(200));

    assertThat(before).isNull();
    assertThat(decide()).isInstanceOf(Decision.Allowed.class);
  }

  @Test
  void shouldNotBelieveAnIngestThatMayHaveDiedWithTheLastOwner() {
    driver.close();
    remaining = CompletableFuture.completedFuture(Map.of(Topics.CONNECTIONS, 1L));
    envoys = new String[0];
    start();
    heard("envoy-1");
    send(opened("c1"));

    passInSilence(TERMS.heartbeat().multipliedBy(3));

    assertThat(view().active()).isEqualTo(1);
    assertThat(shard().readiness(POOL, ticker.nowMs()).orElseThrow().reasons()).contains(NO_INGEST);
  }

  @Test
  void shouldAskAgainWhenKafkaDoesNotSayHowFarToRead() {
    driver.close();
    remaining = CompletableFuture.failedFuture(new IllegalStateException("not now"));
    start();
    boolean early = shard().isCaughtUp();
    remaining = CompletableFuture.completedFuture(Map.of());

    pass(Duration.ofMillis(300));

    assertThat(early).isFalse();
    assertThat(shard().isCaughtUp()).isTrue();
  }

  @Test
  void shouldGiveUpAConnectionWhoseHeartbeatsStayOutAndTellSo() {
    envoys = new String[] {"another"};
    send(opened("c1"));
    pass(Duration.ofSeconds(29));
    int before = view().active();

    pass(Duration.ofSeconds(2));

    assertThat(before).isEqualTo(1);
    assertThat(view().active()).isZero();
    TestOutputTopic<String, byte[]> told =
        driver.createOutputTopic(
            Topics.CONNECTIONS, new StringDeserializer(), new ByteArrayDeserializer());
    assertThat(new String(told.readValue(), UTF_8)).contains("\"lease_expired\"");
    assertThat(registry.counter("ledger.leases.expired").count()).isEqualTo(1);
  }

  @Test
  void shouldCountAConnectionOnceThatWasGivenUpAndLives() {
    envoys = new String[] {"another"};
    send(opened("c1"));
    pass(Duration.ofSeconds(31));
    int givenUp = view().active();

    send(new ConnectionEvent.Alive(POOL, "envoy-1", Map.of(POD, List.of("c1")), 3));

    assertThat(givenUp).isZero();
    assertThat(view().active()).isEqualTo(1);
    assertThat(registry.counter("ledger.repairs").count()).isEqualTo(1);
    assertThat(registry.counter("websocket.connections.established", "pool", POOL).count())
        .isEqualTo(1);
  }

  @Test
  void shouldGiveUpTheConnectionsOfAnEnvoyThatIsGoneAfterAHeartbeat() {
    heard("envoy-1", "envoy-2");
    send(opened("c1"));
    send(new ConnectionEvent.Opened(POOL, "c2", OTHER_POD, "envoy-2", 1, 2));
    envoys = new String[] {"envoy-2"};
    heard(envoys);
    pass(Duration.ofSeconds(9));
    int before = view().active();

    pass(Duration.ofSeconds(2));

    assertThat(before).isEqualTo(2);
    assertThat(view().pods()).extracting(PoolView.PodView::active).containsExactly(0, 1);
    assertThat(registry.counter("ledger.connections.released").count()).isEqualTo(1);
  }

  @Test
  void shouldKeepTheConnectionsOfAnEnvoyThatComesBackWithinAHeartbeat() {
    heard("envoy-1");
    send(opened("c1"));
    heard();
    envoys = new String[] {};
    pass(Duration.ofSeconds(9));
    envoys = new String[] {"envoy-1"};
    heard(envoys);
    pass(Duration.ofSeconds(9));
    send(new ConnectionEvent.Alive(POOL, "envoy-1", Map.of(POD, List.of("c1")), 3));
    pass(Duration.ofSeconds(11));

    assertThat(view().active()).isEqualTo(1);
  }

  @Test
  void shouldGiveUpWhatAnEnvoyDoesNotReportAnyMoreAfterASilence() {
    heard("envoy-1");
    send(opened("c1"));
    send(opened("c2"));
    pass(Duration.ofSeconds(5));
    passInSilence(Duration.ofSeconds(60));
    int inTheSilence = view().active();
    heard("envoy-1");
    pass(Duration.ofSeconds(6));
    send(new ConnectionEvent.Alive(POOL, "envoy-1", Map.of(POD, List.of("c1")), 3));
    pass(Duration.ofSeconds(13));

    assertThat(inTheSilence).isEqualTo(2);
    assertThat(view().active()).isEqualTo(1);
  }

  @Test
  void shouldSayHowCompleteItsPictureIs() {
    heard("envoy-1");
    send(opened("c1"));
    send(new ConnectionEvent.Opened(POOL, "c2", OTHER_POD, "envoy-2", 1, 2));
    PoolReadiness fresh = readiness();
    pass(Duration.ofSeconds(14));
    send(new ConnectionEvent.Alive(POOL, "envoy-1", Map.of(POD, List.of("c1")), 7));
    pass(Duration.ofSeconds(3));
    PoolReadiness half = readiness();
    passInSilence(Duration.ofSeconds(20));
    PoolReadiness silent = readiness();

    assertThat(fresh)
        .extracting(PoolReadiness::ready, PoolReadiness::completeness)
        .containsExactly(true, 1.0);
    assertThat(half)
        .extracting(PoolReadiness::ready, PoolReadiness::completeness)
        .containsExactly(false, 0.5);
    assertThat(half.envoys())
        .containsExactly(
            new PoolReadiness.EnvoyView("envoy-1", 7, 1, 13_100L),
            new PoolReadiness.EnvoyView("envoy-2", 2, 1));
    assertThat(silent.completeness()).isZero();
    assertThat(silent.reasons()).contains(NO_INGEST);
  }

  @Test
  void shouldEndNoLeaseAndSaySoWhileKafkaDoesNotTakeWhatIsHeard() {
    send(opened("c1"));
    pass(Duration.ofSeconds(1));
    TestInputTopic<String, byte[]> presences =
        driver.createInputTopic(Topics.ENVOYS, new StringSerializer(), new ByteArraySerializer());

    for (int second = 1; second <= 60; second++) {
      passInSilence(Duration.ofSeconds(1));
      Presence behind =
          new Presence(
              "ingest-1", firstStreams(envoys), ticker.nowMs(), 1_000L * second, List.of());
      presences.pipeInput("ingest-1", RecordCodec.encode(behind));
      // Another one, that hears nobody, has nothing that Kafka could not take.
      presences.pipeInput(
          "ingest-2", RecordCodec.encode(new Presence("ingest-2", Map.of(), ticker.nowMs())));
    }

    assertThat(view().active()).isEqualTo(1);
    assertThat(readiness().reasons()).contains(NO_INGEST);
    pass(Duration.ofSeconds(2));
    assertThat(readiness().reasons()).doesNotContain(NO_INGEST);
    assertThat(view().active()).isEqualTo(1);
  }

  private PoolReadiness readiness() {
    return shard().readiness(POOL, ticker.nowMs()).orElseThrow();
  }

  @Test
  void shouldRefuseConnectionsOfMoreEnvoysThanAPoolCanHave() {
    for (int i = 0; i < 10_100; i++) {
      send(new ConnectionEvent.Opened(POOL, "c" + i, POD, "invented-" + i, 1, 2));
    }

    assertThat(view().active()).isEqualTo(10_000);
    assertThat(registry.counter("ledger.events.refused").count()).isEqualTo(100);
  }

  @Test
  void shouldRefuseConnectionsOnMorePodsThanAPoolCanHave() {
    for (int i = 0; i < 1_100; i++) {
      PodAddress invented = new PodAddress("10.9." + i / 200 + "." + i % 200, 80);
      send(new ConnectionEvent.Opened(POOL, "c" + i, invented, "envoy-1", 1, 2));
    }

    assertThat(view().active()).isEqualTo(1_000);
    assertThat(registry.counter("ledger.events.refused").count()).isEqualTo(100);
  }

  @Test
  void shouldNotRefuseWhatItAdmittedForWhatOthersInvent() {
    for (int i = 0; i < 10_000; i++) {
      send(new ConnectionEvent.Opened(POOL, "c" + i, POD, "invented-" + i, 1, 2));
    }
    send(new Decision.Allowed(POOL, "real", OTHER_POD, 0, 2));

    send(new ConnectionEvent.Opened(POOL, "real", OTHER_POD, "envoy-1", 1, 2));
    // What it reports besides, after a restart of ours say, is believed from then on.
    send(new ConnectionEvent.Closed(POOL, "real", OTHER_POD, "envoy-1", "done", 1L, 2));
    send(new ConnectionEvent.Alive(POOL, "envoy-1", Map.of(OTHER_POD, List.of("known")), 3));

    assertThat(view().active()).isEqualTo(10_001);
    assertThat(registry.counter("ledger.events.refused").count()).isZero();
  }

  @Test
  void shouldOpenAnUnknownConnectionThatIsAliveAndCountTheRepair() {
    send(new ConnectionEvent.Alive(POOL, "envoy-1", Map.of(OTHER_POD, List.of("c1", "c2")), 3));

    assertThat(view().pods())
        .extracting(PoolView.PodView::address, PoolView.PodView::active)
        .contains(tuple(OTHER_POD, 2));
    assertThat(registry.counter("ledger.repairs").count()).isEqualTo(2);
    assertThat(registry.counter("websocket.connections.established", "pool", POOL).count())
        .isEqualTo(2);
  }

  @Test
  void shouldKeepConnectionsOfAnEnvoyThatBeatsForAsLongAsItDoes() {
    send(opened("c1"));
    for (int i = 0; i < 10; i++) {
      pass(Duration.ofSeconds(10));
      send(new ConnectionEvent.Alive(POOL, "envoy-1", Map.of(POD, List.of("c1")), 3));
    }

    assertThat(view().active()).isEqualTo(1);
  }

  @Test
  void shouldCountRejectionsInEveryWindowThatTheyAreIn() {
    send(new Decision.Rejected(POOL, "r1", RejectionReason.POD_LIMIT, null, 1, 2));
    pass(Duration.ofMinutes(6));
    send(new Decision.Rejected(POOL, "r2", RejectionReason.POD_LIMIT, null, 1, 2));
    send(new Decision.Rejected(POOL, "r3", RejectionReason.RATE_LIMITED, null, 1, 2));

    assertThat(rejections(Window.FIVE_MINUTES))
        .isEqualTo(Map.of("pod_limit", 1L, "rate_limited", 1L));
    assertThat(rejections(Window.FIFTEEN_MINUTES))
        .isEqualTo(Map.of("pod_limit", 2L, "rate_limited", 1L));
  }

  @Test
  void shouldTellTheHourBucketByBucketAndOfAllPodsTogether() {
    send(opened("c1"));
    send(new Decision.Rejected(POOL, "r1", RejectionReason.POD_LIMIT, POD, 1, 2));
    pass(Duration.ofSeconds(10));
    send(opened("c2"));

    PoolHistory hour = hour();

    assertThat(hour.opened()).hasSize(360).endsWith(0L, 1L, 1L);
    assertThat(hour.active()).endsWith(0L, 1L, 2L);
    assertThat(hour.rejected()).containsOnlyKeys("pod_limit");
    assertThat(hour.rejected().get("pod_limit")).endsWith(0L, 1L, 0L);
    assertThat(hour.closed()).containsOnly(0L);
    assertThat(hour.fromMs()).isEqualTo(ticker.nowMs() / 10_000 * 10_000 - 3_590_000);
  }

  @Test
  void shouldTellHowManyWereOpenThoughOneWasGivenUpAndFoundAlive() {
    envoys = new String[] {"another"};
    send(opened("c1"));
    pass(Duration.ofSeconds(41));
    send(new ConnectionEvent.Alive(POOL, "envoy-1", Map.of(POD, List.of("c1")), 3));
    pass(Duration.ofSeconds(10));

    assertThat(hour().active()).endsWith(0L, 1L, 1L, 1L, 0L, 1L, 1L);
  }

  @Test
  void shouldCountARecordOnceThoughItIsProcessedAgain() {
    WindowStore<String, byte[]> store = driver.getWindowStore(PartitionStores.HISTORY);
    var rejected = new Decision.Rejected(POOL, "r1", RejectionReason.POD_LIMIT, null, 1, 2);

    History.count(store, rejected, null, 7, ticker.nowMs());
    History.count(store, rejected, null, 7, ticker.nowMs());
    History.count(store, rejected, null, 8, ticker.nowMs());

    assertThat(rejections(Window.ONE_HOUR)).isEqualTo(Map.of("pod_limit", 2L));
  }

  @Test
  void shouldSendPoisonToTheDeadLettersAndGoOn() {
    events.pipeInput(POOL, "{".getBytes(UTF_8));
    events.pipeInput("other", RecordCodec.encode(opened("c1")));
    send(new ConnectionEvent.Opened("invented", "c1", POD, "envoy-1", 1, 2));
    send(opened("c2"));

    TestOutputTopic<String, byte[]> dead =
        driver.createOutputTopic(
            Topics.DEAD_LETTERS, new StringDeserializer(), new ByteArrayDeserializer());
    List<TestRecord<String, byte[]>> letters = dead.readRecordsToList();
    assertThat(letters)
        .extracting(
            letter -> new String(letter.headers().lastHeader(Topics.REASON_HEADER).value(), UTF_8))
        .satisfiesExactly(
            reason -> assertThat(reason).contains("end-of-input"),
            reason -> assertThat(reason).contains("key"),
            reason -> assertThat(reason).contains("no policy for pool 'invented'"));
    assertThat(view().active()).isEqualTo(1);
  }

  @Test
  void shouldStoreAnOpenCircuitUntilItCloses() {
    for (int i = 0; i < 5; i++) {
      send(new Decision.Allowed(POOL, "c" + i, POD, 0, 999));
      send(new ConnectionEvent.Failed(POOL, "c" + i, POD, "envoy-1", 503, "via_upstream", 1_000));
    }
    KeyValueStore<String, byte[]> store = driver.getKeyValueStore(PartitionStores.CIRCUITS);
    StoredCircuitBreaker open = StoreCodec.circuit(store.get("chat|" + POD));
    PoolView.State state = view().pods().getFirst().state();

    send(new ConnectionEvent.Opened(POOL, "c9", POD, "envoy-1", 1, 1_001));

    assertThat(open).isEqualTo(new StoredCircuitBreaker(1, 1_000));
    assertThat(state).isEqualTo(PoolView.State.CIRCUIT_OPEN);
    assertThat(store.get("chat|" + POD)).isNull();
    assertThat(registry.counter("ledger.circuit.changes", "pool", POOL).count()).isEqualTo(2);
    assertThat(view().pods().getFirst().state()).isEqualTo(PoolView.State.AVAILABLE);
  }

  @Test
  void shouldTellFollowersTheStateOfEachPodAfterAChange() {
    send(opened("c1"));
    send(new ConnectionEvent.Opened(POOL, "c2", PodAddress.parse("10.9.9.9:1"), "e", 1, 2));
    pass(Duration.ofMillis(200));
    Map<String, String> open = podsTopic();
    send(closed("c1"));
    send(new ConnectionEvent.Closed(POOL, "c2", PodAddress.parse("10.9.9.9:1"), "e", "d", 1L, 2));
    pass(Duration.ofMillis(200));

    Map<String, String> closed = podsTopic();

    assertThat(open.get("chat|pod-1")).contains("\"active\":1").contains("\"state\":\"available\"");
    assertThat(open.get("chat|10.9.9.9:1")).contains("\"state\":\"gone\"");
    assertThat(closed.get("chat|pod-1")).contains("\"active\":0");
    assertThat(closed).doesNotContainKey("chat|10.9.9.9:1");
  }

  @Test
  void shouldTellWhoWatchesOfThePodsThatChangedOnce() {
    List<PodView> told = new ArrayList<>();
    shards.watch((pool, pods) -> told.addAll(pods));
    send(opened("c1"));
    send(opened("c2"));
    pass(Duration.ofMillis(300));

    shards.watch(PoolQueries.Watcher.NONE);
    send(closed("c1"));
    pass(Duration.ofMillis(200));

    assertThat(told).containsExactly(new PodView("pod-1", POD, 2, 0, 2, PoolView.State.FULL));
  }
}
