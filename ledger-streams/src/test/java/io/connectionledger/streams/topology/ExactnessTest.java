package io.connectionledger.streams.topology;

import static org.assertj.core.api.Assertions.assertThat;

import io.connectionledger.model.PodAddress;
import io.connectionledger.model.event.ConnectionEvent;
import io.connectionledger.model.event.ConnectionEvent.Closed;
import io.connectionledger.model.event.Decision;
import io.connectionledger.model.event.LedgerRecord;
import io.connectionledger.model.event.Presence;
import io.connectionledger.model.policy.Pod;
import io.connectionledger.model.policy.PoolPolicy;
import io.connectionledger.model.view.PoolView;
import io.connectionledger.model.view.PoolView.PodView;
import io.connectionledger.streams.Seeds;
import io.connectionledger.streams.ownership.PoolShard;
import io.connectionledger.streams.rules.lease.LeaseTerms;
import io.connectionledger.streams.rules.state.Changes;
import io.connectionledger.streams.rules.state.StoredConnection;
import io.connectionledger.testkit.MapStore;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.PriorityQueue;
import java.util.Random;
import java.util.Set;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/**
 * Random worlds of clients, Envoys, ingests, Kafka and one owner, in which everything dies, comes
 * back, forgets, repeats, overtakes and has wrong clocks. What the ledger says is compared with
 * what is really open: no pod ever holds more than its limit, and when the last fault is over the
 * ledger is exact within two heartbeats (within a lease where an Envoy vanished unheard). One seed
 * is replayed with {@code -Dledger.seed=N}, another number of them run with {@code
 * -Dledger.seeds=N}.
 */
class ExactnessTest {

  private static final LeaseTerms TERMS =
      new LeaseTerms(Duration.ofSeconds(10), 3, Duration.ofSeconds(15), Duration.ofSeconds(60));
  private static final int HEARTBEAT_MS = 10_000;
  private static final long START_MS = 1_800_000_000_000L;
  private static final int STEP_MS = 100;
  private static final int STEPS = 1_200;

  private static final int MAX_TRANSIT_MS = 400;

  /** Of the ledger's ticks, on top of the promise. */
  private static final int GRANULARITY_MS = 200;

  @Test
  void shouldBeExactTwoHeartbeatsAfterTheLastFault() {
    Seeds.usually(400).forEach(seed -> new World(seed, Seeds.isReplay()).run());
  }

  /** An open connection, as its Envoy knows it. */
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
    final long skewMs;
    final Map<String, Stream> streams = new LinkedHashMap<>();
    @Nullable Ingest ingest;
    long connectsMs;
    long stream;

