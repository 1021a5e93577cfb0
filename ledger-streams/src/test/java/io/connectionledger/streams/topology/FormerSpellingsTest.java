package io.connectionledger.streams.topology;

import static org.assertj.core.api.Assertions.assertThat;

import io.connectionledger.model.PodAddress;
import io.connectionledger.model.policy.Pod;
import io.connectionledger.model.policy.PoolPolicy;
import io.connectionledger.streams.Window;
import io.connectionledger.streams.ownership.OwnedShards;
import io.connectionledger.streams.ownership.PoolShard;
import io.connectionledger.streams.ownership.UndisputedOwnership;
import io.connectionledger.streams.rules.lease.LeaseTerms;
import io.connectionledger.streams.rules.state.StoredCircuitBreaker;
import io.connectionledger.streams.store.History;
import io.connectionledger.streams.store.PartitionStores;
import io.connectionledger.streams.store.Rejected;
import io.connectionledger.streams.store.StoreCodec;
import io.connectionledger.testkit.ManualTicker;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.apache.kafka.streams.TopologyTestDriver;
import org.apache.kafka.streams.processor.api.Processor;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.WindowStore;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Stores that were written when every spelling of an address was a pod of its own. */
class FormerSpellingsTest {

  private static final PodAddress POD = PodAddress.parse("[::1]:80");
  private static final List<String> SPELLINGS =
      List.of("[::1]:80", "[0:0:0:0:0:0:0:1]:80", "127.0.0.04:80");

  @TempDir Path stateDir;

  private final ManualTicker ticker = new ManualTicker();
  private TopologyTestDriver driver;

  @BeforeEach
  void start() {
    PoolPolicy policy =
        new PoolPolicy(
            "chat",
            PoolPolicy.UNLIMITED_RATE,
            1,
            2,
            PoolPolicy.Mode.ENFORCE,
            PoolPolicy.OnOwnerLoss.DENY,
            List.of(new Pod("pod-1", POD)));
    LedgerMetrics metrics = new LedgerMetrics(new SimpleMeterRegistry());
    metrics.pool("chat");
    OwnedShards shards = new OwnedShards();
    LeaseTerms terms = new LeaseTerms(Duration.ofSeconds(10), 3, Duration.ofSeconds(15));
    driver =
        TestTopology.run(
            () ->
                new AfterAnOlderVersion(
                    new LedgerProcessor(
                        partition -> new PoolShard(List.of(policy), terms, ticker.nowMs()),
                        shards,
                        new UndisputedOwnership(shards),
                        partition -> CompletableFuture.completedFuture(Map.of()),
                        ticker,
                        metrics)),
            stateDir,
            ticker);
  }

  @AfterEach
  void stop() {
    driver.close();
  }

  @Test
  void shouldKeepTheCircuitOfTheCanonicalOneOnly() {
    List<String> kept = new ArrayList<>();
    try (var all = driver.<String, byte[]>getKeyValueStore(PartitionStores.CIRCUITS).all()) {
      all.forEachRemaining(entry -> kept.add(entry.key));
    }

    assertThat(kept).containsExactly("chat|[::1]:80");
  }

  @Test
  void shouldAddUpTheRejectionsOfOnePodAndLeaveOutThoseOfNone() {
    WindowStore<String, byte[]> history = driver.getWindowStore(PartitionStores.HISTORY);
    long bucketMs = ticker.nowMs() - ticker.nowMs() % History.BUCKET.toMillis();
    for (String spelling : SPELLINGS) {
      history.put(
          "chat|rejected|" + spelling + "|pod_limit",
          StoreCodec.tally(new StoreCodec.Tally(1, 7)),
          bucketMs);
    }

    Rejected rejected = History.rejected(history, "chat", ticker.nowMs());

    assertThat(rejected.pods()).containsOnlyKeys(POD);
    assertThat(rejected.pod(POD).byLabel())
        .containsEntry(Window.ONE_HOUR.label(), Map.of("pod_limit", 2L));
  }

  /** A ledger that finds in its stores what is of no use any more. */
  private record AfterAnOlderVersion(LedgerProcessor ledger)
      implements Processor<String, byte[], String, byte[]> {

    @Override
    public void init(ProcessorContext<String, byte[]> context) {
      KeyValueStore<String, byte[]> circuits = context.getStateStore(PartitionStores.CIRCUITS);
      for (String spelling : SPELLINGS) {
        circuits.put("chat|" + spelling, StoreCodec.circuit(new StoredCircuitBreaker(1, 1_000)));
      }
      ledger.init(context);
    }

    @Override
    public void process(Record<String, byte[]> record) {
      ledger.process(record);
    }

    @Override
    public void close() {
      ledger.close();
    }
  }
}
