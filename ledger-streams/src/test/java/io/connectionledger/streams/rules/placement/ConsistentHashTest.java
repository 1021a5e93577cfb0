package io.connectionledger.streams.rules.placement;

import static org.assertj.core.api.Assertions.assertThat;

import io.connectionledger.model.PodAddress;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ConsistentHashTest {

  private static final int CLIENTS = 20_000;

  private static List<PodState> pods(int count) {
    return IntStream.range(0, count)
        .mapToObj(i -> new PodState(new PodAddress("10.1." + i / 250 + "." + i % 250, 8080)))
        .toList();
  }

  private static List<PodAddress> homes(List<PodState> pods) {
    ConsistentHash hash = new ConsistentHash();
    hash.place(pods);
    return IntStream.range(0, CLIENTS)
        .mapToObj(i -> hash.pod(ConsistentHash.hash("user-" + i), 0).address)
        .toList();
  }

  /** A pod's clients: a tenth above the mean, and four standard deviations of what chance adds. */
  private static double share(int count) {
    double mean = (double) CLIENTS / count;
    return 1.1 * mean + 4 * Math.sqrt(mean);
  }

  @Test
  void shouldDependOnTheSetOfPodsAlone() {
    List<PodState> shuffled = new ArrayList<>(pods(17));
    Collections.shuffle(shuffled, new Random(1));

    assertThat(homes(shuffled)).isEqualTo(homes(pods(17)));
  }

  @ParameterizedTest
  @ValueSource(ints = {2, 3, 10, 100, 1_000})
  void shouldGiveNoPodMuchMoreThanItsShare(int count) {
    Map<PodAddress, Integer> clients = new HashMap<>();
    homes(pods(count)).forEach(pod -> clients.merge(pod, 1, Integer::sum));

    assertThat(clients).hasSize(count);
    assertThat(Collections.max(clients.values()).doubleValue()).isLessThan(share(count));
  }

  @ParameterizedTest
  @ValueSource(ints = {2, 3, 10, 100})
  void shouldMoveOnlyTheClientsOfAPodThatLeaves(int count) {
    List<PodState> before = pods(count);
    List<PodAddress> homes = homes(before);
    for (int leaving = 0; leaving < Math.min(count, 10); leaving++) {
      List<PodState> after = new ArrayList<>(before);
      PodAddress left = after.remove(leaving).address;

      List<Integer> moved = moved(homes, homes(after));

      assertThat(moved.stream().map(homes::get).distinct()).containsExactly(left);
      assertThat((double) moved.size()).isLessThan(share(count));
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {2, 3, 10, 100})
  void shouldMoveClientsToAPodThatJoinsAndNowhereElse(int count) {
    List<PodState> after = pods(count);
    List<PodAddress> homes = homes(after.subList(0, count - 1));

    List<PodAddress> now = homes(after);

    List<Integer> moved = moved(homes, now);
    assertThat(moved.stream().map(now::get).distinct()).containsExactly(after.getLast().address);
    assertThat((double) moved.size()).isLessThan(share(count));
  }

  private static List<Integer> moved(List<PodAddress> before, List<PodAddress> after) {
    return IntStream.range(0, CLIENTS)
        .filter(i -> !before.get(i).equals(after.get(i)))
        .boxed()
        .toList();
  }

  @Test
  void shouldSpreadTheClientsOfAFullPodOverAllOthers() {
    List<PodState> pods = pods(10);
    ConsistentHash hash = new ConsistentHash();
    hash.place(pods);
    Map<PodAddress, Integer> second = new HashMap<>();
    for (int i = 0; i < CLIENTS; i++) {
      long key = ConsistentHash.hash("user-" + i);
      if (hash.pod(key, 0) == pods.getFirst()) {
        second.merge(hash.pod(key, 1).address, 1, Integer::sum);
      }
    }

    assertThat(second).hasSize(10);
    assertThat(Collections.max(second.values())).isLessThan(CLIENTS / 10 / 4);
  }

  @Test
  void shouldNotWorkOnMoreOfAKeyThanCounts() {
    String key = "k".repeat(ConsistentHash.MAX_KEY_LENGTH);

    assertThat(ConsistentHash.hash(key + "a")).isEqualTo(ConsistentHash.hash(key + "b"));
    assertThat(ConsistentHash.hash("a")).isNotEqualTo(ConsistentHash.hash("b"));
  }
}
