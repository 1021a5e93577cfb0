package io.connectionledger.app.demo;

import static org.assertj.core.api.Assertions.assertThat;

import io.connectionledger.app.demo.Summary.PodResult;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class SummaryTest {

  private static final PodResult GOOD = new PodResult("pod-1", 10, 10, 10, 9, 9, 0, 0);

  @Test
  void shouldPassWhenEveryCountIsEqual() {
    // When
    Summary summary = Summary.of(List.of(GOOD, GOOD), 40, 40, 0);

    // Then
    assertThat(summary.passed()).isTrue();
    assertThat(summary.lines())
        .noneMatch(line -> line.contains("DIFFERENT") || line.contains("fail-open"));
  }

  @Test
  void shouldSayWhatEnvoyLetInByItself() {
    // When
    Summary summary =
        Summary.of(List.of(GOOD, new PodResult("pod-2", 10, 12, 9, 9, 9, 0, 0)), 40, 40, 3);

    // Then
    assertThat(summary.passed()).isFalse();
    assertThat(summary.lines())
        .anyMatch(line -> line.contains("let 3 of them in") && line.contains("more than 10 at"));
  }

  @ParameterizedTest
  @CsvSource({
    "11, 9, 9, 0, 0", // above the limit
    "10, 9, 8, 0, 0", // the ledger misses one
    "10, 8, 9, 0, 0", // the ledger has one too many
    "10, 9, 9, 1, 1", // somebody never left
    "10, 9, 9, 0, 1", // the ledger keeps one
  })
  void shouldFailWhenAnyPodsCountDiffers(
      int peak, int held, int ledgerHeld, int left, int ledgerLeft) {
    // When
    Summary summary =
        Summary.of(
            List.of(
                GOOD, new PodResult("pod-2", 10, peak, peak, held, ledgerHeld, left, ledgerLeft)),
            40,
            40,
            0);

    // Then
    assertThat(summary.passed()).isFalse();
    assertThat(summary.lines())
        .anyMatch(line -> line.contains("pod-2") && line.contains("DIFFERENT"));
  }

  @Test
  void shouldFailWhenAConnectionWasNeverReported() {
    assertThat(Summary.of(List.of(GOOD), 41, 40, 0).passed()).isFalse();
  }
}
