package io.connectionledger.bench.rules;

import io.connectionledger.model.UnreadableRecordException;
import io.connectionledger.model.event.ConnectionEvent;
import io.connectionledger.model.event.ConnectionEvent.Alive;
import io.connectionledger.model.event.ConnectionEvent.Opened;
import io.connectionledger.model.event.ConnectionIds;
import io.connectionledger.model.event.RecordCodec;
import io.connectionledger.streams.rules.PoolLedger;
import io.connectionledger.streams.rules.state.Changes;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * Says how many bytes of heap a connection takes in the rules of its pool: 1,000,000 of them open
 * by records that were read from their JSON, as the topology reads them. Ended ones are measured
 * too: a tombstone stays for four leases.
 */
public final class HeapPerConnection {

  private static final int CONNECTIONS = 1_000_000;
  private static final int PODS = 500;
  private static final int ENVOYS = 20;

  private HeapPerConnection() {}

  public static void main(String[] args) throws UnreadableRecordException {
    System.out.printf("%-28s %12s %12s%n", "1,000,000 connections", "bytes each", "open");
    report("opened, one pool", 1, HeapPerConnection::opened);
    report("opened, 1,000 pools", 1_000, HeapPerConnection::opened);
    report("found by heartbeat, one pool", 1, HeapPerConnection::alive);
    report("closed again (tombstones)", 1, HeapPerConnection::closed);
  }

  /** What makes the {@code index}-th connection what it is. */
  private interface History {
    List<ConnectionEvent> of(String id, int index);
  }

  private static void report(String label, int pools, History history)
      throws UnreadableRecordException {
    PoolLedger[] ledgers = new PoolLedger[pools];
    for (int i = 0; i < pools; i++) {
      ledgers[i] = Pools.empty(Math.max(1, PODS / pools), Pools.TERMS);
    }
    long before = usedBytes();
    Changes changes = new Changes();
    for (int i = 0; i < CONNECTIONS; i++) {
      for (ConnectionEvent event : history.of(ConnectionIds.next(i), i)) {
        ledgers[i % pools].apply(RecordCodec.decodeEvent(RecordCodec.encode(event)), changes);
        changes.clear();
      }
    }
    for (PoolLedger ledger : ledgers) {
      var unused = ledger.changedPods();
    }
    long used = usedBytes() - before;
    // Asked afterwards, so that the ledgers are still there while they are weighed.
    long open = Arrays.stream(ledgers).mapToLong(ledger -> ledger.view(0).active()).sum();
    System.out.printf(
        Locale.ROOT, "%-28s %12.0f %,12d%n", label, (double) used / CONNECTIONS, open);
  }

  private static List<ConnectionEvent> opened(String id, int index) {
    return List.of(
        new Opened(Pools.POOL, id, Pools.address(index % PODS), envoy(index), index, index));
  }

  private static List<ConnectionEvent> alive(String id, int index) {
    return List.of(
        new Alive(
            Pools.POOL, envoy(index), Map.of(Pools.address(index % PODS), List.of(id)), index));
  }

  private static List<ConnectionEvent> closed(String id, int index) {
    return List.of(
        opened(id, index).getFirst(),
        new ConnectionEvent.Closed(
            Pools.POOL, id, Pools.address(index % PODS), envoy(index), "end", null, index));
  }

  private static String envoy(int index) {
    return Pools.ENVOY + "-" + index % ENVOYS;
  }

  private static long usedBytes() {
    Runtime runtime = Runtime.getRuntime();
    long smallest = Long.MAX_VALUE;
    for (int i = 0; i < 4; i++) {
      System.gc();
      smallest = Math.min(smallest, runtime.totalMemory() - runtime.freeMemory());
    }
    return smallest;
  }
}
