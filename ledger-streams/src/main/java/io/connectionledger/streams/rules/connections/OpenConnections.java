package io.connectionledger.streams.rules.connections;

import io.connectionledger.model.event.ConnectionIds;
import io.connectionledger.streams.rules.lease.LeaseTerms;
import io.connectionledger.streams.rules.placement.PodState;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The open connections of a pool by their ids, and by their Envoys in the order of their last signs
 * of life: those of one Envoy have equally long leases, so the price of an expiry is what expires.
 */
public final class OpenConnections {

  private final Map<String, OpenConnection> byId = new HashMap<>();
  private final LeaseTerms terms;
  private final EnvoyTable envoys;

  /** How many have given no sign of life since this instance owns the pool. */
  private int unconfirmed;

  private int unleased;

  OpenConnections(LeaseTerms terms, EnvoyTable envoys) {
    this.terms = terms;
    this.envoys = envoys;
  }

  public int size() {
    return byId.size();
  }

  /** How many were never admitted. */
  public int unleased() {
    return unleased;
  }

  @Nullable OpenConnection get(String id) {
    return byId.get(id);
  }

  boolean contains(String id) {
    return byId.containsKey(id);
  }

  void add(String id, PodState pod, EnvoyTable.Slot envoy, long leaseNowMs, boolean confirmed) {
    OpenConnection connection = new OpenConnection(id, pod, envoy, leaseNowMs, confirmed);
    byId.put(id, connection);
    envoys.holds(connection);
    if (!confirmed) {
      unconfirmed++;
    }
    if (ConnectionIds.isUnleased(id)) {
      unleased++;
    }
  }

  /** A heartbeat. */
  void heard(OpenConnection connection, long leaseNowMs) {
    if (connection.confirmed) {
      connection.envoy.gap(leaseNowMs - connection.sinceMs);
    } else {
      connection.confirmed = true;
      unconfirmed--;
    }
    connection.sinceMs = leaseNowMs;
    envoys.heard(connection);
  }

  /** Takes it away; null when it is not here. */
  @Nullable OpenConnection remove(String id) {
    OpenConnection connection = byId.remove(id);
    if (connection != null) {
      envoys.dropped(connection);
      if (!connection.confirmed) {
        unconfirmed--;
      }
      if (ConnectionIds.isUnleased(id)) {
        unleased--;
      }
    }
    return connection;
  }

  /** Those whose lease is over. */
  List<OpenConnection> expired(long leaseNowMs) {
    List<OpenConnection> expired = new ArrayList<>();
    for (EnvoyTable.Slot envoy : envoys.holding()) {
      addUnheard(envoy, leaseNowMs - terms.leaseMs(envoy.heartbeat) + 1, expired);
    }
    return expired;
  }

  /** Those of {@code node} that were not heard since then. */
  List<OpenConnection> unheard(String node, long sinceMs) {
    List<OpenConnection> unheard = new ArrayList<>();
    EnvoyTable.Slot envoy = envoys.find(node);
    if (envoy != null) {
      addUnheard(envoy, sinceMs, unheard);
    }
    return unheard;
  }

  private static void addUnheard(
      EnvoyTable.Slot envoy, long sinceMs, List<OpenConnection> unheard) {
    for (OpenConnection next = envoy.first;
        next != null && next.sinceMs < sinceMs;
        next = next.after) {
      unheard.add(next);
    }
  }

  /**
   * How many were not heard when they should have been. Looks only at those, which stand first.
   *
   * @param silentMs for how long no ingest has been heard
   */
  int missing(long leaseNowMs, long silentMs) {
    int missing = unconfirmed;
    for (EnvoyTable.Slot envoy : envoys.holding()) {
      long intervalMs = envoy.heartbeat.dueMs();
      long overdueMs = leaseNowMs + silentMs - intervalMs - intervalMs / 2 - LeaseTerms.TRANSIT_MS;
      for (OpenConnection next = envoy.first;
          next != null && next.sinceMs < overdueMs;
          next = next.after) {
        if (next.confirmed) {
          missing++;
        }
      }
    }
    return missing;
  }
}
