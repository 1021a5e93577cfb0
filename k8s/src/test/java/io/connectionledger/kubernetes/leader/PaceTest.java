package io.connectionledger.kubernetes.leader;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;

final class PaceTest {

  private static final long SECOND = Duration.ofSeconds(1).toNanos();

  private final Pace pace = new Pace(Duration.ofSeconds(5));

  @Test
  void keepsDeedsApart() {
    pace.begin(0);
    pace.done("one", 10 * SECOND);

    assertThat(pace.isDue("one", true, 15 * SECOND - 1)).isFalse();
    assertThat(pace.isDue("one", true, 15 * SECOND)).isTrue();
    assertThat(pace.isDue("other", false, 11 * SECOND)).isTrue();
  }

  @Test
  void waitsForWhatAnotherLeaderMayHaveDone() {
    pace.done("done here", 0);

    pace.begin(10 * SECOND);

    assertThat(pace.isDue("done here", true, 11 * SECOND)).isFalse();
    assertThat(pace.isDue("done there", true, 15 * SECOND - 1)).isFalse();
    assertThat(pace.isDue("done there", true, 15 * SECOND)).isTrue();
    assertThat(pace.isDue("never done", false, 10 * SECOND)).isTrue();
  }

  @Test
  void forgetsWhatIsGone() {
    pace.done("gone", 0);
    pace.done("there", 0);

    pace.retain(List.of("there"));

    assertThat(pace.isDue("gone", false, SECOND)).isTrue();
    assertThat(pace.isDue("there", false, SECOND)).isFalse();
  }
}
