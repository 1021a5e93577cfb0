package io.connectionledger.app.demo;

import java.util.Map;
import java.util.SortedMap;

/**
 * What the ledger says about the pool at one moment, from its HTTP API and its metrics.
 *
 * @param pods by address
 * @param attempted decisions since the ledger started
 * @param established connections opened since the ledger started
 * @param rejected by reason, since the ledger started
 */
record LedgerState(
    Map<String, Pod> pods, long attempted, long established, SortedMap<String, Long> rejected) {

  /** One pod as the ledger sees it. */
  record Pod(int active, int reserved, int limit) {
    static final Pod UNKNOWN = new Pod(0, 0, 0);
  }

  Pod pod(String address) {
    return pods.getOrDefault(address, Pod.UNKNOWN);
  }

  int active() {
    return pods.values().stream().mapToInt(Pod::active).sum();
  }

  int reserved() {
    return pods.values().stream().mapToInt(Pod::reserved).sum();
  }

  int limit() {
    return pods.values().stream().mapToInt(Pod::limit).sum();
  }
}
