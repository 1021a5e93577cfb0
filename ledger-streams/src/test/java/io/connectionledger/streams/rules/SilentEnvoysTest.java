package io.connectionledger.streams.rules;

import static org.assertj.core.api.Assertions.assertThat;

import io.connectionledger.model.PodAddress;
import io.connectionledger.model.event.ConnectionEvent;
import io.connectionledger.model.event.ConnectionEvent.Closed;
import io.connectionledger.model.event.Decision;
import io.connectionledger.model.event.LedgerRecord;
import io.connectionledger.model.policy.Pod;
import io.connectionledger.model.policy.PoolPolicy;
import io.connectionledger.model.view.PoolView.PodView;
import io.connectionledger.streams.Seeds;
import io.connectionledger.streams.rules.lease.LeaseTerms;
import io.connectionledger.streams.rules.state.Changes;
import io.connectionledger.streams.rules.state.StoredConnection;
import io.connectionledger.testkit.MapStore;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/**
 * Random worlds in which Envoys report in every way that people configure: as they should, nothing,
 * only ends, no heartbeats, or heartbeats five times as far apart. No pod ever holds more than its
 * limit, and each slot is free again within the time that is documented. One seed is replayed with
 * {@code -Dledger.seed=N}, another number of them run with {@code -Dledger.seeds=N}.
 */
class SilentEnvoysTest {

  private static final LeaseTerms TERMS =
      new LeaseTerms(Duration.ofSeconds(2), 3, Duration.ofSeconds(4), Duration.ofMinutes(10));
  private static final int STEP_MS = 500;
  private static final int STEPS = 600;

  @Test
  void shouldNeverPutAPodAboveItsLimit() {
    Seeds.usually(200).forEach(seed -> new World(seed).run());
  }

  /** What an Envoy's access log has. */
  private enum Reports {
    ALL(2_000, true, true),
    NOTHING(0, false, false),
    ENDS(0, false, true),
    NO_HEARTBEATS(0, true, true),
    SLOWLY(10_000, true, true);

    final int heartbeatMs;
    final boolean opens;
    final boolean ends;

    Reports(int heartbeatMs, boolean opens, boolean ends) {
      this.heartbeatMs = heartbeatMs;
      this.opens = opens;
      this.ends = ends;
    }
  }

  private static final List<Reports> KINDS = List.of(Reports.values());

  private static final class Stream {
    final PodAddress pod;
    long beatMs;

    Stream(PodAddress pod, long beatMs) {
      this.pod = pod;
      this.beatMs = beatMs;
    }
  }

  private static final class Envoy {
    final String node;
    final String listener;
    final Map<String, Stream> streams = new LinkedHashMap<>();
    final Reports reports;

    Envoy(int number, Reports reports) {
      this.node = "envoy-" + number;
      this.listener = "10.1.0." + number + ":10000";
      this.reports = reports;
    }
  }

  private record Handshake(long atMs, Envoy envoy, Decision.Allowed decision) {}

  private static final class World {
    private final long seed;
    private final Random random;
    private final List<Envoy> envoys;
    private final List<PodAddress> pods;
    private final int limit;
    private final List<Handshake> handshakes = new ArrayList<>();
    private final Map<String, StoredConnection> store = new HashMap<>();
    private final Map<String, Long> intervals = new HashMap<>();
    private final Changes changes = new Changes();
    private PoolLedger ledger;
    private long nowMs = 1_800_000_000_000L;

    World(long seed) {
      this.seed = seed;
      random = new Random(seed);
      limit = 1 + random.nextInt(4);
      pods =
          IntStream.rangeClosed(1, 1 + random.nextInt(3))
              .mapToObj(i -> new PodAddress("10.0.0." + i, 80))
              .toList();
      envoys =
          IntStream.rangeClosed(1, 1 + random.nextInt(3))
              .mapToObj(i -> new Envoy(i, KINDS.get(random.nextInt(KINDS.size()))))
              .toList();
      ledger = empty();
    }

    private PoolLedger empty() {
      return new PoolLedger(
          new PoolPolicy(
              "chat",
              PoolPolicy.UNLIMITED_RATE,
              1,
              limit,
              PoolPolicy.Mode.ENFORCE,
              PoolPolicy.OnOwnerLoss.DENY,
              pods.stream().map(pod -> new Pod(pod.toString(), pod)).toList()),
          TERMS,
          nowMs);
    }

