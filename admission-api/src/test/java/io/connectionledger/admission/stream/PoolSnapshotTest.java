package io.connectionledger.admission.stream;

import static org.assertj.core.api.Assertions.assertThat;

import io.connectionledger.model.PodAddress;
import io.connectionledger.model.policy.PoolPolicy.Mode;
import io.connectionledger.model.view.PoolView;
import io.connectionledger.model.view.PoolView.PodView;
import io.connectionledger.model.view.PoolView.State;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

final class PoolSnapshotTest {

  private static final long NOW_MS = 1_700_000_000_000L;
  private static final int LIMIT = 9;

  @Test
  void shouldTellEachChangeOnce() {
    // Given
    PoolSnapshot picture =
        new PoolSnapshot(pool(pod(1, 2, State.AVAILABLE), pod(2, 0, State.AVAILABLE)));
    // When
    picture.apply(List.of(pod(1, 2, State.AVAILABLE), pod(2, 1, State.AVAILABLE)));
    picture.apply(List.of(pod(2, 3, State.AVAILABLE)));
    List<PoolView> told = picture.untold(NOW_MS);
    // Then
    assertThat(told)
        .containsExactly(
            new PoolView("chat", NOW_MS, Mode.ENFORCE, 5, 0, List.of(pod(2, 3, State.AVAILABLE))));
    assertThat(picture.untold(NOW_MS)).isEmpty();
  }

  @Test
  void shouldForgetAPodThatIsGoneAndEmptyAndTellSo() {
    // Given
    PoolSnapshot picture =
        new PoolSnapshot(pool(pod(1, 2, State.AVAILABLE), pod(2, 1, State.GONE)));
    // When
    picture.apply(List.of(pod(2, 0, State.GONE), pod(3, 0, State.GONE)));
    // Then
    assertThat(picture.untold(NOW_MS).getFirst().pods()).containsExactly(pod(2, 0, State.GONE));
    assertThat(picture.view(NOW_MS).pods()).containsExactly(pod(1, 2, State.AVAILABLE));
  }

  @Test
  void shouldTellOfALargePoolInParts() {
    // Given
    PoolSnapshot picture = new PoolSnapshot(pool());
    // When
    picture.replace(
        pool(
            IntStream.range(0, 450)
                .mapToObj(i -> pod(i, 1, State.AVAILABLE))
                .toArray(PodView[]::new)));
    // Then
    assertThat(picture.untold(NOW_MS))
        .extracting(part -> part.pods().size())
        .containsExactly(200, 200, 50);
  }

  /** However it was told, whoever follows what is told knows what is there. */
  @Test
  void shouldKeepFollowersUpToDate() {
    Random random = new Random(7);
    for (int world = 0; world < 200; world++) {
      Map<PodAddress, PodView> truth = new LinkedHashMap<>();
      Map<PodAddress, PodView> follower = new LinkedHashMap<>();
      PoolSnapshot picture = new PoolSnapshot(pool());
      for (int step = 0; step < 30; step++) {
        int i = random.nextInt(6);
        PodView pod = pod(i, random.nextInt(3), random.nextBoolean() ? State.GONE : State.FULL);
        boolean empty = pod.state() == State.GONE && pod.active() == 0;
        if (empty) {
          truth.remove(pod.address());
        } else {
          truth.put(pod.address(), pod);
        }
        if (random.nextInt(4) == 0) {
          picture.replace(pool(truth.values().toArray(PodView[]::new)));
        } else {
          picture.apply(List.of(pod));
        }
        if (random.nextInt(3) == 0) {
          follow(follower, picture);
          assertThat(follower).isEqualTo(truth);
          assertThat(picture.view(NOW_MS).pods())
              .containsExactlyInAnyOrderElementsOf(truth.values());
        }
      }
    }
  }

  private static void follow(Map<PodAddress, PodView> follower, PoolSnapshot picture) {
    for (PoolView part : picture.untold(NOW_MS)) {
      for (PodView pod : part.pods()) {
        if (pod.state() == State.GONE && pod.active() == 0) {
          follower.remove(pod.address());
        } else {
          follower.put(pod.address(), pod);
        }
      }
    }
  }

  private static PodView pod(int index, int active, State state) {
    return new PodView(
        "pod-" + index,
        new PodAddress("10.0.0." + index % 250, 8000 + index),
        active,
        0,
        LIMIT,
        state);
  }

  private static PoolView pool(PodView... pods) {
    List<PodView> all = new ArrayList<>(List.of(pods));
    int active = all.stream().mapToInt(PodView::active).sum();
    return new PoolView("chat", NOW_MS, Mode.ENFORCE, active, 0, all);
  }
}
