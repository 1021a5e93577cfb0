package io.connectionledger.app.faults;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.connectionledger.app.envoy.EnvoyProcess;
import io.connectionledger.app.faults.CountWatch.CountSample;
import io.connectionledger.app.faults.Report.FaultRow;
import io.connectionledger.app.faults.Rig.EnvoyLog;
import io.connectionledger.testkit.FreePorts;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.OptionalDouble;
import org.awaitility.Awaitility;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;

/**
 * Envoys that do not report as the ledger expects, under churn against the pods' limit: no pod may
 * take one connection too many, the ledger must say that it cannot be relied on, and be exact by
 * itself once they report again. {@code bench/faults} runs it.
 */
@Tag("faults")
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class SilenceE2E {

  private static final int CONNECTIONS = Integer.getInteger("faults.connections", 1_000);
  private static final int RESIDENTS = CONNECTIONS * 9 / 10;
  private static final int CHURN_PER_SECOND = 50;

  /** Beside the two heartbeats: a question ten times a second, the ledger's ticks, transit. */
  private static final double SLACK_SECONDS = 1.5;

  /** The default of {@code lease.reservation}. */
  private static final int RESERVATION_SECONDS = 15;

  private final Report report = new Report();
  @TempDir Path folder;

  @AfterAll
  void print() throws IOException {
    report.write(Path.of("target").resolve("faults-silence.md"));
  }

  @Test
  void shouldKeepTheLimitWhileNoAccessLogReachesIt() throws Exception {
    String fault =
        "access-log service unreachable for Envoys from the start, for 60 s, under churn";
    int port = FreePorts.one();
    try (Rig rig =
        Rig.start(
            Files.createDirectories(folder.resolve("unreachable")),
            CONNECTIONS,
            new EnvoyLog(port, Rig.HEARTBEAT))) {
      try (Relay relay = Relay.to(rig.ledger.ports().als(), port)) {
        long startMs = rig.watch.nowMs();
        rig.crowd.settle(RESIDENTS);
        rig.crowd.churn(CHURN_PER_SECOND);
        double unready = secondsUntilReadiness(rig, startMs, "not-reported");
        rig.watch.pass(Duration.ofMillis(Math.max(1, startMs + 60_000 - rig.watch.nowMs())));
        int before = rig.open();
        double unreported = rig.ledger.metric("ledger_unreported_total");
        relay.open();
        long backMs = rig.watch.nowMs();
        rig.crowd.hold();
        OptionalDouble exact = rig.watch.secondsUntilExact(backMs);
        double ready = secondsUntilReadiness(rig, backMs, null);

        add(
            fault,
            before,
            rig,
            startMs,
            exact,
            List.of(
                "not ready %.1f s after the first check, whose reservation ended after %d s"
                    .formatted(unready, RESERVATION_SECONDS),
                "%.0f outcomes were owed".formatted(unreported),
                "ready again %.1f s after the way was open".formatted(ready)));
        assertThat(unreported).isPositive();
        assertThat(unready)
            .isLessThan(RESERVATION_SECONDS + 2 * Rig.HEARTBEAT.toSeconds() + SLACK_SECONDS);
        assertThat(rig.peak()).isLessThanOrEqualTo(rig.limit);
        assertThat(exact).isPresent();
      }
    }
  }

  @Test
  void shouldKeepTheLimitWithAHeartbeatFiveTimesAsLongAsConfigured() throws Exception {
    String fault = "access_log_flush_interval five times lease.heartbeat, under churn";
    Duration real = Rig.HEARTBEAT.multipliedBy(5);
    try (Rig rig =
        Rig.start(
            Files.createDirectories(folder.resolve("heartbeat")),
            CONNECTIONS,
            new EnvoyLog(0, real))) {
      long startMs = rig.watch.nowMs();
      rig.crowd.settle(RESIDENTS);
      rig.crowd.churn(CHURN_PER_SECOND);
      double unready = secondsUntilReadiness(rig, startMs, "heartbeat-mismatch");
      rig.watch.pass(Duration.ofSeconds(40));
      int before = rig.open();
      long observedMs = rig.watch.nowMs();
      rig.crowd.hold();
      OptionalDouble exact = rig.watch.secondsUntilExact(observedMs);
      double expired = rig.ledger.metric("ledger_leases_expired_total");
      rig.crowd.resume();
      for (EnvoyProcess envoy : List.copyOf(rig.envoys)) {
        rig.replace(envoy, "mended-" + envoy.pid());
      }
      long mendedMs = rig.watch.nowMs();
      rig.watch.pass(Duration.ofSeconds(5));
      rig.crowd.hold();
      OptionalDouble after = rig.watch.secondsUntilExact(mendedMs);
      double ready = secondsUntilReadiness(rig, mendedMs, null);

      add(
          fault,
          before,
          rig,
          startMs,
          after,
          List.of(
              "not ready %.1f s after the first check".formatted(unready),
              "exact %.1f s after the churn stopped, with the wrong heartbeat"
                  .formatted(exact.orElse(Double.NaN)),
              "%.0f leases had ended before the first heartbeats came".formatted(expired),
              "ready again %.1f s after the last Envoy was mended".formatted(ready)));
      // The second gap between two heartbeats proves it.
      assertThat(unready).isLessThan(2.0 * real.toSeconds() + 2 * Rig.HEARTBEAT.toSeconds());
      assertThat(rig.peak()).isLessThanOrEqualTo(rig.limit);
      assertThat(exact).isPresent();
      assertThat(after).isPresent();
    }
  }

  /**
   * Seconds until the pool is not ready for a reason of this kind.
   *
   * @param kind null to wait until it is ready
   */
  private static double secondsUntilReadiness(Rig rig, long sinceMs, @Nullable String kind) {
    Awaitility.await(kind == null ? "ready" : kind)
        .atMost(Duration.ofMinutes(2))
        .pollInterval(Duration.ofMillis(100))
        .until(() -> says(rig.ledger.readiness(), kind));
    return (rig.watch.nowMs() - sinceMs) / 1e3;
  }

  private static boolean says(JsonNode readiness, @Nullable String kind) {
    if (kind == null) {
      return readiness.path("ready").asBoolean();
    }
    for (JsonNode reason : readiness.path("reasons")) {
      if (reason.asText().startsWith(kind + ":")) {
        return !readiness.path("ready").asBoolean();
      }
    }
    return false;
  }

  private void add(
      String fault, int before, Rig rig, long sinceMs, OptionalDouble seconds, List<String> seen) {
    report.add(
        new FaultRow(
            fault,
            before,
            seconds,
            rig.watch.most(sinceMs, CountSample::freed),
            rig.watch.most(sinceMs, CountSample::held),
            rig.peak(),
            rig.limit,
            OptionalDouble.empty(),
            seen));
  }
}