    void run() {
      for (int step = 0; step < STEPS; step++) {
        pass(true);
        if (random.nextInt(150) == 0) {
          restart();
        }
      }
      // Nobody comes any more, everybody leaves, and the last slot is free when its time is over.
      handshakes.clear();
      for (Envoy envoy : envoys) {
        while (!envoy.streams.isEmpty()) {
          leave(envoy);
        }
      }
      long endMs = nowMs + 5 * TERMS.leaseMs() + TERMS.unreported().toMillis();
      while (nowMs <= endMs) {
        pass(false);
      }
      for (PodView pod : ledger.view(nowMs).pods()) {
        assertThat(pod.active() + pod.reserved()).as("held on %s, %s", pod.pod(), this).isZero();
      }
    }

    private void pass(boolean busy) {
      nowMs += STEP_MS;
      changes.clear();
      ledger.tick(nowMs, nowMs, changes);
      keep();
      if (busy && random.nextInt(3) > 0) {
        knock(envoys.get(random.nextInt(envoys.size())));
      }
      if (busy && random.nextInt(8) == 0) {
        leave(envoys.get(random.nextInt(envoys.size())));
      }
      handshakes();
      envoys.forEach(this::heartbeats);
      for (PodAddress pod : pods) {
        assertThat(really(pod)).as("open on %s, %s", pod, this).isLessThanOrEqualTo(limit);
      }
    }

    private void knock(Envoy envoy) {
      if (ledger.decide(null, envoy.listener, nowMs * 1_000_000)
          instanceof Decision.Allowed allowed) {
        apply(allowed);
        switch (random.nextInt(10)) {
          case 0 -> ledger.release(allowed.id());
          case 1 -> {
            if (envoy.reports.ends) {
              apply(
                  new ConnectionEvent.Failed(
                      "chat", allowed.id(), null, envoy.node, 0, "gone", nowMs));
            }
          }
          default -> handshakes.add(new Handshake(nowMs + random.nextInt(2_000), envoy, allowed));
        }
      }
    }

    private void handshakes() {
      for (Iterator<Handshake> all = handshakes.iterator(); all.hasNext(); ) {
        Handshake handshake = all.next();
        if (nowMs >= handshake.atMs) {
          all.remove();
          Envoy envoy = handshake.envoy;
          Decision.Allowed decision = handshake.decision;
          envoy.streams.put(
              decision.id(), new Stream(decision.pod(), nowMs + envoy.reports.heartbeatMs));
          if (envoy.reports.opens) {
            apply(
                new ConnectionEvent.Opened(
                    "chat", decision.id(), decision.pod(), envoy.node, nowMs, nowMs));
          }
        }
      }
    }

    private void leave(Envoy envoy) {
      Iterator<Map.Entry<String, Stream>> streams = envoy.streams.entrySet().iterator();
      if (streams.hasNext()) {
        Map.Entry<String, Stream> stream = streams.next();
        streams.remove();
        if (envoy.reports.ends) {
          apply(
              new Closed(
                  "chat", stream.getKey(), stream.getValue().pod, envoy.node, "", null, nowMs));
        }
      }
    }

    private void heartbeats(Envoy envoy) {
      if (envoy.reports.heartbeatMs > 0) {
        Map<PodAddress, List<String>> alive = new LinkedHashMap<>();
        envoy.streams.forEach(
            (id, stream) -> {
              if (nowMs >= stream.beatMs) {
                stream.beatMs += envoy.reports.heartbeatMs;
                alive.computeIfAbsent(stream.pod, pod -> new ArrayList<>()).add(id);
              }
            });
        if (!alive.isEmpty()) {
          apply(new ConnectionEvent.Alive("chat", envoy.node, alive, nowMs));
        }
      }
    }

    private void apply(LedgerRecord record) {
      changes.clear();
      ledger.apply(record, changes);
      keep();
    }

    private void keep() {
      MapStore.write(store, changes.connections());
      intervals.putAll(changes.intervals());
    }

    private void restart() {
      ledger = empty();
      intervals.forEach(ledger::restoreInterval);
      store.forEach(ledger::restore);
    }

    private int really(PodAddress pod) {
      return (int)
          envoys.stream()
              .flatMap(envoy -> envoy.streams.values().stream())
              .filter(stream -> stream.pod.equals(pod))
              .count();
    }

    @Override
    public String toString() {
      return Seeds.replay(seed);
    }
  }
}
