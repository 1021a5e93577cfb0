package io.connectionledger.streams.query;

import static org.assertj.core.api.Assertions.assertThat;

import io.connectionledger.testkit.ManualTicker;
import java.time.Duration;
import org.junit.jupiter.api.Test;

class ExpiringMemoTest {

  private final ManualTicker ticker = new ManualTicker();
  private final ExpiringMemo<Integer> memo = new ExpiringMemo<>(ticker);
  private int asked;

  private int ask(String key) {
    return memo.of(key, () -> ++asked);
  }

  @Test
  void shouldFindOutOnceASecond() {
    assertThat(ask("a")).isEqualTo(1);
    ticker.advance(Duration.ofMillis(999));
    assertThat(ask("a")).isEqualTo(1);
    assertThat(ask("b")).isEqualTo(2);
    ticker.advance(Duration.ofMillis(1));
    assertThat(ask("a")).isEqualTo(3);
    assertThat(ask("b")).isEqualTo(2);
  }
}
