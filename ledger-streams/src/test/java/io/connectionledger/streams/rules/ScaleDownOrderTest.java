package io.connectionledger.streams.rules;

import static org.assertj.core.api.Assertions.assertThat;

import io.connectionledger.model.PodAddress;
import io.connectionledger.model.view.PoolScaling.Candidate;
import io.connectionledger.model.view.PoolView.PodView;
import io.connectionledger.model.view.PoolView.State;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class ScaleDownOrderTest {

  private final ScaleDownOrder order = new ScaleDownOrder();

  private static PodView pod(int number, int active, State state) {
    PodAddress address = new PodAddress("10.0.0." + number, 80);
    return new PodView("pod-" + number, address, active, 0, 1_000, state);
  }

  private static PodView pod(int number, int active) {
    return pod(number, active, State.AVAILABLE);
  }

  private List<String> names(PodView... pods) {
    return order.of(List.of(pods)).stream().map(Candidate::pod).toList();
  }

  @Test
  void shouldNameTheDrainingFirstAndThenTheEmptiest() {
    assertThat(
            order.of(
                List.of(
                    pod(1, 4),
                    pod(2, 0, State.CIRCUIT_OPEN),
                    pod(3, 9, State.DRAINING),
                    pod(4, 2),
                    pod(5, 1, State.GONE),
                    pod(6, 3, State.DRAINING),
                    pod(7, 2))))
        .containsExactly(
            new Candidate("pod-6", new PodAddress("10.0.0.6", 80), 1, 3),
            new Candidate("pod-3", new PodAddress("10.0.0.3", 80), 2, 9),
            new Candidate("pod-2", new PodAddress("10.0.0.2", 80), 3, 0),
            new Candidate("pod-4", new PodAddress("10.0.0.4", 80), 4, 2),
            new Candidate("pod-7", new PodAddress("10.0.0.7", 80), 5, 2),
            new Candidate("pod-1", new PodAddress("10.0.0.1", 80), 6, 4));
  }

  @Test
  void shouldNotSwapPodsThatHoldNearlyTheSame() {
    assertThat(names(pod(1, 100), pod(2, 101))).containsExactly("pod-1", "pod-2");
    assertThat(names(pod(1, 105), pod(2, 97))).containsExactly("pod-1", "pod-2");
    assertThat(names(pod(1, 106), pod(2, 101))).containsExactly("pod-2", "pod-1");
    assertThat(names(pod(1, 101), pod(2, 106))).containsExactly("pod-2", "pod-1");
  }

  @Test
  void shouldFollowEveryChangeOfFewConnections() {
    assertThat(names(pod(1, 1), pod(2, 2))).containsExactly("pod-1", "pod-2");
    assertThat(names(pod(1, 2), pod(2, 1))).containsExactly("pod-2", "pod-1");
  }

  @Test
  void shouldStayWhileCountsWaverAndFollowWhenTheyDoNot() {
    SplittableRandom random = new SplittableRandom(7);
    for (int round = 0; round < 200; round++) {
      ScaleDownOrder one = new ScaleDownOrder();
      int[] counts = random.ints(50, 40, 1_000).toArray();
      List<PodAddress> first = addresses(one.of(pods(counts)));
      for (int poll = 0; poll < 10; poll++) {
        int[] wavering =
            IntStream.of(counts).map(n -> n + random.nextInt(-n / 20, n / 20 + 1)).toArray();

        assertThat(addresses(one.of(pods(wavering)))).isEqualTo(first);
      }

      int[] others = random.ints(50, 0, 1_000).toArray();
      List<Candidate> after = one.of(pods(others));

      for (int i = 1; i < after.size(); i++) {
        // Each is within a twentieth of the count that it is ordered by.
        assertThat(after.get(i - 1).active() * 0.95)
            .isLessThanOrEqualTo(after.get(i).active() / 0.95);
      }
    }
  }

  private static List<PodView> pods(int[] counts) {
    List<PodView> pods = new ArrayList<>();
    for (int count : counts) {
      pods.add(pod(pods.size(), count));
    }
    return pods;
  }

  private static List<PodAddress> addresses(List<Candidate> candidates) {
    return candidates.stream().map(Candidate::address).toList();
  }
}
