package io.connectionledger.streams.query;

import io.connectionledger.model.PodAddress;
import io.connectionledger.model.event.ConnectionEvent.Alive;
import io.connectionledger.model.event.ConnectionEvent.Closed;
import io.connectionledger.model.event.ConnectionEvent.Failed;
import io.connectionledger.model.event.ConnectionEvent.Opened;
import io.connectionledger.model.event.Decision;
import io.connectionledger.model.event.LedgerRecord;
import io.connectionledger.model.view.PoolReadiness.EnvoyView;
import io.connectionledger.model.view.PoolRejections;
import io.connectionledger.model.view.PoolRejections.PodRejections;
import io.connectionledger.model.view.PoolView.PodView;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * What the records of one pool come to, counted naively and with none of the ledger's own rules.
 * For histories in which no reservation and no lease runs out.
 */
final class RecordCount {

  private static final Map<String, Long> WINDOWS = windows();
  private static final long OVERDUE_MS = 15_500;

  private final Map<String, PodAddress> reserved = new HashMap<>();
  private final Map<String, Open> open = new HashMap<>();
  private final Set<String> ended = new HashSet<>();
  private final Map<String, Long> envoySeenMs = new HashMap<>();
  private final List<Rejection> rejections = new ArrayList<>();

  private record Open(PodAddress pod, String envoy, long heardMs) {}

  private record Rejection(String reason, @Nullable PodAddress pod, long atMs) {

    /** A window has every tenth second that reaches into it. */
    boolean isIn(long windowMs, long nowMs) {
      return atMs / 10_000 * 10_000 + 10_000 > nowMs - windowMs;
    }
  }

  private static Map<String, Long> windows() {
    Map<String, Long> windows = new LinkedHashMap<>();
    windows.put("5m", 300_000L);
    windows.put("15m", 900_000L);
    windows.put("1h", 3_600_000L);
    return windows;
  }

  /**
   * Takes the next record of the topics.
   *
   * @param atMs its timestamp
   */
  void add(LedgerRecord record, long atMs) {
    switch (record) {
      case Decision.Allowed d -> {
        if (!open.containsKey(d.id()) && !ended.contains(d.id())) {
          reserved.put(d.id(), d.pod());
        }
      }
      case Decision.Rejected d -> {
        for (int i = 0; i < d.attempts(); i++) {
          rejections.add(new Rejection(d.reason().label(), d.pod(), atMs));
        }
      }
      case Opened e -> heard(e.connection(), new Open(e.pod(), e.envoy(), atMs));
      case Alive e ->
          e.pods()
              .forEach((pod, ids) -> ids.forEach(id -> heard(id, new Open(pod, e.envoy(), atMs))));
      case Closed e -> end(e.connection());
      case Failed e -> failed(e, atMs);
    }
  }

  private void heard(String id, Open now) {
    envoySeenMs.put(now.envoy, now.heardMs);
    if (!ended.contains(id)) {
      reserved.remove(id);
      open.put(id, now);
    }
  }

  private void end(String id) {
    reserved.remove(id);
    open.remove(id);
    ended.add(id);
  }

  private void failed(Failed event, long atMs) {
    String reason =
        event.reason().contains("{overflow")
            ? "overflow"
            : event.reason().equals("local_rate_limited") ? event.reason() : null;
    if (reason != null) {
      PodAddress pod = event.pod() == null ? reserved.get(event.connection()) : event.pod();
      rejections.add(new Rejection(reason, pod, atMs));
    }
    end(event.connection());
  }

  Set<String> reasons() {
    Set<String> reasons = new TreeSet<>();
    rejections.forEach(rejection -> reasons.add(rejection.reason));
    return reasons;
  }

  Map<PodAddress, Integer> active() {
    Map<PodAddress, Integer> active = new HashMap<>();
    open.values().forEach(one -> active.merge(one.pod, 1, Integer::sum));
    return active;
  }

  Map<PodAddress, Integer> reserved() {
    Map<PodAddress, Integer> held = new HashMap<>();
    reserved.values().forEach(pod -> held.merge(pod, 1, Integer::sum));
    return held;
  }

  double completeness(long nowMs) {
    long heard = open.values().stream().filter(one -> nowMs - one.heardMs <= OVERDUE_MS).count();
    return open.isEmpty() ? 1 : (double) heard / open.size();
  }

  /** Enough of them were heard, and few were never admitted. */
  boolean isReady(long nowMs) {
    long unleased = open.keySet().stream().filter(id -> id.startsWith("u-")).count();
    return completeness(nowMs) >= 0.95 && unleased <= open.size() * 0.1;
  }

  List<EnvoyView> envoys() {
    Map<String, Integer> held = new TreeMap<>();
    open.values().forEach(one -> held.merge(one.envoy, 1, Integer::sum));
    List<EnvoyView> views = new ArrayList<>();
    held.forEach(
        (node, count) -> views.add(new EnvoyView(node, envoySeenMs.getOrDefault(node, 0L), count)));
    return views;
  }

  long forWantOfRoomInTheLastMinute(long nowMs) {
    return rejections.stream()
        .filter(one -> one.reason.equals("pod_limit") || one.reason.equals("no_pods"))
        .filter(one -> one.isIn(60_000, nowMs))
        .count();
  }

  /**
   * The rejections as they should be answered.
   *
   * @param pods that are in the answer in any case
   */
  PoolRejections rejections(String pool, List<PodView> pods, long nowMs) {
    List<PodRejections> byPod = new ArrayList<>();
    Set<PodAddress> others = new TreeSet<>();
    for (Rejection one : rejections) {
      PodAddress pod = one.pod;
      if (pod != null && one.isIn(3_600_000, nowMs)) {
        others.add(pod);
      }
    }
    for (PodView pod : pods) {
      others.remove(pod.address());
      byPod.add(
          new PodRejections(
              pod.pod(), pod.address(), counts(nowMs, one -> pod.address().equals(one.pod))));
    }
    for (PodAddress pod : others) {
      byPod.add(new PodRejections(pod.toString(), pod, counts(nowMs, one -> pod.equals(one.pod))));
    }
    return new PoolRejections(pool, nowMs, counts(nowMs, one -> true), byPod);
  }

  private Map<String, Map<String, Long>> counts(long nowMs, Predicate<Rejection> which) {
    Map<String, Map<String, Long>> counts = new LinkedHashMap<>();
    WINDOWS.forEach(
        (label, lengthMs) -> {
          Map<String, Long> byReason = new TreeMap<>();
          rejections.stream()
              .filter(which)
              .filter(one -> one.isIn(lengthMs, nowMs))
              .forEach(one -> byReason.merge(one.reason, 1L, Long::sum));
          counts.put(label, byReason);
        });
    return counts;
  }
}
