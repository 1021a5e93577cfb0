package io.connectionledger.admission.check;

import static org.assertj.core.api.Assertions.assertThat;

import io.connectionledger.model.PodAddress;
import io.connectionledger.model.event.Decision;
import io.connectionledger.model.event.DecisionInputs;
import java.time.Duration;
import org.junit.jupiter.api.Test;

final class InFlightDecisionsTest {

  private static final Duration MAX_UNSEEN = Duration.ofSeconds(25);

  private final InFlightDecisions underway = new InFlightDecisions();

  /** Of a pod on which one may be unrecorded. */
  private static Decision.Allowed allowed(String id) {
    DecisionInputs basis =
        new DecisionInputs(DecisionInputs.Choice.LEAST_CONNECTIONS, null, 1, 0, 0, 0, 10, 0, null);
    return new Decision.Allowed("chat", id, PodAddress.parse("10.0.0.7:80"), 0, 1, null, basis);
  }

  @Test
  void shouldLetOneMoreBeAnsweredForEachThatIsRecorded() {
    assertThat(underway.begin(allowed("a"), 0)).isTrue();
    assertThat(underway.begin(allowed("b"), 0)).isFalse();
    underway.end(allowed("a"));
    underway.end(allowed("b"));
    assertThat(underway.begin(allowed("c"), 0)).isTrue();
    assertThat(underway.hasLost(0)).isFalse();
  }

  @Test
  void shouldCountWhatKafkaRefusedForAsLongAsItsConnectionMayBeUnknown() {
    long end = MAX_UNSEEN.toNanos();
    assertThat(underway.begin(allowed("a"), 0)).isTrue();
    underway.lose(allowed("a"), MAX_UNSEEN, 0);
    assertThat(underway.hasLost(end - 1)).isTrue();
    assertThat(underway.begin(allowed("b"), end - 1)).isFalse();
    underway.end(allowed("b"));
    assertThat(underway.hasLost(end)).isFalse();
    assertThat(underway.begin(allowed("c"), end)).isTrue();
  }

  @Test
  void shouldAnswerNothingEarlyWhileTooMuchIsLost() {
    for (int i = 0; i < InFlightDecisions.MAX_LOST; i++) {
      Decision.Allowed each =
          new Decision.Allowed("chat", "d" + i, new PodAddress("10.0.0.7", i + 1), 0, 1);
      assertThat(underway.begin(each, 0)).isTrue();
      underway.lose(each, MAX_UNSEEN, 0);
    }

    // Of another pod, of which nothing is lost.
    Decision.Allowed next =
        new Decision.Allowed("chat", "next", new PodAddress("10.0.0.8", 80), 0, 1);
    assertThat(underway.begin(next, 0)).isFalse();
    underway.end(next);
    assertThat(underway.begin(next, MAX_UNSEEN.toNanos())).isTrue();
  }
}
