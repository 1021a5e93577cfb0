package io.connectionledger.streams.rules.placement;

import io.connectionledger.model.PodAddress;
import io.connectionledger.model.event.ConnectionEvent;
import io.connectionledger.model.policy.Pod;
import io.connectionledger.model.policy.PoolPolicy;
import io.connectionledger.model.view.PoolView.PodView;
import io.connectionledger.model.view.PoolView.State;
import io.connectionledger.streams.rules.placement.PodFailureClassifier.Fault;
import io.connectionledger.streams.rules.state.Changes;
import io.connectionledger.streams.rules.state.StoredCircuitBreaker;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * Every pod that a pool's policy names or that holds connections of the pool. Only the former are
 * placed on, unless they are draining or not ready; the latter are forgotten with their last
 * connection.
 */
public final class PodTable {

  private static final Comparator<PodState> ORDER =
      Comparator.<PodState>comparingInt(pod -> pod.rank).thenComparing(pod -> pod.address);

  /**
   * As in Envoy's outlier detection: the first pod may always be ejected, and further ones as long
   * as less than this share of the pool's is. Envoy's default is 10; but where the emptiest pod
   * gets the next connection, a dead one that may not be ejected gets them all.
   */
  static final int MAX_EJECTED_PERCENT = 50;

  private final Map<PodAddress, PodState> slots = new HashMap<>();
  private final PodPicker candidates = new PodPicker();
  private final Set<PodState> changed = new LinkedHashSet<>();

  /** Names that no pod has any more, each with the address that had it last. */
  private final Map<String, PodAddress> formerNames = new LinkedHashMap<>();

  private int named;
  private long choices;

  /**
   * Makes the pods of {@code policy} the ones to place on, in this order among equals. Those that
   * join others which hold connections are spared for a while.
   *
   * @param draining those of them that are to lose their connections; others are ignored
   * @param notReady those of them that Kubernetes does not call ready; others are ignored
   * @param nowMs milliseconds since the epoch
   */
  public void place(
      PoolPolicy policy, Set<PodAddress> draining, Set<PodAddress> notReady, long nowMs) {
    named = policy.pods().size();
    List<PodState> before = List.copyOf(slots.values());
    Set<PodState> members =
        before.stream().filter(PodState::inPolicy).collect(Collectors.toUnmodifiableSet());
    boolean busy = members.stream().anyMatch(pod -> pod.held() > 0);
    for (PodState slot : before) {
      formerNames.put(slot.name, slot.address);
      slot.leavePolicy();
    }
    List<PodState> placeable = new ArrayList<>();
    int rank = 0;
    for (Pod pod : policy.pods()) {
      PodState slot = slot(pod.address());
      slot.rank = rank++;
      slot.name = pod.name();
      slot.draining = draining.contains(slot.address);
      slot.ready = !notReady.contains(slot.address);
      if (busy && !members.contains(slot)) {
        slot.joinedMs = nowMs;
      }
      slots.put(slot.address, slot);
      if (slot.isPlaceable()) {
        placeable.add(slot);
      }
      changed.add(slot);
    }
    candidates.place(placeable, policy, nowMs);
    before.forEach(this::changed);
    slots.values().forEach(slot -> formerNames.remove(slot.name));
  }

  /**
   * Places no more on a pod than leaves room for what may be unrecorded, or again as many as the
   * policy allows.
   */
  public void reserveHeadroom(boolean reservesHeadroom, PoolPolicy policy, long nowMs) {
    candidates.reserveHeadroom(reservesHeadroom);
    candidates.place(
        slots.values().stream().filter(PodState::isPlaceable).sorted(ORDER).toList(),
        policy,
        nowMs);
  }

  public PodPicker candidates() {
    return candidates;
  }

  /** The pod is given the next connection. */
  public void chosen(PodState pod, long nowMs) {
    pod.lastChosen = ++choices;
    if (pod.circuit.isOpen()) {
      pod.circuit.probe(nowMs);
    }
  }

  /** A handshake failed that was reserved on the pod. */
  public void failed(PodState pod, ConnectionEvent.Failed event, Changes changes) {
    Fault fault = PodFailureClassifier.fault(event);
    if (fault != Fault.OTHER
        && pod.inPolicy()
        && pod.circuit.failed(
            event.atMs(), PodFailureClassifier.source(event, fault), this::mayEject)) {
      changes.circuit(pod.address, pod.circuit.stored());
      changed(pod);
    }
  }

  /** Whether the circuit of one more pod may open. */
  private boolean mayEject() {
    long ejected =
        slots.values().stream().filter(pod -> pod.inPolicy() && pod.circuit.isOpen()).count();
    return ejected == 0 || ejected * 100 < (long) named * MAX_EJECTED_PERCENT;
  }

  /** A handshake succeeded. */
  public void succeeded(PodState pod, long atMs, Changes changes) {
    if (pod.inPolicy() && pod.circuit.succeeded(atMs)) {
      changes.circuit(pod.address, null);
      candidates.cameBack(pod, atMs);
      changed(pod);
    }
  }

  /** Puts an open circuit back; false when the policy does not name its pod any more. */
  public boolean restore(PodAddress address, StoredCircuitBreaker stored) {
    PodState pod = slots.get(address);
    if (pod == null || !pod.inPolicy()) {
      return false;
    }
    pod.circuit.restore(stored);
    changed(pod);
    return true;
  }

  /** The slot of {@code address}; a new one stays only if {@link #changed} finds it in use. */
  public PodState slot(PodAddress address) {
    PodState slot = slots.get(address);
    return slot == null ? new PodState(address) : slot;
  }

  /** Must be called after each change of a slot's counts or circuit. */
  public void changed(PodState pod) {
    candidates.update(pod);
    changed.add(pod);
    if (pod.inPolicy() || pod.held() > 0) {
      slots.put(pod.address, pod);
    } else {
      slots.remove(pod.address);
    }
  }

  /** How many pods hold connections although the policy does not name them. */
  public int foreign() {
    return slots.size() - named;
  }

  public List<PodView> views(int limit) {
    return slots.values().stream().sorted(ORDER).map(pod -> view(pod, limit)).toList();
  }

  public List<PodView> changedViews(int limit) {
    if (changed.isEmpty() && formerNames.isEmpty()) {
      return List.of();
    }
    List<PodView> views = new ArrayList<>(formerNames.size() + changed.size());
    formerNames.forEach(
        (name, address) -> views.add(new PodView(name, address, 0, 0, limit, State.GONE)));
    formerNames.clear();
    changed.forEach(pod -> views.add(view(pod, limit)));
    changed.clear();
    return views;
  }

  private static PodView view(PodState pod, int limit) {
    State state =
        State.of(pod.inPolicy(), pod.draining, pod.ready, pod.circuit.isOpen(), pod.held(), limit);
    return new PodView(pod.name, pod.address, pod.active, pod.reserved, pod.lent, limit, state);
  }
}
