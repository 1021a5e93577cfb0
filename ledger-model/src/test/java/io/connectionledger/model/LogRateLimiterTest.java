package io.connectionledger.model;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import org.junit.jupiter.api.Test;

class LogRateLimiterTest {

  private long nowNanos = 5;
  private final LogRateLimiter lines = new LogRateLimiter(() -> nowNanos, Duration.ofSeconds(10));

  @Test
  void shouldLetOneLineThroughInAnInterval() {
    assertThat(lines.passes()).isTrue();
    for (int i = 0; i < 1_000; i++) {
      nowNanos += 9_000_000;
      assertThat(lines.passes()).isFalse();
    }

    nowNanos = 5 + Duration.ofSeconds(10).toNanos();

    assertThat(lines.passes()).isTrue();
    assertThat(lines.passes()).isFalse();
  }
}
