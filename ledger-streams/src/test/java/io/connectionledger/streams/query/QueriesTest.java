package io.connectionledger.streams.query;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.connectionledger.model.PodAddress;
import io.connectionledger.model.Topics;
import io.connectionledger.model.event.ConnectionEvent.Alive;
import io.connectionledger.model.event.ConnectionEvent.Closed;
import io.connectionledger.model.event.ConnectionEvent.Failed;
import io.connectionledger.model.event.ConnectionEvent.Opened;
import io.connectionledger.model.event.ConnectionIds;
import io.connectionledger.model.event.Decision;
import io.connectionledger.model.event.LedgerRecord;
import io.connectionledger.model.event.Presence;
import io.connectionledger.model.event.RecordCodec;
import io.connectionledger.model.policy.Affinity;
import io.connectionledger.model.policy.Pod;
import io.connectionledger.model.policy.PolicyRecord;
import io.connectionledger.model.policy.PoolPolicy;
import io.connectionledger.model.view.PoolReadiness;
import io.connectionledger.model.view.PoolReadiness.EnvoyView;
import io.connectionledger.model.view.PoolReport;
import io.connectionledger.model.view.PoolScaling.Candidate;
import io.connectionledger.model.view.PoolView;
import io.connectionledger.model.view.PoolView.PodView;
import io.connectionledger.model.view.PoolView.State;
import io.connectionledger.streams.local.LocalLedger;
import io.connectionledger.streams.ownership.NoOtherInstances;
import io.connectionledger.streams.ownership.UndisputedOwnership;
import io.connectionledger.streams.rules.lease.LeaseTerms;
import io.connectionledger.streams.store.Counts;
import io.connectionledger.streams.store.History;
import io.connectionledger.streams.store.PartitionStores;
import io.connectionledger.streams.store.Rejected;
import io.connectionledger.streams.store.StandbyCopy;
import io.connectionledger.streams.topology.LedgerMetrics;
import io.connectionledger.streams.topology.LedgerProcessor;
import io.connectionledger.streams.topology.TestTopology;
import io.connectionledger.testkit.ManualTicker;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.common.serialization.StringSerializer;
import org.apache.kafka.streams.TestInputTopic;
import org.apache.kafka.streams.TopologyTestDriver;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Random histories of two pools in the real topology: what is asked of the ledger is compared with
 * what {@link RecordCount} counts in the records of the topics, which knows nothing of the ledger.
 */
class QueriesTest {

  private static final LeaseTerms TERMS =
      new LeaseTerms(Duration.ofSeconds(10), 3, Duration.ofSeconds(15));
  private static final List<String> POOLS = List.of("chat", "game");
  private static final List<String> ENVOYS = List.of("envoy-1", "envoy-2");
  private static final int PODS = 4;
  private static final int LIMIT = 3;
  private static final double TARGET = 0.7;
  private static final int STEPS = 500;

  @TempDir Path stateDir;

  private final ManualTicker ticker = new ManualTicker();
  private final Map<String, PolicyRecord> policies = new TreeMap<>();
  private final Map<String, RecordCount> counts = new HashMap<>();
  private final Map<String, Waiting> waiting = new LinkedHashMap<>();
  private final Map<String, Connection> open = new LinkedHashMap<>();
  private int made;

  /** A tick that is longer says nothing about the time between. */
  private long ownedMs;

  /** An admitted handshake whose outcome comes later. */
  private record Waiting(String pool, PodAddress pod, long untilMs) {}

