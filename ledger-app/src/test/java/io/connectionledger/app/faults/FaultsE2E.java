package io.connectionledger.app.faults;

import static org.assertj.core.api.Assertions.assertThat;

import io.connectionledger.app.e2e.ServeProcess;
import io.connectionledger.app.e2e.Topic;
import io.connectionledger.app.envoy.EnvoyBinary;
import io.connectionledger.app.envoy.EnvoyProcess;
import io.connectionledger.app.faults.CountWatch.CountSample;
import io.connectionledger.app.faults.Report.FaultRow;
import io.connectionledger.model.PodAddress;
import io.connectionledger.testkit.TestFolders;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalDouble;
import java.util.function.Consumer;
import java.util.function.UnaryOperator;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.TestMethodOrder;

/**
 * Breaks one part after another and measures how long the ledger takes to be exact again. Not in
 * the default build, because it takes a quarter of an hour: {@code bench/faults} runs it.
 */
@Tag("faults")
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class FaultsE2E {

  private static final int CONNECTIONS = Integer.getInteger("faults.connections", 1_000);
  private static final int SCRIPTED = Integer.getInteger("faults.scripted-connections", 100_000);
  private static final int KILLS = Integer.getInteger("faults.kills", 10);

  /** Of those who may be in at once; the others are passers-by, who compete for the last slots. */
  private static final int RESIDENTS = CONNECTIONS * 9 / 10;

  private static final int CHURN_PER_SECOND = 50;
  private static final Duration SHORT_CHURN = Duration.ofSeconds(3);
  private static final Duration BETWEEN_RESTARTS = Duration.ofSeconds(2);

  private final Report report = new Report();
  private final Path target = Path.of("target");

  /** A fault that was measured. */
  private record Measured(long sinceMs, OptionalDouble seconds) {}

  @AfterAll
  void print() throws IOException {
    report.write(target.resolve("faults.md"));
  }

  @Test
  @Order(1)
  void shouldBeExactAfterKill9OfAnEnvoy() throws Exception {
    oneEnvoyLess("kill -9 of one of three Envoys", EnvoyProcess::kill);
  }

  @Test
  @Order(2)
  void shouldBeExactAfterSigtermOfAnEnvoy() throws Exception {
    oneEnvoyLess("SIGTERM of one of three Envoys", EnvoyProcess::terminate);
  }

  private void oneEnvoyLess(String fault, Consumer<EnvoyProcess> end) throws Exception {
    try (Rig rig = Rig.start(folder(fault), CONNECTIONS)) {
      rig.crowd.settle(CONNECTIONS);
      rig.awaitExact();
      oneEnvoyLess(fault, rig, rig.envoys.getFirst(), end, new ArrayList<>());
    }
  }

  private void oneEnvoyLess(
      String fault, Rig rig, EnvoyProcess victim, Consumer<EnvoyProcess> end, List<String> seen)
      throws Exception {
    int before = rig.open();
    double streams = rig.ledger.metric("ledger_als_streams ");

    long endedMs = rig.watch.nowMs();
    end.accept(victim);
    Measured measured = new Measured(endedMs, rig.watch.secondsUntilExact(endedMs));

    double streamsLeft = rig.ledger.metric("ledger_als_streams ");
    seen.add("process " + victim.pid() + (victim.isAlive() ? " lives" : " is gone"));
    seen.add("access-log streams %.0f → %.0f".formatted(streams, streamsLeft));
    seen.add("the pods lost " + (before - rig.open()) + " connections");
    add(fault, before, rig, measured, 3, seen);
    assertThat(victim.isAlive()).isFalse();
    assertThat(streams - streamsLeft).isEqualTo(Rig.WORKERS);
    assertThat(before - rig.open()).isBetween(before / 5, before / 2);
    assertMet(fault);
  }

  @Test
  @Order(3)
  void shouldBeExactAfterARollingRestartOfAllEnvoys() throws Exception {
    rollingRestart("rolling restart of all three Envoys, under churn", node -> node);
  }

  @Test
  @Order(4)
  void shouldBeExactAfterARollingReplacementOfAllEnvoys() throws Exception {
    rollingRestart("the same, each back under a new name", node -> node + "-new");
  }

  private void rollingRestart(String fault, UnaryOperator<String> rename) throws Exception {
    try (Rig rig = Rig.start(folder(fault), CONNECTIONS)) {
      rig.crowd.settle(RESIDENTS);
      rig.crowd.churn(CHURN_PER_SECOND);
      rig.watch.pass(SHORT_CHURN);
      int before = rig.open();
      int ends = rig.crowd.ends();
      int attempts = rig.crowd.attempts();
      List<EnvoyProcess> old = List.copyOf(rig.envoys);

      long firstMs = rig.watch.nowMs();
      for (int i = 0; i < old.size(); i++) {
        rig.watch.pass(BETWEEN_RESTARTS);
        rig.replace(old.get(i), rename.apply("envoy-" + (i + 1)));
      }
      long lastMs = rig.watch.nowMs();
      rig.crowd.hold();
      OptionalDouble seconds = rig.watch.secondsUntilExact(lastMs);

      add(
          fault,
          before,
          rig,
          new Measured(firstMs, seconds),
          5,
          List.of(
              "processes " + old.stream().map(EnvoyProcess::pid).toList() + " are gone",
              "within %.1f s".formatted((lastMs - firstMs) / 1e3),
              (rig.crowd.ends() - ends) + " connections ended",
              (rig.crowd.attempts() - attempts) + " were attempted"));
      assertThat(old).noneMatch(EnvoyProcess::isAlive);
      assertThat(rig.envoys).allMatch(EnvoyProcess::isAlive);
      assertThat(rig.crowd.ends() - ends).isGreaterThanOrEqualTo(RESIDENTS);
      assertMet(fault);
    }
  }

  @Test
  @Order(5)
  void shouldBeExactAfterTheAccessLogServiceWasAway() throws Exception {
    String fault = "access-log service away for 30 s, under churn";
    try (Rig rig =
        Rig.start(folder(fault), CONNECTIONS, "kafka,admission,control-plane", "ingest")) {
      rig.crowd.settle(RESIDENTS);
      rig.crowd.churn(CHURN_PER_SECOND);
      rig.watch.pass(SHORT_CHURN);
      int before = rig.open();
      ServeProcess ingest = rig.ledger.process(1);

      long killedMs = rig.watch.nowMs();
      int ends = rig.crowd.ends();
      ingest.kill();
      boolean gone = !ingest.isAlive() && !rig.ledger.alsListens();
      rig.watch.pass(Duration.ofSeconds(30));
      int streams = alsConnections(rig);
      int unseen = rig.crowd.ends() - ends;
      ingest.restart();
      rig.ledger.awaitAls();
      long backMs = rig.watch.nowMs();
      rig.crowd.hold();
      OptionalDouble seconds = rig.watch.secondsUntilExact(backMs);

      add(
          fault,
          before,
          rig,
          new Measured(killedMs, seconds),
          5,
          List.of(
              gone ? "port and process gone" : "it lived on",
              "Envoys had " + streams + " connections to it, now " + alsConnections(rig),
              "%.1f s away".formatted((backMs - killedMs) / 1e3),
              unseen + " connections ended unseen"));
      assertThat(gone).isTrue();
      assertThat(streams).isZero();
      assertThat(alsConnections(rig)).isPositive();
      assertThat(unseen).isPositive();
      assertMet(fault);
    }
  }

  private static int alsConnections(Rig rig) throws Exception {
    int connections = 0;
    for (EnvoyProcess envoy : rig.envoys) {
      String stats =
          envoy.admin("/stats?filter=%5Ecluster.als.upstream_cx_active%24").body().strip();
      connections += Integer.parseInt(stats.substring(stats.lastIndexOf(' ') + 1));
    }
    return connections;
  }

  @Test
  @Order(6)
  void shouldLoseNothingAcknowledgedAndBeExactAfterKill9OfTheBroker() throws Exception {
    String fault = "kill -9 of the broker, back after 20 s, under churn";
    try (Rig rig =
        Rig.start(folder(fault), CONNECTIONS, "kafka", "ingest,admission,control-plane")) {
      rig.crowd.settle(RESIDENTS);
      rig.crowd.churn(CHURN_PER_SECOND);
      rig.watch.pass(SHORT_CHURN);
      int before = rig.open();
      ServeProcess broker = rig.ledger.process(0);
      long pid = broker.pid();

      long killedMs = rig.watch.nowMs();
      broker.kill();
      boolean gone = !broker.isAlive() && !rig.ledger.kafkaListens();
      rig.watch.pass(Duration.ofSeconds(20));
      broker.restart();
      rig.ledger.awaitKafka();
      long backMs = rig.watch.nowMs();
      rig.crowd.hold();
      OptionalDouble seconds = rig.watch.secondsUntilExact(backMs);

      List<String> lost = new ArrayList<>();
      List<String> acknowledged = new ArrayList<>();
      for (String type : List.of("opened", "alive", "closed", "failed")) {
        long counted = (long) rig.ledger.metric("ledger_events_total{type=\"" + type + "\"}");
        acknowledged.add(counted + " " + type);
        long found =
            Topic.read(rig.ledger.bootstrapServers()).events().stream()
                .filter(event -> event.path("type").asText().equals(type))
                .count();
        if (found < counted) {
          lost.add("%d of %d %s are in the topic".formatted(found, counted, type));
        }
      }
      add(
          fault,
          before,
          rig,
          new Measured(killedMs, seconds),
          5,
          List.of(
              gone ? "process " + pid + " and its port gone" : "it lived on",
              "%.1f s away".formatted((backMs - killedMs) / 1e3),
              "acknowledged: " + String.join(", ", acknowledged),
              "acknowledged and lost: " + (lost.isEmpty() ? "none" : String.join(", ", lost)),
              "given up by the ingest: %.0f"
                  .formatted(rig.ledger.metric("ledger_events_lost_total "))));
      assertThat(gone).isTrue();
      assertThat(broker.pid()).isNotEqualTo(pid);
      assertThat(lost).isEmpty();
      assertMet(fault);
    }
  }

  @Test
  @Order(7)
  void shouldBeExactAfterEachOfManyKills() throws Exception {
    String fault = "kill -9 of serve, " + KILLS + " times, under churn";
    try (Rig rig = Rig.start(folder(fault), CONNECTIONS)) {
      rig.crowd.settle(RESIDENTS);
      rig.crowd.churn(CHURN_PER_SECOND);
      int before = CONNECTIONS;
      double worst = 0;
      int freed = 0;
      int held = 0;
      List<Long> pids = new ArrayList<>();
      List<String> starts = new ArrayList<>();
      ServeProcess serve = rig.ledger.process(0);
      for (int kill = 0; kill < KILLS; kill++) {
        rig.crowd.resume();
        rig.watch.pass(SHORT_CHURN);
        before = Math.min(before, rig.open());
        pids.add(serve.pid());
        serve.kill();
        serve.restart();
        long startedMs = rig.watch.nowMs();
        rig.ledger.awaitReady();
        long readyMs = rig.watch.nowMs();
        rig.crowd.hold();
        worst = Math.max(worst, rig.watch.secondsUntilExact(startedMs).orElse(Double.MAX_VALUE));
        freed = Math.max(freed, rig.watch.most(readyMs, CountSample::freed));
        held = Math.max(held, rig.watch.most(readyMs, CountSample::held));
        starts.add("%.1f".formatted((readyMs - startedMs) / 1e3));
      }
      report.add(
          new FaultRow(
              fault,
              before,
              worst == Double.MAX_VALUE ? OptionalDouble.empty() : OptionalDouble.of(worst),
              freed,
              held,
              rig.peak(),
              rig.limit,
              OptionalDouble.of(10),
              List.of(
                  "processes " + pids + " are gone",
                  "counted from each start of the process",
                  "ready again after " + String.join(", ", starts) + " s")));
      assertThat(pids).doesNotHaveDuplicates().hasSize(KILLS).doesNotContain(serve.pid());
      assertThat(pids).noneMatch(pid -> ProcessHandle.of(pid).isPresent());
      assertMet(fault);
    }
  }

  @Test
  @Order(8)
  void shouldRestoreEveryConnectionWithoutItsStateDirectory() throws Exception {
    String fault = "state directory deleted while down";
    List<PodAddress> pods =
        IntStream.rangeClosed(1, 4).mapToObj(i -> new PodAddress("10.0.0." + i, 8080)).toList();
    Duration heartbeat = Duration.ofSeconds(10);
    String pool =
        "%s: { per-pod-max-connections: %d, pods: [%s] }"
            .formatted(
                LedgerProcesses.POOL,
                SCRIPTED / 4,
                String.join(
                    ", ",
                    pods.stream()
                        .map(pod -> "{ name: 'pod-%s', address: '%s' }".formatted(pod.ip(), pod))
                        .toList()));
    try (LedgerProcesses ledger = LedgerProcesses.start(folder(fault), heartbeat, pool);
        LogOnlyEnvoy envoy =
            new LogOnlyEnvoy(
                ledger.ports().als(), "scripted", LedgerProcesses.POOL, pods, heartbeat);
        CountWatch watch = CountWatch.start(envoy::counts, ledger::counts)) {
      envoy.open(SCRIPTED);
      assertThat(watch.secondsUntilExact(watch.nowMs())).isPresent();

      ledger.process(0).kill();
      long files = TestFolders.delete(ledger.stores());
      boolean deleted = Files.notExists(ledger.stores());
      long startedMs = watch.nowMs();
      ledger.process(0).restart();
      ledger.awaitReady();
      long readyMs = watch.nowMs();
      boolean exactWhenReady =
          ledger.counts().map(counts -> counts.active().equals(envoy.counts())).orElse(false);
      OptionalDouble seconds = watch.secondsUntilExact(startedMs);
      double repairs = ledger.metric("ledger_repairs_total");

      report.add(
          new FaultRow(
              fault,
              SCRIPTED,
              seconds,
              watch.most(readyMs, CountSample::freed),
              watch.most(readyMs, CountSample::held),
              SCRIPTED / 4,
              SCRIPTED / 4,
              OptionalDouble.empty(),
              List.of(
                  files + " files deleted",
                  "counted from the start of the process, which was ready after %.1f s"
                      .formatted((readyMs - startedMs) / 1e3),
                  (exactWhenReady ? "exact" : "not exact") + " when ready",
                  "%.0f heartbeats had to repair".formatted(repairs))));
      assertThat(files).isPositive();
      assertThat(deleted).isTrue();
      assertThat(exactWhenReady).isTrue();
      assertThat(repairs).isZero();

      // What was restored is alive: it can be closed.
      long closedMs = watch.nowMs();
      envoy.close(SCRIPTED / 10);
      assertThat(watch.secondsUntilExact(closedMs)).isPresent();
      assertMet(fault);
    }
  }

  @Test
  @Order(9)
  void shouldNotMindEnvoysWhoseClocksAreTenMinutesOff() throws Exception {
    String fault = "clocks of two Envoys 10 minutes off (+ and −), under churn";
    Path folder = folder(fault);
    Path program = EnvoyBinary.system().locate();
    long offset = Duration.ofMinutes(10).toSeconds();
    List<Path> programs =
        List.of(
            OffsetClock.over(program, -offset, folder),
            OffsetClock.over(program, offset, folder),
            program);
    try (Rig rig = Rig.start(folder, CONNECTIONS, programs)) {
      List<String> seen = new ArrayList<>();
      List<Long> offsets = new ArrayList<>();
      for (EnvoyProcess envoy : rig.envoys) {
        offsets.add(clockOffsetSeconds(envoy));
        seen.add("an Envoy's date is " + offsets.getLast() + " s off");
      }
      rig.crowd.settle(RESIDENTS);
      long churnMs = rig.watch.nowMs();
      rig.crowd.churn(CHURN_PER_SECOND);
      rig.watch.pass(Duration.ofSeconds(15));
      int before = rig.open();
      rig.crowd.hold();
      long heldMs = rig.watch.nowMs();
      OptionalDouble seconds = rig.watch.secondsUntilExact(heldMs);

      add(fault, before, rig, new Measured(churnMs, seconds), 2, seen);
      assertThat(offsets.get(0)).isBetween(-offset - 5, -offset + 5);
      assertThat(offsets.get(1)).isBetween(offset - 5, offset + 5);
      assertMet(fault);
      oneEnvoyLess(
          "kill -9 of an Envoy whose clock is 10 minutes slow",
          rig,
          rig.envoys.getFirst(),
          EnvoyProcess::kill,
          new ArrayList<>());
    }
  }

  private static long clockOffsetSeconds(EnvoyProcess envoy) throws Exception {
    String date = envoy.admin("/ready").headers().firstValue("date").orElseThrow();
    Instant there = ZonedDateTime.parse(date, DateTimeFormatter.RFC_1123_DATE_TIME).toInstant();
    return Duration.between(Instant.now(), there).toSeconds();
  }

  private void add(
      String fault,
      int connections,
      Rig rig,
      Measured measured,
      double targetSeconds,
      List<String> seen) {
    report.add(
        new FaultRow(
            fault,
            connections,
            measured.seconds(),
            rig.watch.most(measured.sinceMs(), CountSample::freed),
            rig.watch.most(measured.sinceMs(), CountSample::held),
            rig.peak(),
            rig.limit,
            OptionalDouble.of(targetSeconds),
            seen));
  }

  private void assertMet(String fault) {
    FaultRow row = report.row(fault);
    assertThat(row.seconds()).as("exact after: %s", fault).isPresent();
    row.target()
        .ifPresent(
            target ->
                assertThat(row.seconds().orElseThrow())
                    .as("seconds until exact after: %s", fault)
                    .isLessThanOrEqualTo(target));
    assertThat(row.peak()).as("peak of a pod during: %s", fault).isLessThanOrEqualTo(row.limit());
  }

  /** Where a fault's processes live and log; what an earlier run left is deleted. */
  private Path folder(String fault) throws IOException {
    return TestFolders.empty(target.resolve("faults"), fault);
  }
}
