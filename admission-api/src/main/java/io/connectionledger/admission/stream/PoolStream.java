package io.connectionledger.admission.stream;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.connectionledger.model.PodAddress;
import io.connectionledger.model.view.PoolView.PodView;
import java.io.ByteArrayOutputStream;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The events of one pool and those who follow it. An event is encoded once; a reader holds its
 * position and the one event that it is taking. Who has fallen behind the ring takes the latest
 * snapshot, and all who need one take the same for as long as the ring goes on from it. Written by
 * one thread; readers may be on any.
 */
final class PoolStream {

  /** The ring may have so many times the bytes of a snapshot. */
  private static final int SNAPSHOTS_OF_BYTES = 4;

  private final String epoch;
  private final StreamLimits limits;
  private final EventRing ring;
  private final Set<StreamReader> readers = ConcurrentHashMap.newKeySet();

  /** Guarded by itself. */
  private final Map<PodAddress, PodView> changes = new LinkedHashMap<>();

  private volatile @Nullable Snapshot snapshot;
  private volatile boolean snapshotStale;
  private volatile boolean snapshotWanted;

  /** Of the one thread that writes, as the next. */
  private long bytesSinceSnapshot;

  private int version;

  /** All of a pool, up to and including the event {@code number}. */
  static final class Snapshot {
    final long number;
    final byte[] event;

    Snapshot(long number, byte[] event) {
      this.number = number;
      this.event = event;
    }
  }

  PoolStream(String epoch, StreamLimits limits) {
    this.epoch = epoch;
    this.limits = limits;
    this.ring = new EventRing(limits.events());
  }

  Set<StreamReader> readers() {
    return readers;
  }

  /** Whether there is anything to read; there is a snapshot from then on. */
  boolean isOpen() {
    return snapshot != null;
  }

  /** The number to read next after {@code last}; 0, which no event has, for a snapshot first. */
  long after(@Nullable EventId last) {
    return last != null && last.epoch().equals(epoch) && ring.reaches(last.number() + 1)
        ? last.number() + 1
        : 0;
  }

  /** Whether the events from {@code number} on are still there. */
  boolean reaches(long number) {
    return ring.reaches(number);
  }

  /** The event {@code number}; null when there is none yet, or none any more. */
  byte @Nullable [] event(long number) {
    return ring.at(number);
  }

  /**
   * A snapshot from which the events go on, unless these are more to read than another snapshot;
   * null when there is none, and soon one.
   */
  @Nullable Snapshot snapshot() {
    Snapshot latest = snapshot;
    if (latest != null && !snapshotStale && ring.reaches(latest.number + 1)) {
      return latest;
    }
    snapshotWanted = true;
    return null;
  }

  boolean isSnapshotWanted() {
    return snapshotWanted;
  }

  /** Another one whenever readers may find what they have not found before. */
  int version() {
    return version;
  }

  /** The pool as it is after the last event. */
  void addSnapshot(byte[] json) {
    snapshotWanted = false;
    long last = ring.next() - 1;
    snapshot = new Snapshot(last, encode(last, "snapshot", json));
    bytesSinceSnapshot = 0;
    snapshotStale = false;
    version++;
  }

  void add(String type, byte[] json) {
    Snapshot latest = snapshot;
    long whole = latest == null ? 0 : (long) SNAPSHOTS_OF_BYTES * latest.event.length;
    byte[] event = encode(ring.next(), type, json);
    ring.add(event, Math.max(limits.bytes(), whole));
    bytesSinceSnapshot += event.length;
    snapshotStale = latest != null && bytesSinceSnapshot > latest.event.length;
    version++;
  }

  private byte[] encode(long number, String type, byte[] json) {
    String head = "id: " + new EventId(epoch, number) + "\nevent: " + type + "\ndata: ";
    ByteArrayOutputStream event = new ByteArrayOutputStream(head.length() + json.length + 2);
    event.writeBytes(head.getBytes(UTF_8));
    event.writeBytes(json);
    event.write('\n');
    event.write('\n');
    return event.toByteArray();
  }

  /** These pods are so now. */
  void changed(List<PodView> pods) {
    synchronized (changes) {
      pods.forEach(pod -> changes.put(pod.address(), pod));
    }
  }

  /** What {@link #changed} has told since the last call. */
  List<PodView> takeChanges() {
    synchronized (changes) {
      List<PodView> taken = new ArrayList<>(changes.values());
      changes.clear();
      return taken;
    }
  }

  /** Every event that is kept for anybody; one may come more than once. */
  void forEachKept(Consumer<byte[]> action) {
    ring.forEach(action);
    Snapshot latest = snapshot;
    if (latest != null) {
      action.accept(latest.event);
    }
    readers.forEach(reader -> reader.forEachKept(action));
  }
}
