package io.connectionledger.app.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import io.connectionledger.app.cluster.Admissions.Sample;
import java.util.List;
import org.junit.jupiter.api.Test;

final class AdmissionsTest {

  @Test
  void shouldFindTheLongestTimeWithoutAnOpen() {
    assertThat(
            Admissions.longestSilenceMs(
                List.of(
                    new Sample(0, 5, 1),
                    new Sample(100, 6, 1),
                    new Sample(400, 6, 1),
                    new Sample(500, 7, 1),
                    new Sample(600, 7, 1))))
        .isEqualTo(300);
  }

  @Test
  void shouldForgiveTheTimeInWhichAllIsTaken() {
    assertThat(
            Admissions.longestSilenceMs(
                List.of(
                    new Sample(0, 5, 1),
                    new Sample(100, 5, 1),
                    new Sample(900, 5, 0),
                    new Sample(1_000, 5, 1),
                    new Sample(1_150, 5, 1))))
        .isEqualTo(250);
  }
}
