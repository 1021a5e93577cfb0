package io.connectionledger.streams.rules.connections;

import io.connectionledger.model.policy.DurationText;
import io.connectionledger.streams.rules.lease.LeaseTerms;
import io.connectionledger.streams.rules.state.Changes;
import io.connectionledger.streams.rules.state.StoredConnection;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Judges whether the Envoys report what the counts of a pool rely on, and says in sentences of its
 * readiness what is missing, at whom, and what the likely cause is.
 */
public final class Reporting {

  /** Of all that is or may be open, how much may be unreported, or of the ends never seen open. */
  private static final double MAX_UNREPORTED = 0.05;

  /** Of the open connections, how many may never have been admitted: some while we are away. */
  private static final double MAX_UNLEASED = 0.1;

  /** So many Envoys are named in a sentence. */
  private static final int NAMED = 3;

  private final LeaseTerms terms;
  private final ConnectionTable connections;
  private final EnvoyTable envoys;

  public Reporting(LeaseTerms terms, ConnectionTable connections, EnvoyTable envoys) {
    this.terms = terms;
    this.connections = connections;
    this.envoys = envoys;
  }

  /** The heartbeats of one report have been read. */
  public void reported(EnvoyTable.Slot envoy, Changes changes) {
    envoy.reported();
    if (envoy.isIntervalNews()) {
      envoy.storedIntervalMs = envoy.heartbeat.observedMs();
      changes.interval(envoy.node, envoy.storedIntervalMs);
    }
    if (envoy.heartbeat.isSlow() && !envoy.warnedOfInterval) {
      envoy.warnedOfInterval = true;
      changes.warn(slow(List.of(envoy)));
    }
  }

  /** Warns once of each listener behind which somebody has begun to owe outcomes. */
  public void warn(long leaseNowMs, Changes changes) {
    for (Reporter reporter : connections.reservations().owing()) {
      if (!reporter.warned && reporter.missedMs == leaseNowMs) {
        reporter.warned = true;
        changes.warn(unreported(List.of(reporter)));
      }
    }
  }

  /** What is wrong now; empty when nothing is. */
  public List<String> problems(long leaseNowMs) {
    List<String> problems = new ArrayList<>();
    Reservations reservations = connections.reservations();
    int open = connections.open().size();
    List<Reporter> silent = silent(leaseNowMs, open + reservations.unreported());
    if (!silent.isEmpty()) {
      problems.add(unreported(silent));
    }
    List<EnvoyTable.Slot> known =
        Stream.concat(envoys.holding().stream(), envoys.idle().stream()).toList();
    List<EnvoyTable.Slot> endOnly =
        known.stream().filter(envoy -> reportsEndsOnly(envoy, leaseNowMs)).toList();
    if (!endOnly.isEmpty()) {
      problems.add(
          "not-reported: the end of connections was reported that had never been reported open, by "
              + names(endOnly.stream().map(envoy -> envoy.node).toList())
              + ": is access_log_options set there, and does no filter of the log drop entries?");
    }
    List<EnvoyTable.Slot> slow = known.stream().filter(e -> e.heartbeat.isSlow()).toList();
    if (!slow.isEmpty()) {
      problems.add(slow(slow));
    }
    int unleased = connections.open().unleased();
    if (unleased > open * MAX_UNLEASED) {
      problems.add(
          "unleased: "
              + unleased
              + " of "
              + open
              + " open connections were never admitted: do all routes of this pool ask ext_authz, and"
              + " do the checks reach the ledger?");
    }
    return problems;
  }

  private List<Reporter> silent(long leaseNowMs, int all) {
    Reservations reservations = connections.reservations();
    if (reservations.unreported() > all * MAX_UNREPORTED) {
      return List.copyOf(reservations.owing());
    }
    if (!terms.unreported().isZero()) {
      return List.of();
    }
    // Where nothing is held, what was missed within a lease still tells.
    List<Reporter> silent = new ArrayList<>();
    for (Reporter reporter : reservations.reporters()) {
      if (!reporter.isTrusted() && reporter.missedMs + terms.leaseMs() > leaseNowMs) {
        silent.add(reporter);
      }
    }
    return silent;
  }

  private boolean reportsEndsOnly(EnvoyTable.Slot envoy, long leaseNowMs) {
    return envoy.unseenEnds() > envoy.ends() * MAX_UNREPORTED
        && envoy.unseenEndMs() + terms.leaseMs(envoy.heartbeat) > leaseNowMs;
  }

  private String unreported(List<Reporter> silent) {
    int held = silent.stream().mapToInt(reporter -> reporter.unreported.size()).sum();
    String hold =
        held == 0
            ? ""
            : "; " + held + " slots stay taken, for " + text(terms.unreported()) + " at most each";
    return "not-reported: what became of admitted connections was not reported by "
        + names(silent.stream().map(Reporting::name).toList())
        + hold
        + ": does the access log of each reach this ledger (its cluster, access_log_options, filters)?";
  }

  private static String name(Reporter reporter) {
    if (reporter.isShared()) {
      return "an Envoy whose checks do not say where it listens";
    }
    if (reporter.listener.startsWith(StoredConnection.ENVOY)) {
      return reporter.listener;
    }
    return "the Envoy at "
        + reporter.listener
        + (reporter.node.isEmpty() ? "" : " (" + reporter.node + ")");
  }

  private String slow(List<EnvoyTable.Slot> slow) {
    String each =
        names(
            slow.stream()
                .map(
                    envoy ->
                        envoy.node
                            + " every "
                            + text(
                                Duration.ofSeconds(
                                    Math.round(envoy.heartbeat.observedMs() / 1_000.0))))
                .toList());
    return "heartbeat-mismatch: open connections are repeated by "
        + each
        + ", while lease.heartbeat is "
        + text(terms.heartbeat())
        + ": make it equal to access_log_flush_interval there";
  }

  private static String names(List<String> all) {
    String named = all.stream().limit(NAMED).collect(Collectors.joining(", "));
    return all.size() > NAMED ? named + " and " + (all.size() - NAMED) + " more" : named;
  }

  private static String text(Duration duration) {
    return DurationText.of(duration);
  }
}
