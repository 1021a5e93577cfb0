package io.connectionledger.app.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.connectionledger.app.cluster.ClusterRig.ClientDemand;
import io.connectionledger.app.cluster.ClusterRig.Takeover;
import io.connectionledger.app.cluster.ClusterTable.Row;
import io.connectionledger.app.e2e.CheckCrowd;
import io.connectionledger.app.e2e.Cluster;
import io.connectionledger.app.e2e.Race;
import io.connectionledger.app.e2e.Topic;
import io.connectionledger.model.Ticker;
import io.connectionledger.model.event.ConnectionIds;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.OptionalDouble;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.TestMethodOrder;

/**
 * Three instances of the ledger, and what happens when they die, stop, freeze and lose Kafka. Not
 * in the default build, because it takes half an hour: {@code bench/cluster} runs it. {@link
 * ClusterE2E} has the shortest of it.
 */
@Tag("cluster")
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class ClusterFaultsE2E {

  private static final int KILLS = Integer.getInteger("cluster.kills", 10);
  private static final int ROUNDS = Integer.getInteger("cluster.rounds", 100);
  private static final int CHANGES = 20;
  private static final int KNOCKING = 300;
  private static final double OWNED_AGAIN_SECONDS = 10;
  private static final Duration CHURN = Duration.ofSeconds(4);
  private static final Duration FROZEN = Duration.ofSeconds(60);
  private static final Duration AFTER_WAKING = Duration.ofSeconds(5);
  private static final Duration BUCKET_REFILLED = Duration.ofSeconds(12);
  private static final Duration WITHOUT_BROKER = Duration.ofSeconds(30);

  private final ClusterTable table = new ClusterTable(Path.of("target", "cluster.md"));

  @Test
  @Order(1)
  void shouldGoOnAdmittingWithSharesWhenTheOwnerIsKilled() throws Exception {
    double silent = killOwners("`share`, with room", ClientDemand.WITH_ROOM, "share", "≤ 1.0");
    assertThat(silent).as("longest time without an admission").isLessThanOrEqualTo(1);
  }

  @Test
  @Order(2)
  void shouldNeverAdmitTooManyWithSharesWhenTheOwnerIsKilled() throws Exception {
    killOwners("`share`, more clients than slots", ClientDemand.OVERFULL, "share", "any");
  }

  @Test
  @Order(3)
  void shouldNeverAdmitTooManyWithoutSharesWhenTheOwnerIsKilled() throws Exception {
    killOwners("`deny`, more clients than slots", ClientDemand.OVERFULL, "deny", "any");
  }

  private double killOwners(
      String name, ClientDemand demand, String onOwnerLoss, String wantedSilence) throws Exception {
    String what = "kill -9 of the owner, %d times; %s".formatted(KILLS, name);
    try (ClusterRig rig = ClusterRig.start(ClusterRig.folder(what), demand, onOwnerLoss, false)) {
      rig.crowd.churn(ClusterRig.ATTEMPTS_PER_SECOND);
      List<Takeover> takeovers = new ArrayList<>();
      for (int kill = 0; kill < KILLS; kill++) {
        rig.watch.pass(CHURN);
        takeovers.add(rig.killOwner());
      }
      double owned = takeovers.stream().mapToDouble(Takeover::ownedSeconds).max().orElseThrow();
      double silent = takeovers.stream().mapToDouble(Takeover::silentSeconds).max().orElseThrow();
      List<Long> pids = takeovers.stream().map(Takeover::pid).toList();
      table.add(
          new Row(
              what,
              "owned again after %s s at most; %s s at most without an admission while there was room; exact %d times; peak of a pod %d"
                  .formatted(seconds(owned), seconds(silent), exact(takeovers), rig.peak()),
              "≤ 10; %s; %d; ≤ %d".formatted(wantedSilence, KILLS, ClusterRig.LIMIT),
              List.of(
                  "processes " + pids + " are gone",
                  "owned again after "
                      + list(takeovers.stream().map(Takeover::ownedSeconds).toList()),
                  "without an admission for "
                      + list(takeovers.stream().map(Takeover::silentSeconds).toList()),
                  "exact after "
                      + list(
                          takeovers.stream()
                              .map(takeover -> takeover.exactSeconds().orElse(Double.NaN))
                              .toList()),
                  "answers: " + rig.answers.between(0, Long.MAX_VALUE).kinds())));
      assertThat(pids).doesNotHaveDuplicates().hasSize(KILLS);
      assertThat(pids).noneMatch(pid -> ProcessHandle.of(pid).isPresent());
      assertThat(rig.peak()).isLessThanOrEqualTo(ClusterRig.LIMIT);
      assertThat(exact(takeovers)).isEqualTo(KILLS);
      assertThat(owned).isLessThanOrEqualTo(OWNED_AGAIN_SECONDS);
      return silent;
    }
  }

  private static int exact(List<Takeover> takeovers) {
    return (int) takeovers.stream().filter(takeover -> takeover.exactSeconds().isPresent()).count();
  }

  @Test
  @Order(4)
  void shouldFailNoCheckWhileAllInstancesAreRestartedInTurn() throws Exception {
    String what = "SIGTERM and restart of all three instances, one after another";
    try (ClusterRig rig =
        ClusterRig.start(ClusterRig.folder(what), ClientDemand.WITH_ROOM, "share", false)) {
      rig.crowd.churn(ClusterRig.ATTEMPTS_PER_SECOND);
      rig.watch.pass(CHURN);
      List<Long> pids = new ArrayList<>();

      long startMs = rig.watch.nowMs();
      for (int instance = 0; instance < ClusterRig.INSTANCES; instance++) {
        pids.add(rig.cluster.process(instance).pid());
        rig.roll(instance);
        rig.watch.pass(CHURN);
      }
      long endMs = rig.watch.nowMs();
      OptionalDouble exact = rig.settled();
      rig.watch.pass(CHURN);
      long quietMs = rig.watch.nowMs();
      rig.watch.pass(Duration.ofMillis(endMs - startMs));
      AnswerCounts.Some during = rig.answers.between(startMs, endMs);
      AnswerCounts.Some quiet = rig.answers.between(quietMs, rig.watch.nowMs());

      table.add(
          new Row(
              what,
              "%d of %,d checks failed; %s; without restarts %d of %,d failed; %s; peak of a pod %d"
                  .formatted(
                      during.failed(),
                      during.answers().size(),
                      during.times(),
                      quiet.failed(),
                      quiet.answers().size(),
                      quiet.times(),
                      rig.peak()),
              "0 failed; ≤ " + ClusterRig.LIMIT,
              List.of(
                  "processes " + pids + " are gone",
                  "it took " + seconds((endMs - startMs) / 1e3) + " s",
                  "answers: " + during.kinds(),
                  "without restarts: " + quiet.kinds(),
                  "the Envoys retried %d checks and gave up on %d"
                      .formatted(
                          rig.envoys("cluster.authz.upstream_rq_retry"),
                          rig.envoys("http.websockets.ext_authz.admission.error")))));
      assertThat(pids).noneMatch(pid -> ProcessHandle.of(pid).isPresent());
      assertThat(exact).isPresent();
      assertThat(rig.peak()).isLessThanOrEqualTo(ClusterRig.LIMIT);
      assertThat(during.failed()).as(during.kinds()).isZero();
    }
  }

  @Test
  @Order(5)
  void shouldAdmitNothingAsAFalseOwnerAfterAMinuteInWhichItStoodStill() throws Exception {
    String what = "SIGSTOP of the owner for 60 s, then SIGCONT";
    try (ClusterRig rig =
        ClusterRig.start(ClusterRig.folder(what), ClientDemand.WITH_ROOM, "share", false)) {
      rig.crowd.churn(ClusterRig.ATTEMPTS_PER_SECOND);
      rig.watch.pass(CHURN);
      int owner = rig.cluster.ownerOf(ClusterRig.POOL);

      rig.freeze(owner);
      long frozenMs = rig.watch.nowMs();
      int free = ClusterRig.CAPACITY - rig.open();
      int next = rig.awaitOwner(owner);
      double ownedSeconds = (rig.watch.nowMs() - frozenMs) / 1e3;
      rig.watch.pass(FROZEN.dividedBy(2));
      AnswerCounts.Some frozen = rig.answers.between(frozenMs, rig.watch.nowMs());
      // What it took for free when it froze is taken when it wakes, and nobody leaves.
      rig.fill();
      rig.watch.pass(FROZEN.minusMillis(rig.watch.nowMs() - frozenMs));
      rig.thaw(owner);
      long wokenMs = rig.watch.nowMs();
      List<String> woken = new ArrayList<>();
      try (CheckCrowd checks = CheckCrowd.of(ClusterRig.POOL, rig.cluster.authzPorts())) {
        while (rig.watch.nowMs() < wokenMs + AFTER_WAKING.toMillis()) {
          woken.add(checks.askOnly(owner));
        }
      }
      int admitted = Collections.frequency(woken, "allowed");
      rig.crowd.resume();
      rig.watch.pass(CHURN);
      OptionalDouble exact = rig.settled();

      table.add(
          new Row(
              what,
              "%d of %,d checks that it was asked in the first %d s admitted, all slots being taken; owned by another after %s s; peak of a pod %d"
                  .formatted(
                      admitted,
                      woken.size(),
                      AFTER_WAKING.toSeconds(),
                      seconds(ownedSeconds),
                      rig.peak()),
              "0; –; ≤ " + ClusterRig.LIMIT,
              List.of(
                  "instance %d stood still for %s s, instance %d took over"
                      .formatted(owner, seconds((wokenMs - frozenMs) / 1e3), next),
                  free + " slots were free when it froze, none when it woke",
                  "clients, in its first half minute: " + frozen.kinds() + "; " + frozen.times(),
                  "it answered " + new TreeSet<>(woken),
                  "exact " + (exact.isPresent() ? "again" : "never again"))));
      assertThat(wokenMs - frozenMs).isGreaterThanOrEqualTo(FROZEN.toMillis());
      assertThat(next).isNotEqualTo(owner);
      assertThat(free).isPositive();
      assertThat(woken).isNotEmpty();
      assertThat(admitted).isZero();
      assertThat(rig.peak()).isLessThanOrEqualTo(ClusterRig.LIMIT);
      assertThat(exact).isPresent();
    }
  }

  @Test
  @Order(6)
  void shouldAnswerByThePolicyAndStayBelowTheLimitWithoutTheBroker() throws Exception {
    String what = "kill -9 of the only broker, back after 30 s; `deny`";
    // How long an owner decides on its last beat, and a second for what was on its way.
    long leaseMs = Duration.ofSeconds(4).toMillis();
    try (ClusterRig rig =
        ClusterRig.start(ClusterRig.folder(what), ClientDemand.OVERFULL, "deny", false)) {
      rig.crowd.churn(ClusterRig.ATTEMPTS_PER_SECOND);
      rig.watch.pass(CHURN);
      long pid = rig.cluster.broker().pid();

      long killedMs = rig.watch.nowMs();
      rig.cluster.broker().kill();
      rig.watch.pass(WITHOUT_BROKER);
      long backMs = rig.watch.nowMs();
      rig.cluster.broker().restart();
      rig.awaitOwner(-1);
      long ownedMs = rig.watch.nowMs();
      rig.watch.pass(CHURN.multipliedBy(2));
      OptionalDouble exact = rig.settled();
      AnswerCounts.Some lease = rig.answers.between(killedMs, killedMs + leaseMs);
      AnswerCounts.Some away = rig.answers.between(killedMs + leaseMs, backMs);

      table.add(
          new Row(
              what,
              "first %d s: %s; then: %s; owned %s s after its return; peak of a pod %d"
                  .formatted(
                      leaseMs / 1000,
                      lease.kinds(),
                      away.kinds(),
                      seconds((ownedMs - backMs) / 1e3),
                      rig.peak()),
              "decided for 3 s, then `no_owner` alone; ≤ " + ClusterRig.LIMIT,
              List.of(
                  "process " + pid + " is gone",
                  "%s s away".formatted(seconds((backMs - killedMs) / 1e3)),
                  "exact " + (exact.isPresent() ? "again" : "never again"))));
      assertThat(ProcessHandle.of(pid)).isEmpty();
      assertThat(away.count("no_owner")).isEqualTo(away.answers().size()).isPositive();
      assertThat(rig.peak()).isLessThanOrEqualTo(ClusterRig.LIMIT);
      assertThat(exact).isPresent();
    }
  }

  @Test
  @Order(7)
  void shouldGiveTheLastTenSlotsToTenOfTwoHundred() throws Exception {
    String what =
        "200 clients at once for the last 10 slots, by gRPC to all three instances, %d rounds"
            .formatted(ROUNDS);
    try (Cluster cluster =
        Cluster.start(ClusterRig.folder(what), 3, Race.SLOTS, List.of(Race.POOL))) {
      List<Integer> admitted;
      try (Race race = new Race(cluster)) {
        admitted = race.run(ROUNDS);
      }
      table.add(
          new Row(
              what,
              "%d to %d admitted in each round"
                  .formatted(Collections.min(admitted), Collections.max(admitted)),
              "10",
              List.of("all slots held in the end: " + cluster.held(Race.POOL))));
      assertThat(admitted).hasSize(ROUNDS).containsOnly(Race.SLOTS);
      assertThat(cluster.held(Race.POOL)).isEqualTo(Race.SLOTS * ROUNDS);
    }
  }

  @Test
  @Order(8)
  void shouldFollowAPolicyOnEveryInstanceWithinASecond() throws Exception {
    String what = "a policy changed on one instance, %d times".formatted(CHANGES);
    Ticker ticker = Ticker.system();
    try (Cluster cluster = Cluster.start(ClusterRig.folder(what), 3, 10, List.of("told"))) {
      List<Double> millis = new ArrayList<>();
      for (int change = 0; change < CHANGES; change++) {
        int limit = 100 + change;
        long startedNanos = ticker.nowNanos();
        cluster.change(
            change % cluster.size(),
            "PUT",
            "/v1/pools/told/policy",
            "{\"perPodMaxConnections\":%d}".formatted(limit));
        Awaitility.await("limit " + limit + " everywhere")
            .atMost(Duration.ofSeconds(20))
            .pollDelay(Duration.ZERO)
            .pollInterval(Duration.ofMillis(5))
            .until(() -> inForce(cluster, limit));
        millis.add((ticker.nowNanos() - startedNanos) / 1e6);
      }
      Collections.sort(millis);
      table.add(
          new Row(
              what,
              String.format(
                  Locale.ROOT,
                  "known to all three, and in force where checks are decided, after %.0f ms (median), %.0f ms at most",
                  millis.get(CHANGES / 2),
                  millis.getLast()),
              "≤ 1 s",
              List.of("each change by another of the three")));
      assertThat(millis.getLast()).isLessThanOrEqualTo(1_000);
    }
  }

  private static boolean inForce(Cluster cluster, int limit) {
    return IntStream.range(0, cluster.size())
        .allMatch(
            instance ->
                cluster.get(instance, "/v1/pools/told/policy").path("perPodMaxConnections").asInt()
                        == limit
                    && cluster
                            .get(instance, "/v1/pools/told/connections")
                            .at("/pods/0/limit")
                            .asInt()
                        == limit);
  }

  @Test
  @Order(9)
  void shouldAdoptWhatTheEnvoysLetThroughWithoutAnyInstance() throws Exception {
    String what = "kill -9 of all three instances; the Envoys fail open";
    try (ClusterRig rig =
        ClusterRig.start(ClusterRig.folder(what), ClientDemand.WITH_ROOM, "share", true)) {
      // A machine that is busy with the start may have let some through already.
      rig.watch.pass(BUCKET_REFILLED);
      int before = rig.open();
      Set<String> unleasedBefore = unleased(rig.cluster.bootstrapServers());
      List<Long> pids = new ArrayList<>();
      for (int instance = 0; instance < ClusterRig.INSTANCES; instance++) {
        pids.add(rig.cluster.process(instance).pid());
        rig.kill(instance);
      }
      long downMs = rig.watch.nowMs();
      int through = rig.crowd.knock(KNOCKING);
      long triedMs = rig.watch.nowMs();
      for (int instance = 0; instance < ClusterRig.INSTANCES; instance++) {
        rig.cluster.process(instance).restart();
      }
      for (int instance = 0; instance < ClusterRig.INSTANCES; instance++) {
        rig.awaitBack(instance);
      }
      long readyMs = rig.watch.nowMs();
      OptionalDouble exact = rig.watch.secondsUntilExact(readyMs);
      Set<String> unleased = unleased(rig.cluster.bootstrapServers());
      unleased.removeAll(unleasedBefore);
      // The bucket of each Envoy, and what it refills while the crowd knocks.
      int allowed = (int) (ClusterRig.ENVOYS * (11 + (triedMs - downMs) / 1_000));

      table.add(
          new Row(
              what,
              "%d of %d let through, %d of them adopted; exact %s s after the return; peak of a pod %d"
                  .formatted(
                      through,
                      KNOCKING,
                      unleased.size(),
                      exact.isPresent() ? seconds(exact.getAsDouble()) : "never",
                      rig.peak()),
              "≤ %d (10 and 1 a second for each Envoy); all".formatted(allowed),
              List.of(
                  "processes " + pids + " are gone",
                  before + " were open before, " + rig.open() + " afterwards",
                  "answers: " + rig.answers.between(downMs, readyMs).kinds())));
      assertThat(pids).noneMatch(pid -> ProcessHandle.of(pid).isPresent());
      assertThat(through).isBetween(1, allowed);
      assertThat(exact).isPresent();
      assertThat(unleased).hasSize(through);
    }
  }

  /** Connections that are in the topic, opened or alive, without a reservation. */
  private static Set<String> unleased(String bootstrapServers) throws Exception {
    Set<String> connections = new HashSet<>();
    for (JsonNode event : Topic.read(bootstrapServers).events()) {
      connections.add(event.path("connection").asText());
      for (JsonNode pod : event.path("pods")) {
        pod.forEach(connection -> connections.add(connection.asText()));
      }
    }
    connections.removeIf(connection -> !ConnectionIds.isUnleased(connection));
    return connections;
  }

  private static String seconds(double value) {
    return String.format(Locale.ROOT, "%.1f", value);
  }

  private static String list(List<Double> values) {
    return values.stream().map(ClusterFaultsE2E::seconds).collect(Collectors.joining(", ")) + " s";
  }
}
