package io.connectionledger.streams.history;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.connectionledger.model.PodAddress;
import io.connectionledger.model.Topics;
import io.connectionledger.model.event.ConnectionEvent.Alive;
import io.connectionledger.model.event.ConnectionEvent.Closed;
import io.connectionledger.model.event.ConnectionEvent.Failed;
import io.connectionledger.model.event.ConnectionEvent.Opened;
import io.connectionledger.model.event.Decision;
import io.connectionledger.model.event.LedgerRecord;
import io.connectionledger.model.event.Presence;
import io.connectionledger.model.event.RecordCodec;
import io.connectionledger.model.policy.Pod;
import io.connectionledger.model.policy.PolicyCodec;
import io.connectionledger.model.policy.PolicyRecord;
import io.connectionledger.model.policy.PoolPolicy;
import io.connectionledger.model.view.PoolView;
import io.connectionledger.streams.ownership.OwnedShards;
import io.connectionledger.streams.ownership.PoolShard;
import io.connectionledger.streams.ownership.UndisputedOwnership;
import io.connectionledger.streams.rules.lease.LeaseTerms;
import io.connectionledger.streams.topology.LedgerMetrics;
import io.connectionledger.streams.topology.LedgerProcessor;
import io.connectionledger.streams.topology.TestTopology;
import io.connectionledger.testkit.ManualTicker;
import io.connectionledger.testkit.StoredTopics;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.stream.IntStream;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;
import org.apache.kafka.streams.TestInputTopic;
import org.apache.kafka.streams.TestOutputTopic;
import org.apache.kafka.streams.TopologyTestDriver;
import org.apache.kafka.streams.test.TestRecord;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Random histories through the real topology: read back from the topics and replayed up to any
 * moment, they give what the live ledger answered at that moment. {@code -Dledger.seed=N} replays
 * one, {@code -Dledger.seeds=N} runs another number of them.
 */
class ReplayTest {

  private static final String POOL = "chat";
  private static final LeaseTerms TERMS =
      new LeaseTerms(Duration.ofSeconds(1), 3, Duration.ofSeconds(2));
  private static final int STEPS = 400;

  @TempDir Path stateDir;

  @Test
  void shouldAnswerAsTheLiveLedgerDidAtAnyMoment() throws Exception {
    Long only = Long.getLong("ledger.seed");
    long from = only == null ? 0 : only;
    long to = only == null ? Math.max(10, Integer.getInteger("ledger.seeds", 0) / 50) : only + 1;
    for (long seed = from; seed < to; seed++) {
      try (World world = new World(seed, stateDir.resolve(Long.toString(seed)))) {
        for (int step = 0; step < STEPS; step++) {
          world.step();
        }
        world.isReplayedAsItWas();
      }
    }
  }

  @Test
  void shouldGiveUpConnectionsByTheTimesOfEventsWherePresencesAreNotKept() throws Exception {
    StoredTopics topics = World.topics();
    long beganMs = 1_800_000_000_000L;
    PolicyRecord policy = PolicyRecord.ofBase(World.policy(new Random(1), 2), Set.of(), beganMs);
    PodAddress pod = policy.policy().pods().get(0).address();
    topics.add(Topics.POLICIES, 0, POOL.getBytes(UTF_8), PolicyCodec.encode(policy), beganMs);
    Opened silent = new Opened(POOL, "silent", pod, "envoy-1", beganMs, beganMs);
    topics.add(Topics.CONNECTIONS, 0, POOL.getBytes(UTF_8), RecordCodec.encode(silent), beganMs);
    for (long atMs = beganMs; atMs <= beganMs + 20_000; atMs += 1_000) {
      Alive alive = new Alive(POOL, "envoy-2", Map.of(pod, List.of("heard")), atMs);
      topics.add(Topics.CONNECTIONS, 0, POOL.getBytes(UTF_8), RecordCodec.encode(alive), atMs);
    }

    assertThat(World.replayed(topics, beganMs, beganMs + 2_000).active()).isEqualTo(2);
    assertThat(World.replayed(topics, beganMs, beganMs + 20_000).active()).isEqualTo(1);
  }

