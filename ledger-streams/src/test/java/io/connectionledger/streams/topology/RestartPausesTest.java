package io.connectionledger.streams.topology;

import static org.assertj.core.api.Assertions.assertThat;

import io.connectionledger.testkit.ManualTicker;
import java.time.Duration;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class RestartPausesTest {

  private final ManualTicker ticker = new ManualTicker();
  private final RestartPauses pauses = new RestartPauses(ticker);

  private Duration failAfter(Duration ran) {
    ticker.advance(ran);
    Duration pause = pauses.next();
    ticker.advance(pause);
    return pause;
  }

  @Test
  void shouldWaitTwiceAsLongForEachThreadThatFailsSoonUpToTheLongest() {
    assertThat(Stream.generate(() -> failAfter(Duration.ofSeconds(1))).limit(9))
        .containsExactly(
            Duration.ofMillis(500),
            Duration.ofSeconds(1),
            Duration.ofSeconds(2),
            Duration.ofSeconds(4),
            Duration.ofSeconds(8),
            Duration.ofSeconds(16),
            RestartPauses.LONGEST,
            RestartPauses.LONGEST,
            RestartPauses.LONGEST);
  }

  @Test
  void shouldBeginAnewAfterAThreadThatRanForLong() {
    failAfter(Duration.ofSeconds(1));
    failAfter(Duration.ofSeconds(1));

    assertThat(failAfter(RestartPauses.SOUND)).isEqualTo(RestartPauses.FIRST);
  }
}
