package io.connectionledger.ingest;

import static org.assertj.core.api.Assertions.assertThat;

import io.connectionledger.ingest.translate.DeadLetterCause;
import java.time.Duration;
import org.junit.jupiter.api.Test;

class DeadLetterLimitTest {

  private final DeadLetterLimit limit = new DeadLetterLimit();

  private static DeadLetter letter(DeadLetterCause cause, String reason) {
    return new DeadLetter(cause, reason, Entries.opened("a"));
  }

  @Test
  void shouldLetOneOfAKindPassInAMinute() {
    DeadLetter one = letter(DeadLetterCause.UNCLAIMED, "cluster 'a'");
    DeadLetter other = letter(DeadLetterCause.UNCLAIMED, "cluster 'b'");

    assertThat(limit.passes(one, 0)).isTrue();
    assertThat(limit.passes(one, Duration.ofSeconds(59).toNanos())).isFalse();
    assertThat(limit.passes(other, Duration.ofSeconds(59).toNanos())).isTrue();
    assertThat(limit.passes(one, Duration.ofSeconds(60).toNanos())).isTrue();
  }

  @Test
  void shouldLetEachPassThatHeartbeatsDoNotRepeat() {
    DeadLetter one = letter(DeadLetterCause.MALFORMED, "x");

    assertThat(limit.passes(one, 0)).isTrue();
    assertThat(limit.passes(one, 0)).isTrue();
  }
}