  /** One that its Envoy reports each tenth second, unless it is mute for a while. */
  private record Connection(
      String pool, String id, PodAddress pod, String envoy, long bornMs, long mutedUntilMs) {}

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3})
  void shouldAnswerWhatTheRecordsSay(long seed) {
    SplittableRandom random = new SplittableRandom(seed);
    for (String pool : POOLS) {
      policies.put(pool, PolicyRecord.ofBase(policy(pool), Set.of(), 0));
      counts.put(pool, new RecordCount());
    }
    LocalLedger ledger =
        new LocalLedger(Map.of("chat", policy("chat"), "game", policy("game")), 1, TERMS, ticker);
    ledger.follow(policies);
    try (TopologyTestDriver driver = driver(ledger)) {
      ledger.runBy(new Stores(driver, ticker), new NoOtherInstances());
      pass(driver, Duration.ofSeconds(1));
      for (int step = 0; step < STEPS; step++) {
        if (random.nextInt(60) == 0) {
          leap(driver, random);
        } else {
          pass(driver, Duration.ofSeconds(1));
        }
        happen(driver, ledger, random);
        if (random.nextInt(6) == 0) {
          POOLS.forEach(pool -> compare(ledger, driver, pool));
        }
      }
    }
    RecordCount chat = Objects.requireNonNull(counts.get("chat"));
    assertThat(chat.reasons())
        .as("what the history must contain to mean something")
        .contains("pod_limit", "rate_limited", "circuit_open", "overflow", "local_rate_limited");
  }

  /** Half of the pools place by affinity, so that a full pod can be somebody's own. */
  private static PoolPolicy policy(String pool) {
    List<Pod> pods = new ArrayList<>();
    for (int i = 1; i <= PODS; i++) {
      pods.add(new Pod("pod-" + i, new PodAddress("10.0.0." + i, 80)));
    }
    boolean affinity = pool.equals("chat");
    return new PoolPolicy(
        pool,
        0.7,
        2,
        LIMIT,
        PoolPolicy.Mode.ENFORCE,
        PoolPolicy.OnOwnerLoss.DENY,
        pods,
        affinity ? PoolPolicy.Placement.AFFINITY : PoolPolicy.Placement.LEAST_CONNECTIONS,
        affinity ? Affinity.header("x-user") : Affinity.NONE,
        Duration.ZERO,
        TARGET,
        List.of(),
        List.of(),
        null);
  }

  private TopologyTestDriver driver(LocalLedger ledger) {
    LedgerMetrics metrics = new LedgerMetrics(new SimpleMeterRegistry());
    return TestTopology.run(
        () ->
            new LedgerProcessor(
                ledger::emptyShard,
                ledger.shards(),
                new UndisputedOwnership(ledger.shards()),
                partition -> CompletableFuture.completedFuture(Map.of()),
                ticker,
                metrics),
        stateDir,
        ticker);
  }

  private void pass(TopologyTestDriver driver, Duration time) {
    ticker.advance(time);
    ownedMs += Math.min(time.toMillis(), 1_000);
    driver.advanceWallClockTime(time);
    input(driver, Topics.ENVOYS)
        .pipeInput(
            "ingest-1",
            RecordCodec.encode(
                new Presence("ingest-1", Map.of("envoy-1", 1L, "envoy-2", 1L), ticker.nowMs())),
            ticker.nowMs());
  }

  /** Many minutes in which nothing is open. */
  private void leap(TopologyTestDriver driver, SplittableRandom random) {
    waiting.forEach(
        (id, one) ->
            send(
                driver,
                new Failed(one.pool, id, one.pod, "envoy-1", 404, "via_upstream", ticker.nowMs())));
    waiting.clear();
    List.copyOf(open.values()).forEach(connection -> close(driver, connection));
    pass(driver, Duration.ofSeconds(random.nextInt(60, 1_500)));
    // After a silence, what an Envoy reported before may be out of date.
    pass(driver, Duration.ofSeconds(1));
  }

  private void happen(TopologyTestDriver driver, LocalLedger ledger, SplittableRandom random) {
    for (String pool : POOLS) {
      for (int checks = random.nextInt(4); checks > 0; checks--) {
        check(driver, ledger, pool, random);
      }
      if (random.nextInt(10) == 0) {
        failOpen(driver, pool, random);
      }
      if (random.nextInt(40) == 0) {
        drain(ledger, pool, random);
      }
    }
    List.copyOf(waiting.keySet()).forEach(id -> settle(driver, id, random));
    for (Connection connection : List.copyOf(open.values())) {
      if (random.nextInt(25) == 0) {
        close(driver, connection);
      } else if ((ticker.nowMs() - connection.bornMs) % 10_000 == 0
          && ticker.nowMs() >= connection.mutedUntilMs) {
        send(
            driver,
            new Alive(
                connection.pool,
                connection.envoy,
                Map.of(connection.pod, List.of(connection.id)),
                ticker.nowMs()));
      }
    }
  }

  private void check(
      TopologyTestDriver driver, LocalLedger ledger, String pool, SplittableRandom random) {
    Decision decision = ledger.decide(pool, "user-" + random.nextInt(9), null);
    boolean flood = random.nextInt(5) == 0;
    send(
        driver,
        flood && decision instanceof Decision.Rejected rejected
            ? rejected.lastOf(2 + random.nextInt(30), rejected.atMs())
            : decision);
    if (decision instanceof Decision.Allowed allowed) {
      waiting.put(
          allowed.id(),
          new Waiting(pool, allowed.pod(), ticker.nowMs() + random.nextInt(0, 9) * 1_000L));
    }
  }

  /** The outcome of a handshake. */
  private void settle(TopologyTestDriver driver, String id, SplittableRandom random) {
    Waiting one = Objects.requireNonNull(waiting.get(id));
    if (ticker.nowMs() < one.untilMs) {
      return;
    }
    waiting.remove(id);
    String envoy = ENVOYS.get(random.nextInt(2));
    // One pod is ill, so that its circuit opens now and then.
    boolean ill = one.pod.ip().endsWith(".4") && ticker.nowMs() / 60_000 % 2 == 0;
    switch (ill ? 5 : random.nextInt(10)) {
      case 0 -> send(driver, failed(one.pool, id, null, envoy, "overflow"));
      case 1 -> send(driver, failed(one.pool, id, one.pod, envoy, "overflow"));
      case 2 ->
          send(
              driver,
              new Failed(one.pool, id, one.pod, envoy, 404, "via_upstream", ticker.nowMs()));
      case 5 ->
          send(driver, failed(one.pool, id, one.pod, envoy, "remote_connection_failure|delayed"));
      case 3 -> open(driver, one.pool, id, new PodAddress("10.0.0.9", 80), envoy, random);
      default -> open(driver, one.pool, id, one.pod, envoy, random);
    }
  }

  private Failed failed(
      String pool, String id, @Nullable PodAddress pod, String envoy, String why) {
    return new Failed(
        pool,
        id,
        pod,
        envoy,
        503,
        "upstream_reset_before_response_started{" + why + "}",
        ticker.nowMs());
  }

  /** Without the ledger some get in and some do not. */
  private void failOpen(TopologyTestDriver driver, String pool, SplittableRandom random) {
    String envoy = ENVOYS.get(random.nextInt(2));
    String id = ConnectionIds.unleased(envoy, "192.0.2.1:" + made++, ticker.nowNanos());
    if (random.nextBoolean()) {
      open(driver, pool, id, new PodAddress("10.0.0.1", 80), envoy, random);
    } else {
      send(driver, new Failed(pool, id, null, envoy, 429, "local_rate_limited", ticker.nowMs()));
    }
  }

  private void open(
      TopologyTestDriver driver,
      String pool,
      String id,
      PodAddress pod,
      String envoy,
      SplittableRandom random) {
    long nowMs = ticker.nowMs();
    long mutedUntilMs = random.nextInt(3) == 0 ? nowMs + 20_000 : nowMs;
    open.put(id, new Connection(pool, id, pod, envoy, nowMs, mutedUntilMs));
    Opened opened = new Opened(pool, id, pod, envoy, 1, nowMs);
    send(driver, opened);
    if (random.nextInt(5) == 0) {
      send(driver, opened);
    }
  }

  private void close(TopologyTestDriver driver, Connection connection) {
    open.remove(connection.id);
    send(
        driver,
        new Closed(
            connection.pool,
            connection.id,
            connection.pod,
            connection.envoy,
            "end",
            null,
            ticker.nowMs()));
  }

  private void drain(LocalLedger ledger, String pool, SplittableRandom random) {
    PodAddress pod = new PodAddress("10.0.0." + random.nextInt(1, PODS + 1), 80);
    PolicyRecord now = Objects.requireNonNull(policies.get(pool));
    policies.put(
        pool,
        now.draining().contains(pod)
            ? now.withoutDrain(pod, ticker.nowMs())
            : now.withDrain(pod, null, ticker.nowMs()));
    ledger.follow(policies);
  }

  private void send(TopologyTestDriver driver, LedgerRecord record) {
    input(driver, record instanceof Decision ? Topics.DECISIONS : Topics.CONNECTIONS)
        .pipeInput(record.pool(), RecordCodec.encode(record), ticker.nowMs());
    Objects.requireNonNull(counts.get(record.pool())).add(record, ticker.nowMs());
  }

  private static TestInputTopic<String, byte[]> input(TopologyTestDriver driver, String topic) {
    return driver.createInputTopic(topic, new StringSerializer(), new ByteArraySerializer());
  }

  private void compare(LocalLedger ledger, TopologyTestDriver driver, String pool) {
    RecordCount count = Objects.requireNonNull(counts.get(pool));
    PolicyRecord policy = Objects.requireNonNull(policies.get(pool));
    PoolReport report = ledger.ledger().queries().report(pool).orElseThrow();
    PoolView view = ledger.ledger().queries().connections(pool).orElseThrow();
    PoolReadiness readiness = ledger.ledger().queries().readiness(pool).orElseThrow();

    connections(view, count, policy);
    assertThat(ledger.ledger().queries().rejections(pool).orElseThrow())
        .isEqualTo(count.rejections(pool, view.pods(), ticker.nowMs()));
    readiness(readiness, count);
    scaling(report, count, policy);
    assertThat(ledger.ledger().queries().desiredPods(view))
        .hasValue(report.scaling().desiredPods());
    assertThat(report)
        .isEqualTo(
            new PoolReport(
                null,
                view,
                ledger.ledger().queries().rejections(pool).orElseThrow(),
                report.scaling(),
                readiness));

    // Whoever has nothing but the stores says the same.
    StandbyCopy copy = Stores.copy(driver, pool, ticker);
    assertThat(copy.view(policy)).isEqualTo(view);
    assertThat(Reports.rejections(view, copy.rejected())).isEqualTo(report.rejections());
  }

  private static void connections(PoolView view, RecordCount count, PolicyRecord policy) {
    Map<PodAddress, Integer> active = count.active();
    Map<PodAddress, Integer> reserved = count.reserved();
    assertThat(view.active()).isEqualTo(active.values().stream().mapToInt(n -> n).sum());
    assertThat(view.reserved()).isEqualTo(reserved.values().stream().mapToInt(n -> n).sum());
    for (PodView pod : view.pods()) {
      assertThat(pod.active()).isEqualTo(active.getOrDefault(pod.address(), 0));
      assertThat(pod.reserved()).isEqualTo(reserved.getOrDefault(pod.address(), 0));
      assertThat(pod.state() == State.DRAINING)
          .isEqualTo(policy.draining().contains(pod.address()));
    }
    assertThat(view.pods()).extracting(PodView::address).containsAll(active.keySet());
    assertThat(view.pods()).extracting(PodView::address).containsAll(reserved.keySet());
  }

  private void readiness(PoolReadiness readiness, RecordCount count) {
    double completeness = count.completeness(ticker.nowMs());
    assertThat(readiness.completeness()).isCloseTo(completeness, within(1e-9));
    assertThat(readiness.ready()).isEqualTo(count.isReady(ticker.nowMs()));
    assertThat(readiness.ready()).isEqualTo(readiness.reasons().isEmpty());
    assertThat(readiness.envoys().stream().map(QueriesTest::counted).toList())
        .isEqualTo(count.envoys());
  }

  /** What the records show of an Envoy: not its rhythm. */
  private static EnvoyView counted(EnvoyView view) {
    return new EnvoyView(view.node(), view.lastSeenMs(), view.connections());
  }

  private void scaling(PoolReport report, RecordCount count, PolicyRecord policy) {
    Map<PodAddress, Integer> active = count.active();
    List<Pod> order =
        policy.policy().pods().stream()
            .sorted(
                Comparator.<Pod, Boolean>comparing(
                        pod -> !policy.draining().contains(pod.address()))
                    .thenComparing(pod -> active.getOrDefault(pod.address(), 0))
                    .thenComparing(Pod::address))
            .toList();
    List<Candidate> expected = new ArrayList<>();
    for (Pod pod : order) {
      expected.add(
          new Candidate(
              pod.name(),
              pod.address(),
              expected.size() + 1,
              active.getOrDefault(pod.address(), 0)));
    }
    assertThat(report.scaling().scaleDown()).isEqualTo(expected);

    double demand =
        active.values().stream().mapToInt(n -> n).sum()
            + count.forWantOfRoomInTheLastMinute(ticker.nowMs()) / 2.0;
    int pods = 1;
    while (pods * LIMIT * TARGET < demand - 1e-6) {
      pods++;
    }
    assertThat(report.scaling().desiredPods()).isEqualTo(pods);

    if (ownedMs < 28_000) {
      assertThat(report.scaling().ready()).isFalse();
    } else if (ownedMs > 32_000) {
      assertThat(report.scaling().ready()).isEqualTo(count.isReady(ticker.nowMs()));
    }
  }

  /** The topology's stores, read as from another thread. */
  private record Stores(TopologyTestDriver driver, ManualTicker ticker) implements RunningTopology {

    static StandbyCopy copy(TopologyTestDriver driver, String pool, ManualTicker ticker) {
      return StandbyCopy.read(
          new StandbyCopy.Stores(
              driver.getKeyValueStore(PartitionStores.CONNECTIONS),
              driver.getKeyValueStore(PartitionStores.CIRCUITS),
              driver.getWindowStore(PartitionStores.HISTORY)),
          pool,
          ticker.nowMs(),
          0);
    }

    @Override
    public Optional<Rejected> rejected(String pool, int partition) {
      return Optional.of(
          History.rejected(driver.getWindowStore(PartitionStores.HISTORY), pool, ticker.nowMs()));
    }

    @Override
    public Optional<Counts> counts(String pool, int partition) {
      return Optional.of(
          History.counts(driver.getWindowStore(PartitionStores.HISTORY), pool, ticker.nowMs()));
    }

    @Override
    public OptionalLong latelyForWantOfRoom(String pool, int partition) {
      return OptionalLong.of(
          History.latelyForWantOfRoom(
              driver.getWindowStore(PartitionStores.HISTORY), pool, ticker.nowMs()));
    }

    @Override
    public Optional<StandbyCopy> standby(String pool, int partition) {
      return Optional.of(copy(driver, pool, ticker));
    }

    @Override
    public boolean isRunning() {
      return true;
    }

    @Override
    public String state() {
      return "RUNNING";
    }
  }
}