  /** A live ledger, and what became of it. */
  private static final class World implements AutoCloseable {
    private final long seed;
    private final Random random;
    private final ManualTicker ticker = new ManualTicker();
    private final long beganMs = ticker.nowMs();
    private final OwnedShards shards = new OwnedShards();
    private final StoredTopics topics = topics();
    private final TopologyTestDriver driver;
    private final TestOutputTopic<String, byte[]> givenUp;
    private final List<LedgerRecord> written = new ArrayList<>();
    private final List<Decision.Allowed> admitted = new ArrayList<>();
    private final Map<String, Map<String, PodAddress>> openByEnvoy = new TreeMap<>();
    private final Map<String, Long> streams = new TreeMap<>(Map.of("envoy-0", 1L, "envoy-1", 1L));
    private final Map<Long, PoolView> answers = new TreeMap<>();
    private PolicyRecord policy;
    private boolean ingestSilent;
    private int strangers;

    World(long seed, Path stateDir) {
      this.seed = seed;
      random = new Random(seed);
      driver =
          TestTopology.run(
              () ->
                  new LedgerProcessor(
                      partition -> new PoolShard(List.of(), TERMS, ticker.nowMs()),
                      shards,
                      new UndisputedOwnership(shards),
                      partition -> CompletableFuture.completedFuture(Map.of()),
                      ticker,
                      new LedgerMetrics(new SimpleMeterRegistry())),
              stateDir,
              ticker);
      givenUp =
          driver.createOutputTopic(
              Topics.CONNECTIONS, new StringDeserializer(), new ByteArrayDeserializer());
      policy = PolicyRecord.ofBase(policy(random, 1 + random.nextInt(4)), Set.of(), ticker.nowMs());
      pass(Duration.ofMillis(100));
      follow(policy);
      presence();
    }

    static StoredTopics topics() {
      return new StoredTopics(
          List.of(Topics.POLICIES, Topics.ENVOYS, Topics.DECISIONS, Topics.CONNECTIONS), 1);
    }

    static PoolPolicy policy(Random random, int pods) {
      return new PoolPolicy(
          POOL,
          random.nextBoolean() ? PoolPolicy.UNLIMITED_RATE : 1 + random.nextInt(20),
          1 + random.nextInt(5),
          1 + random.nextInt(4),
          random.nextInt(4) == 0 ? PoolPolicy.Mode.SHADOW : PoolPolicy.Mode.ENFORCE,
          PoolPolicy.OnOwnerLoss.DENY,
          IntStream.range(0, pods)
              .mapToObj(i -> new Pod("pod-" + i, PodAddress.parse("10.0.0." + i + ":80")))
              .toList());
    }

    static PoolView replayed(StoredTopics topics, long fromMs, long toMs) throws Exception {
      Replay replay = new Replay(TERMS);
      try (TopicHistory history = StoredHistory.of(topics)) {
        history.read(null, fromMs, toMs, replay, (records, total) -> {});
      }
      return replay.connections(POOL, toMs).orElseThrow();
    }

    void isReplayedAsItWas() throws Exception {
      for (Map.Entry<Long, PoolView> answer : answers.entrySet()) {
        assertThat(replayed(topics, beganMs, answer.getKey()))
            .as("seed %d after %d ms", seed, answer.getKey() - beganMs)
            .isEqualTo(answer.getValue());
      }
      assertThat(answers).hasSizeGreaterThan(2);
    }

    private PoolShard shard() {
      return Objects.requireNonNull(shards.get(0), "no shard");
    }

    void step() {
      ticker.advance(Duration.ofMillis(1));
      int dice = random.nextInt(100);
      if (dice < 25) {
        Decision decision = shard().decide(POOL, ticker.nowNanos());
        write(Objects.requireNonNull(decision));
        if (decision instanceof Decision.Allowed allowed) {
          admitted.add(allowed);
        }
      } else if (dice < 45 && !admitted.isEmpty()) {
        becomesOf(admitted.remove(random.nextInt(admitted.size())));
      } else if (dice < 48) {
        opened("stranger-" + strangers++, anyPod());
      } else if (dice < 60) {
        closed();
      } else if (dice < 70) {
        alive();
      } else if (dice < 74 && !written.isEmpty()) {
        write(written.get(random.nextInt(written.size())));
      } else if (dice < 76) {
        envoysChange();
      } else if (dice < 77) {
        ingestSilent = !ingestSilent;
      } else if (dice < 79) {
        PoolPolicy other = policy(random, 1 + random.nextInt(4));
        follow(
            policy
                .withPolicy(other, ticker.nowMs())
                .withDraining(random.nextBoolean() ? Set.of() : Set.of(anyPod()), ticker.nowMs()));
      } else if (dice < 82) {
        answers.put(ticker.nowMs(), shard().view(POOL, ticker.nowMs()).orElseThrow());
      } else {
        pass(Duration.ofMillis(random.nextInt(10) == 0 ? 4_000 : random.nextInt(600)));
      }
    }

