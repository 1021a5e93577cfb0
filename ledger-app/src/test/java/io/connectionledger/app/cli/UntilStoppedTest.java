package io.connectionledger.app.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** What a signal does is proved by a real process in ServeIT. */
final class UntilStoppedTest {

  @Test
  void shouldCloseAndEndWith0AfterTheLimit() throws Exception {
    List<String> order = new ArrayList<>();

    int exitCode =
        UntilStopped.run(
            () -> {
              order.add("start");
              return () -> order.add("close");
            },
            Optional.of(Duration.ofMillis(5)));

    assertThat(exitCode).isZero();
    assertThat(order).containsExactly("start", "close");
  }

  @Test
  void shouldHandOnWhatTheStartThrows() {
    assertThatThrownBy(
            () ->
                UntilStopped.run(
                    () -> {
                      throw new IllegalStateException("no");
                    }))
        .isInstanceOf(IllegalStateException.class)
        .hasMessage("no");
  }
}
