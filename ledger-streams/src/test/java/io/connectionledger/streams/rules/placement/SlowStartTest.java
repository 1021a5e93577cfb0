package io.connectionledger.streams.rules.placement;

import static org.assertj.core.api.Assertions.assertThat;

import io.connectionledger.model.PodAddress;
import io.connectionledger.model.event.ConnectionEvent;
import io.connectionledger.model.policy.Affinity;
import io.connectionledger.model.policy.Pod;
import io.connectionledger.model.policy.PoolPolicy;
import io.connectionledger.streams.rules.state.Changes;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** What a pod gets that joins a busy pool. */
class SlowStartTest {

  private static final Duration WINDOW = Duration.ofSeconds(10);
  private static final long START_MS = 1_800_000_000_000L;
  private static final PodAddress NEW = address(3);

  private final PodTable pods = new PodTable();

  private static PodAddress address(int i) {
    return new PodAddress("10.0.0." + i, 80);
  }

  private static PoolPolicy policy(int podCount, int limit, Duration slowStart) {
    return new PoolPolicy(
            "chat",
            PoolPolicy.UNLIMITED_RATE,
            1,
            limit,
            PoolPolicy.Mode.ENFORCE,
            PoolPolicy.OnOwnerLoss.DENY,
            IntStream.rangeClosed(1, podCount)
                .mapToObj(i -> new Pod("pod-" + i, address(i)))
                .toList())
        .placing(PoolPolicy.Placement.LEAST_CONNECTIONS, Affinity.NONE, slowStart);
  }

  private void busyPair(int limit, Duration slowStart) {
    pods.place(policy(2, limit, slowStart), Set.of(), Set.of(), START_MS - 100_000);
    for (int i = 0; i < 100; i++) {
      boolean unused = connect(START_MS - 50_000).equals(NEW);
    }
  }

  private PodAddress connect(long nowMs) {
    PodState pod = Objects.requireNonNull(pods.candidates().next(null, nowMs), "no room");
    pods.chosen(pod, nowMs);
    pod.active++;
    pods.changed(pod);
    return pod.address;
  }

  /** How many of 100 connections go to the new pod within the second that begins then. */
  private int share(long fromMs) {
    return (int)
        IntStream.range(0, 100)
            .mapToObj(i -> connect(fromMs + i * 10L))
            .filter(NEW::equals)
            .count();
  }

  @Test
  void shouldGiveANewPodAShareThatGrowsWithItsAge() {
    busyPair(1_000_000, WINDOW);
    // So far ahead that the new pod is the emptiest throughout.
    pods.place(policy(2, 1_000_000, WINDOW), Set.of(), Set.of(), START_MS - 1);
    for (int i = 0; i < 4_000; i++) {
      boolean unused = connect(START_MS - 1).equals(NEW);
    }
    pods.place(policy(3, 1_000_000, WINDOW), Set.of(), Set.of(), START_MS);

    List<Integer> shares = new ArrayList<>();
    for (int second = 0; second < 11; second++) {
      shares.add(share(START_MS + second * 1_000L));
    }

    assertThat(shares.getFirst()).isBetween(8, 12);
    assertThat(shares).isSorted();
    assertThat(shares.get(5)).isBetween(50, 60);
    assertThat(shares.getLast()).isEqualTo(100);
  }

  @Test
  void shouldTreatItLikeAnyOtherOnceItHoldsAsMuch() {
    busyPair(1_000, WINDOW);
    pods.place(policy(3, 1_000, WINDOW), Set.of(), Set.of(), START_MS);
    long nowMs = START_MS + 9_000;
    while (pods.slot(NEW).active < 60) {
      boolean unused = connect(nowMs).equals(NEW);
    }

    int share = 0;
    for (int i = 0; i < 300; i++) {
      share += connect(nowMs).equals(NEW) ? 1 : 0;
    }

    assertThat(share).isBetween(90, 110);
  }

  @Test
  void shouldUseItAtOnceWhenTheOthersAreFull() {
    busyPair(50, WINDOW);
    pods.place(policy(3, 50, WINDOW), Set.of(), Set.of(), START_MS);

    assertThat(share50(START_MS)).isEqualTo(50);
    assertThat(pods.candidates().next(null, START_MS)).isNull();
  }

  private int share50(long atMs) {
    return (int) IntStream.range(0, 50).mapToObj(i -> connect(atMs)).filter(NEW::equals).count();
  }

  @Test
  void shouldTakeEverythingWithoutAWindow() {
    busyPair(1_000, Duration.ZERO);
    pods.place(policy(3, 1_000, Duration.ZERO), Set.of(), Set.of(), START_MS);

    assertThat(share50(START_MS)).isEqualTo(50);
  }

  @Test
  void shouldNotSpareThePodsOfAPoolThatBeginsOrIsEmpty() {
    pods.place(policy(2, 1_000, WINDOW), Set.of(), Set.of(), START_MS);
    pods.place(policy(3, 1_000, WINDOW), Set.of(), Set.of(), START_MS);

    int share = 0;
    for (int i = 0; i < 99; i++) {
      share += connect(START_MS).equals(NEW) ? 1 : 0;
    }

    assertThat(share).isEqualTo(33);
  }

  @Test
  void shouldGoOnWhereItWasWhenThePolicyChangesMeanwhile() {
    busyPair(1_000_000, WINDOW);
    for (int i = 0; i < 4_000; i++) {
      boolean unused = connect(START_MS - 1).equals(NEW);
    }
    pods.place(policy(3, 1_000_000, WINDOW), Set.of(), Set.of(), START_MS);
    int first = share(START_MS);

    pods.place(policy(3, 999_999, WINDOW), Set.of(), Set.of(), START_MS + 5_000);

    assertThat(first).isBetween(8, 12);
    assertThat(share(START_MS + 5_000)).isBetween(50, 60);
  }

  @Test
  void shouldSpareAPodWhoseCircuitCloses() {
    busyPair(1_000, WINDOW);
    PodState back = pods.slot(address(1));
    Changes changes = new Changes();
    for (int i = 0; i < CircuitBreaker.FAILURES; i++) {
      pods.failed(
          back,
          new ConnectionEvent.Failed(
              "chat", "f" + i, back.address, "envoy-1", 503, "no_healthy_upstream", START_MS),
          changes);
    }
    back.active = 0;
    pods.changed(back);
    pods.succeeded(back, START_MS + 1_000, changes);

    int share = 0;
    for (int i = 0; i < 100; i++) {
      share += connect(START_MS + 1_000).equals(back.address) ? 1 : 0;
    }

    assertThat(share).isBetween(8, 12);
  }
}
