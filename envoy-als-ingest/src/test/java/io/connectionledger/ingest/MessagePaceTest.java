package io.connectionledger.ingest;

import static org.assertj.core.api.Assertions.assertThat;

import io.connectionledger.testkit.ManualTicker;
import java.time.Duration;
import org.junit.jupiter.api.Test;

class MessagePaceTest {

  private final ManualTicker ticker = new ManualTicker();
  private final MessagePace pace = new MessagePace(ticker);

  @Test
  void shouldLetABurstPassAndThenSoManyASecond() {
    for (int i = 0; i < MessagePace.BURST; i++) {
      assertThat(pace.nanosUntilNext()).isZero();
    }
    long waitedNanos = 0;
    for (int i = 0; i < 10 * MessagePace.MESSAGES_PER_SECOND; i++) {
      long waitNanos = pace.nanosUntilNext();
      ticker.advance(Duration.ofNanos(waitNanos));
      waitedNanos += waitNanos;
    }

    assertThat(Duration.ofNanos(waitedNanos)).isEqualTo(Duration.ofSeconds(10));
  }

  @Test
  void shouldHoldUpNobodyWhoSendsAsAnEnvoyDoes() {
    for (int i = 0; i < 10_000; i++) {
      ticker.advance(Duration.ofMillis(1));
      assertThat(pace.nanosUntilNext()).isZero();
    }
  }
}
