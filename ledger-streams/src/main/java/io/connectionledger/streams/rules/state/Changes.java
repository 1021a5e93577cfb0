package io.connectionledger.streams.rules.state;

import io.connectionledger.model.PodAddress;
import io.connectionledger.model.event.ConnectionEvent;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What has to be written down after records were applied to a pool. It is filled under the pool's
 * lock and written to the stores after it, so that no decision waits for a disk.
 */
public final class Changes {

  private final Map<String, @Nullable StoredConnection> connections = new LinkedHashMap<>();
  private final Map<PodAddress, @Nullable StoredCircuitBreaker> circuits = new LinkedHashMap<>();
  private final List<ConnectionEvent.Closed> givenUp = new ArrayList<>();
  private long bucketArrivalNanos;
  private int established;
  private int repaired;
  private int refused;
  private int unreported;
  private final Map<String, @Nullable Long> intervals = new LinkedHashMap<>();
  private final List<String> warnings = new ArrayList<>();
  private @Nullable PodAddress countedOn;

  /** The new state of each connection that changed; null to forget it. */
  public Map<String, @Nullable StoredConnection> connections() {
    return connections;
  }

  /** The circuits that opened, opened again, or closed; null for closed. */
  public Map<PodAddress, @Nullable StoredCircuitBreaker> circuits() {
    return circuits;
  }

  /** By node id, the milliseconds at which it was found to report; null to forget it. */
  public Map<String, @Nullable Long> intervals() {
    return intervals;
  }

  /** Sentences for the operator, each said once about each Envoy. */
  public List<String> warnings() {
    return warnings;
  }

  /**
   * Outcomes that were owed and not reported: of admissions, and opens of which only the end was.
   */
  public int unreported() {
    return unreported;
  }

  /** Whether there is anything to store or to tell. */
  public boolean isEmpty() {
    return connections.isEmpty()
        && circuits.isEmpty()
        && intervals.isEmpty()
        && warnings.isEmpty()
        && givenUp.isEmpty()
        && bucketArrivalNanos == 0
        && unreported == 0;
  }

  /** Connections that the ledger concluded to have ended, as the events that tell the world. */
  public List<ConnectionEvent.Closed> givenUp() {
    return givenUp;
  }

  /** The arrival time of the token bucket, as a store keeps it; 0 when unchanged. */
  public long bucketArrivalNanos() {
    return bucketArrivalNanos;
  }

  /** Connections that became established, the repaired ones included. */
  public int established() {
    return established;
  }

  /** Connections that were found open although nothing had said that they opened there. */
  public int repaired() {
    return repaired;
  }

  /** The pod of the policy that the record is about, for the history; null for none. */
  public @Nullable PodAddress countedOn() {
    return countedOn;
  }

  public void countedOn(PodAddress pod) {
    countedOn = pod;
  }

  public void connection(String id, @Nullable StoredConnection now) {
    connections.put(id, now);
  }

  public void circuit(PodAddress pod, @Nullable StoredCircuitBreaker now) {
    circuits.put(pod, now);
  }

  public void givenUp(ConnectionEvent.Closed event) {
    givenUp.add(event);
  }

  public void bucket(long arrivalNanos) {
    bucketArrivalNanos = arrivalNanos;
  }

  /** News that was not believed because the pool is full of connections, Envoys or pods. */
  public int refused() {
    return refused;
  }

  public void addUnreported() {
    unreported++;
  }

  public void interval(String node, @Nullable Long ms) {
    intervals.put(node, ms);
  }

  public void warn(String sentence) {
    warnings.add(sentence);
  }

  public void addRefused() {
    refused++;
  }

  public void addEstablished() {
    established++;
  }

  public void addRepaired() {
    repaired++;
  }

  /** Makes it empty again for the next use. */
  public void clear() {
    connections.clear();
    circuits.clear();
    givenUp.clear();
    bucketArrivalNanos = 0;
    established = 0;
    repaired = 0;
    refused = 0;
    unreported = 0;
    intervals.clear();
    warnings.clear();
    countedOn = null;
  }
}
