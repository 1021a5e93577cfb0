package io.connectionledger.model.policy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class DrainPaceTest {

  @ParameterizedTest
  @CsvSource({
    "999, 10",
    "1000, 10",
    "1001, 10",
    "1099, 10",
    "1100, 9",
    "1500, 5",
    "1999, 1",
    "2000, 0",
    "9999, 0"
  })
  void shouldLetGoEvenly(long nowMs, int allowed) {
    assertThat(new DrainPace(1_000, 2_000, 10).allowed(nowMs)).isEqualTo(allowed);
  }

  @Test
  void shouldHaveNothingToLetGoOfAnEmptyPod() {
    assertThat(new DrainPace(1_000, 2_000, 0).allowed(1_000)).isZero();
    assertThat(new DrainPace(0, 86_400_000, Integer.MAX_VALUE).allowed(0))
        .isEqualTo(Integer.MAX_VALUE);
  }

  @Test
  void shouldRefuseToEndBeforeItBegins() {
    assertThatThrownBy(() -> new DrainPace(5, 5, 1)).isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> new DrainPace(5, 6, -1)).isInstanceOf(IllegalArgumentException.class);
  }
}
