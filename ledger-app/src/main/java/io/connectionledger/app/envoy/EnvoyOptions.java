package io.connectionledger.app.envoy;

import java.time.Duration;
import java.util.List;

/**
 * What differs between one Envoy and the next; everything else is in {@code envoy/envoy.yaml}.
 *
 * @param node by which the ledger tells Envoys apart
 * @param pool the name of the cluster, and of the pool in every check
 * @param listenerPort for clients; 0 for any free one
 * @param adminPort 0 for any free one
 * @param als ports on the loopback where the ledger takes access logs; at least one
 * @param authz ports on the loopback where it answers checks; at least one
 * @param xds ports on the loopback where it names pods; at least one
 * @param heartbeat between two log entries of an open connection; at least a second
 * @param checkTimeout how long a check may take before the connection passes as if the ledger were
 *     away
 * @param workers Envoy's threads, of which each has its own access-log stream
 */
public record EnvoyOptions(
    String node,
    String pool,
    int listenerPort,
    int adminPort,
    List<Integer> als,
    List<Integer> authz,
    List<Integer> xds,
    Duration heartbeat,
    Duration checkTimeout,
    int workers) {

  public EnvoyOptions {
    if (node.isBlank() || als.isEmpty() || authz.isEmpty() || xds.isEmpty() || workers < 1) {
      throw new IllegalArgumentException(
          "an Envoy needs a node id, a port of each service and a worker");
    }
    if (heartbeat.compareTo(Duration.ofSeconds(1)) < 0) {
      throw new IllegalArgumentException(
          "heartbeat is " + heartbeat + ": Envoy allows a second or more");
    }
    als = List.copyOf(als);
    authz = List.copyOf(authz);
    xds = List.copyOf(xds);
  }

  /**
   * Free ports, the pool {@code chat}, two workers, a heartbeat of 2 s and a second for a check.
   */
  public static EnvoyOptions of(String node, int als, int authz, int xds) {
    return new EnvoyOptions(
        node,
        "chat",
        0,
        0,
        List.of(als),
        List.of(authz),
        List.of(xds),
        Duration.ofSeconds(2),
        Duration.ofSeconds(1),
        2);
  }

  public EnvoyOptions withNode(String other) {
    return new EnvoyOptions(
        other, pool, listenerPort, adminPort, als, authz, xds, heartbeat, checkTimeout, workers);
  }

  public EnvoyOptions withPool(String other) {
    return new EnvoyOptions(
        node, other, listenerPort, adminPort, als, authz, xds, heartbeat, checkTimeout, workers);
  }

  public EnvoyOptions withListenerPort(int port) {
    return new EnvoyOptions(
        node, pool, port, adminPort, als, authz, xds, heartbeat, checkTimeout, workers);
  }

  public EnvoyOptions withServices(
      List<Integer> alsPorts, List<Integer> authzPorts, List<Integer> xdsPorts) {
    return new EnvoyOptions(
        node,
        pool,
        listenerPort,
        adminPort,
        alsPorts,
        authzPorts,
        xdsPorts,
        heartbeat,
        checkTimeout,
        workers);
  }

  public EnvoyOptions withHeartbeat(Duration interval) {
    return new EnvoyOptions(
        node, pool, listenerPort, adminPort, als, authz, xds, interval, checkTimeout, workers);
  }

  public EnvoyOptions withCheckTimeout(Duration timeout) {
    return new EnvoyOptions(
        node, pool, listenerPort, adminPort, als, authz, xds, heartbeat, timeout, workers);
  }

  public EnvoyOptions withWorkers(int count) {
    return new EnvoyOptions(
        node, pool, listenerPort, adminPort, als, authz, xds, heartbeat, checkTimeout, count);
  }
}