    Envoy(String node, String listener, long skewMs) {
      this.node = node;
      this.listener = listener;
      this.skewMs = skewMs;
    }
  }

  private static final class Ingest {
    String run;
    boolean up = true;
    boolean changed;
    long saysMs;
    long backMs;
    long lastArrivalMs;

    Ingest(String run) {
      this.run = run;
    }
  }

  /** Something on its way through Kafka. */
  private record Mail(long atMs, long number, @Nullable LedgerRecord record, Presence presence) {}

  /** A handshake that was admitted and goes on. */
  private record Handshake(long atMs, Envoy envoy, Decision.Allowed decision) {}

  /** One seeded run. */
  private static final class World {
    private final long seed;
    private final boolean told;
    private final Random random;
    private final PoolPolicy policy;
    private final boolean failsOpen;
    private final List<Envoy> envoys = new ArrayList<>();
    private final List<Ingest> ingests = new ArrayList<>();
    private final List<Handshake> handshakes = new ArrayList<>();
    private final Map<String, StoredConnection> store = new LinkedHashMap<>();
    private final PriorityQueue<Mail> kafka =
        new PriorityQueue<>(
            (a, b) ->
                a.atMs != b.atMs ? Long.compare(a.atMs, b.atMs) : Long.compare(a.number, b.number));
    private final Deque<Mail> uncommitted = new ArrayDeque<>();

    /** What the owner knows: the Envoys by the run of the ingest that hears them. */
    private final Map<String, Set<String>> heard = new HashMap<>();

    private final Changes changes = new Changes();
    private @Nullable PoolShard owner;
    private long ownerBackMs;
    private long nowMs = START_MS;
    private long ownersClockOffMs;
    private long exactWithinMs = 2 * HEARTBEAT_MS + GRANULARITY_MS;
    private long lastDeathMs;
    private int names;

    World(long seed, boolean told) {
      this.seed = seed;
      this.told = told;
      random = new Random(seed);
      failsOpen = random.nextInt(3) == 0;
      policy =
          new PoolPolicy(
              "chat",
              PoolPolicy.UNLIMITED_RATE,
              1,
              1 + random.nextInt(4),
              PoolPolicy.Mode.ENFORCE,
              PoolPolicy.OnOwnerLoss.DENY,
              IntStream.rangeClosed(1, 1 + random.nextInt(3))
                  .mapToObj(i -> new Pod("pod-" + i, PodAddress.parse("10.0.0." + i + ":80")))
                  .toList());
      for (int i = random.nextInt(3); i >= 0; i--) {
        envoys.add(newEnvoy());
      }
      for (int i = random.nextInt(2); i >= 0; i--) {
        ingests.add(new Ingest(name("ingest")));
      }
      takeOver();
    }

    private String name(String kind) {
      return kind + '-' + names++;
    }

    private Envoy newEnvoy() {
      // Some take the address of one that died.
      return new Envoy(
          name("envoy"),
          "10.1.0." + random.nextInt(4) + ":10000",
          random.nextInt(1_200_000) - 600_000);
    }

    void run() {
      for (int step = 0; step < STEPS; step++) {
        if (random.nextInt(80) == 0) {
          fault();
        }
        if (random.nextInt(4) == 0) {
          knock();
        }
        if (random.nextInt(8) == 0) {
          leave();
        }
        pass();
      }
      everythingIsWellAgain();
      passUntil(nowMs + exactWithinMs);
      assertExact();
      // Clients that vanished without a word leave reservations, which only their own end frees: at
      // an Envoy that died before it had reported anything, the end of what is held unreported.
      passUntil(nowMs + TERMS.reservationMs() + TERMS.unreported().toMillis());
      assertExact();
      assertThat(view().reserved()).as("reserved, %s", this).isZero();
    }

    private void passUntil(long untilMs) {
      while (nowMs < untilMs) {
        pass();
      }
    }

    private void assertExact() {
      for (PodView pod : view().pods()) {
        assertThat(pod.active())
            .as("active on %s, %s", pod.address(), this)
            .isEqualTo(really(pod.address()));
      }
    }

    private void fault() {
      int fault = random.nextInt(7);
      tell("fault " + fault);
      switch (fault) {
        case 0 -> dies(random.nextInt(envoys.size()));
        case 1 -> {
          Ingest ingest = ingests.get(random.nextInt(ingests.size()));
          ingest.up = false;
          forgetsDeaths();
          ingest.backMs = nowMs + random.nextInt(30_000);
          for (Envoy envoy : envoys) {
            if (envoy.ingest == ingest) {
              hangsUp(envoy);
            }
          }
        }
        case 2 -> {
          if (owner != null) {
            forgetsDeaths();
            owner.retire();
            owner = null;
            ownerBackMs = nowMs + random.nextInt(30_000);
          }
        }
        case 3 -> ownersClockOffMs += random.nextInt(1_200_000) - 600_000;
        case 4 -> { // one access-log stream breaks; the Envoy connects again
          Envoy envoy = envoys.get(random.nextInt(envoys.size()));
          if (envoy.ingest != null) {
            envoy.ingest.changed = true;
          }
          hangsUp(envoy);
        }
        case 5 -> nowMs += random.nextInt(2_000); // a long pause of everything
        default -> { // the latest records come again
          uncommitted.stream()
              .filter(mail -> mail.record != null && mail.atMs >= nowMs - STEP_MS)
              .forEach(mail -> kafka.add(arriving(mail, nowMs)));
        }
      }
    }

    private void dies(int index) {
      Envoy dead = envoys.set(index, newEnvoy());
      if (dead.ingest == null
          || owner == null
          || !heard.getOrDefault(dead.ingest.run, Set.of()).contains(dead.node)) {
        unheardDeath();
      } else {
        dead.ingest.changed = true;
      }
      tell(dead.node + " died with " + dead.streams.keySet());
      lastDeathMs = nowMs;
      handshakes.removeIf(handshake -> handshake.envoy == dead);
    }

    /** Nobody will conclude that the Envoy is gone: its connections end with their leases. */
    private void unheardDeath() {
      exactWithinMs =
          TERMS.leaseMs() + Presence.INTERVAL.toMillis() + MAX_TRANSIT_MS + GRANULARITY_MS;
    }

    /** Who would have concluded that an Envoy is gone forgets what it heard. */
    private void forgetsDeaths() {
      if (nowMs < lastDeathMs + 2 * HEARTBEAT_MS) {
        unheardDeath();
      }
    }

    private void hangsUp(Envoy envoy) {
      envoy.ingest = null;
      envoy.connectsMs = nowMs + random.nextInt(1_000);
    }

    private void everythingIsWellAgain() {
      for (Ingest ingest : ingests) {
        ingest.backMs = Math.min(ingest.backMs, nowMs);
      }
      for (Envoy envoy : envoys) {
        envoy.connectsMs = Math.min(envoy.connectsMs, nowMs);
      }
      ownerBackMs = Math.min(ownerBackMs, nowMs);
    }

    /** A client wants in. */
    private void knock() {
      Envoy envoy = envoys.get(random.nextInt(envoys.size()));
      if (owner == null) {
        if (failsOpen) {
          PodAddress pod = policy.pods().get(random.nextInt(policy.pods().size())).address();
          opens(envoy, name("u"), pod);
        }
        return;
      }
      if (owner.decide("chat", null, envoy.listener, ownersNowMs() * 1_000_000)
          instanceof Decision.Allowed allowed) {
        mail(allowed);
        switch (random.nextInt(8)) {
          case 0 -> owner.release(allowed); // gave up before the answer
          case 1 -> {
            // Gone without a word.
          }
          default -> handshakes.add(new Handshake(nowMs + random.nextInt(300), envoy, allowed));
        }
      }
    }

    private void opens(Envoy envoy, String id, PodAddress pod) {
      envoy.streams.put(id, new Stream(pod, nowMs + HEARTBEAT_MS));
      log(
          envoy,
          new ConnectionEvent.Opened("chat", id, pod, envoy.node, nowMs + envoy.skewMs, nowMs));
      if (!failsOpen) {
        assertThat(really(pod))
            .as("open on %s, %s", pod, this)
            .isLessThanOrEqualTo(policy.perPodMaxConnections());
      }
    }

    /** A client ends its connection. */
    private void leave() {
      Envoy envoy = envoys.get(random.nextInt(envoys.size()));
      Iterator<Map.Entry<String, Stream>> streams = envoy.streams.entrySet().iterator();
      if (streams.hasNext()) {
        Map.Entry<String, Stream> stream = streams.next();
        streams.remove();
        log(
            envoy,
            new Closed(
                "chat",
                stream.getKey(),
                stream.getValue().pod,
                envoy.node,
                "downstream_remote_disconnect",
                null,
                nowMs));
      }
    }

    private void pass() {
      nowMs += STEP_MS;
      ingests();
      handshakes();
      heartbeats();
      if (owner == null && nowMs >= ownerBackMs) {
        takeOver();
      }
      if (owner != null) {
        deliver();
        owner.tick(ownersNowMs());
        if (!failsOpen) {
          nobodyIsForgotten();
        }
      }
    }

    private void nobodyIsForgotten() {
      for (PodView pod : view().pods()) {
        assertThat(pod.active() + pod.reserved())
            .as("held on %s, %s", pod.address(), this)
            .isGreaterThanOrEqualTo(really(pod.address()));
      }
    }

    private void ingests() {
      for (Ingest ingest : ingests) {
        if (!ingest.up && nowMs >= ingest.backMs) {
          ingest.up = true;
          ingest.run = name("ingest");
          ingest.saysMs = nowMs;
        }
      }
      for (Envoy envoy : envoys) {
        Ingest next = ingests.get(random.nextInt(ingests.size()));
        if (envoy.ingest == null && nowMs >= envoy.connectsMs && next.up) {
          envoy.ingest = next;
          envoy.stream++;
          next.changed = true;
        }
      }
      for (Ingest ingest : ingests) {
        if (ingest.up && (ingest.changed || nowMs >= ingest.saysMs)) {
          ingest.changed = false;
          ingest.saysMs = nowMs + Presence.INTERVAL.toMillis();
          Map<String, Long> nodes = new HashMap<>();
          envoys.stream().filter(e -> e.ingest == ingest).forEach(e -> nodes.put(e.node, e.stream));
          kafka.add(
              new Mail(arrival(ingest), names++, null, new Presence(ingest.run, nodes, nowMs)));
        }
      }
    }

    private void handshakes() {
      for (Iterator<Handshake> all = handshakes.iterator(); all.hasNext(); ) {
        Handshake handshake = all.next();
        if (nowMs >= handshake.atMs) {
          all.remove();
          Decision.Allowed decision = handshake.decision;
          if (random.nextInt(10) == 0) {
            log(
                handshake.envoy,
                new ConnectionEvent.Failed(
                    "chat", decision.id(), decision.pod(), handshake.envoy.node, 503, "no", nowMs));
          } else {
            opens(handshake.envoy, decision.id(), decision.pod());
          }
        }
      }
    }

    private void heartbeats() {
      for (Envoy envoy : envoys) {
        Map<PodAddress, List<String>> alive = new LinkedHashMap<>();
        envoy.streams.forEach(
            (id, stream) -> {
              if (nowMs >= stream.beatMs) {
                stream.beatMs += HEARTBEAT_MS;
                alive.computeIfAbsent(stream.pod, pod -> new ArrayList<>()).add(id);
              }
            });
        if (!alive.isEmpty()) {
          log(envoy, new ConnectionEvent.Alive("chat", envoy.node, alive, nowMs + envoy.skewMs));
        }
      }
    }

    /** What an Envoy logs while no ingest listens is lost without a word. */
    private void log(Envoy envoy, LedgerRecord record) {
      if (envoy.ingest != null) {
        kafka.add(new Mail(arrival(envoy.ingest), names++, record, NOTHING));
      }
    }

    private void mail(Decision decision) {
      kafka.add(new Mail(nowMs + random.nextInt(300), names++, decision, NOTHING));
    }

    /** In the order of sending, mostly. */
    private long arrival(Ingest ingest) {
      if (random.nextInt(20) == 0) {
        return nowMs + random.nextInt(MAX_TRANSIT_MS);
      }
      ingest.lastArrivalMs = Math.max(ingest.lastArrivalMs, nowMs + random.nextInt(200));
      return ingest.lastArrivalMs;
    }

    private static Mail arriving(Mail mail, long atMs) {
      return new Mail(atMs, mail.number, mail.record, mail.presence);
    }

    private void deliver() {
      while (!kafka.isEmpty() && kafka.peek().atMs <= nowMs) {
        Mail mail = kafka.poll();
        apply(mail);
        uncommitted.add(mail);
      }
      while (!uncommitted.isEmpty() && uncommitted.peek().atMs < nowMs - 1_000) {
        uncommitted.poll();
      }
    }

    private void apply(Mail mail) {
      tell(mail.record == null ? mail.presence : mail.record);
      if (mail.record == null) {
        owner().heard(mail.presence, ownersNowMs()).values().forEach(this::store);
        heard.put(mail.presence.ingest(), mail.presence.envoys().keySet());
        return;
      }
      changes.clear();
      assertThat(owner().apply(mail.record, changes)).isTrue();
      store(changes);
    }

    /** The story of the one world that is replayed. */
    private void tell(Object what) {
      if (told) {
        System.out.println(nowMs - START_MS + " ms: " + what);
      }
    }

    private void store(Changes changes) {
      changes.givenUp().forEach(this::tell);
      MapStore.write(store, changes.connections());
    }

    /**
     * From the store, then what was not committed, then what is in Kafka: the barrier. Each of the
     * topics in its own order, and any of them first.
     */
    private void takeOver() {
      heard.clear();
      owner = new PoolShard(List.of(policy), TERMS, ownersNowMs());
      store.forEach((id, connection) -> owner().restore("chat", id, connection));
      Deque<Mail> records = new ArrayDeque<>();
      Deque<Mail> presences = new ArrayDeque<>();
      uncommitted.forEach(mail -> (mail.record == null ? presences : records).add(mail));
      while (!kafka.isEmpty()) {
        Mail mail = kafka.poll();
        (mail.record == null ? presences : records).add(mail);
      }
      int recordsFirst = random.nextInt(5);
      while (!records.isEmpty() || !presences.isEmpty()) {
        boolean record = presences.isEmpty() || random.nextInt(4) < recordsFirst;
        apply(record && !records.isEmpty() ? records.poll() : presences.poll());
      }
      owner().caughtUp();
    }

    private PoolShard owner() {
      if (owner == null) {
        throw new IllegalStateException("nobody owns the pool");
      }
      return owner;
    }

    private PoolView view() {
      return owner().view("chat", ownersNowMs()).orElseThrow();
    }

    private long ownersNowMs() {
      return nowMs + ownersClockOffMs;
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

  private static final Presence NOTHING = new Presence("none", Map.of(), 0);
}