    private void becomesOf(Decision.Allowed allowed) {
      switch (random.nextInt(6)) {
        case 0 ->
            write(
                new Failed(
                    POOL, allowed.id(), allowed.pod(), "envoy-0", 503, "via_upstream", nowMs()));
        case 1 -> opened(allowed.id(), anyPod());
        case 2 -> {
          // Nobody ever hears of it: it expires.
        }
        default -> opened(allowed.id(), allowed.pod());
      }
    }

    private void opened(String id, PodAddress pod) {
      String envoy = "envoy-" + random.nextInt(2);
      openByEnvoy.computeIfAbsent(envoy, node -> new TreeMap<>()).put(id, pod);
      if (random.nextInt(5) > 0) {
        write(new Opened(POOL, id, pod, envoy, nowMs(), nowMs()));
      }
    }

    private void closed() {
      List<String> envoys = List.copyOf(openByEnvoy.keySet());
      if (envoys.isEmpty()) {
        return;
      }
      String envoy = envoys.get(random.nextInt(envoys.size()));
      Map<String, PodAddress> open = Objects.requireNonNull(openByEnvoy.get(envoy));
      if (open.isEmpty()) {
        return;
      }
      String id = List.copyOf(open.keySet()).get(random.nextInt(open.size()));
      PodAddress pod = Objects.requireNonNull(open.remove(id));
      if (random.nextInt(5) > 0) {
        write(new Closed(POOL, id, pod, envoy, "via_upstream", 5L, nowMs()));
      }
    }

    private void alive() {
      openByEnvoy.forEach(
          (envoy, open) -> {
            Map<PodAddress, List<String>> pods = new HashMap<>();
            open.forEach((id, pod) -> pods.computeIfAbsent(pod, at -> new ArrayList<>()).add(id));
            if (!pods.isEmpty() && random.nextInt(4) > 0) {
              ticker.advance(Duration.ofMillis(1));
              write(new Alive(POOL, envoy, pods, nowMs()));
            }
          });
    }

    private void envoysChange() {
      String envoy = "envoy-" + random.nextInt(2);
      if (random.nextBoolean()) {
        streams.merge(envoy, 1L, Long::sum);
      } else if (streams.remove(envoy) == null) {
        streams.put(envoy, random.nextLong(100));
      }
      if (!ingestSilent) {
        presence();
      }
    }

    private PodAddress anyPod() {
      return PodAddress.parse("10.0.0." + random.nextInt(5) + ":80");
    }

    private long nowMs() {
      return ticker.nowMs();
    }

    private void pass(Duration time) {
      for (Duration left = time; left.isPositive(); left = left.minusMillis(100)) {
        ticker.advance(Duration.ofMillis(100));
        driver.advanceWallClockTime(Duration.ofMillis(100));
        if (!ingestSilent && random.nextInt(4) == 0) {
          presence();
        }
      }
    }

    private void presence() {
      ticker.advance(Duration.ofMillis(1));
      Presence presence = new Presence("ingest", streams, nowMs());
      topics.add(Topics.ENVOYS, 0, "ingest".getBytes(UTF_8), RecordCodec.encode(presence), nowMs());
      input(Topics.ENVOYS).pipeInput("ingest", RecordCodec.encode(presence), nowMs());
      for (TestRecord<String, byte[]> concluded : givenUp.readRecordsToList()) {
        topics.add(Topics.CONNECTIONS, 0, POOL.getBytes(UTF_8), concluded.getValue(), nowMs());
      }
    }

    private TestInputTopic<String, byte[]> input(String topic) {
      return driver.createInputTopic(topic, new StringSerializer(), new ByteArraySerializer());
    }

    private void write(LedgerRecord record) {
      String topic = record instanceof Decision ? Topics.DECISIONS : Topics.CONNECTIONS;
      written.add(record);
      topics.add(topic, 0, POOL.getBytes(UTF_8), RecordCodec.encode(record), nowMs());
      input(topic).pipeInput(POOL, RecordCodec.encode(record), nowMs());
    }

    private void follow(PolicyRecord record) {
      policy = record;
      topics.add(Topics.POLICIES, 0, POOL.getBytes(UTF_8), PolicyCodec.encode(record), nowMs());
      shard().follow(record, ticker.nowNanos());
    }

    @Override
    public void close() {
      driver.close();
    }
  }
}
