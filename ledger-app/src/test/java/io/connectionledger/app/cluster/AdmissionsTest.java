package io.connectionledger.app.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import io.connectionledger.app.cluster.Admissions.AdmissionSample;
import java.util.List;
import org.junit.jupiter.api.Test;

final class AdmissionsTest {

  @Test
  void shouldFindTheLongestTimeWithoutAnOpen() {
    assertThat(
            Admissions.longestSilenceMs(
                List.of(
                    new AdmissionSample(0, 5, 1),
                    new AdmissionSample(100, 6, 1),
                    new AdmissionSample(400, 6, 1),
                    new AdmissionSample(500, 7, 1),
                    new AdmissionSample(600, 7, 1))))
        .isEqualTo(300);
  }

  @Test
  void shouldForgiveTheTimeInWhichAllIsTaken() {
    assertThat(
            Admissions.longestSilenceMs(
                List.of(
                    new AdmissionSample(0, 5, 1),
                    new AdmissionSample(100, 5, 1),
                    new AdmissionSample(900, 5, 0),
                    new AdmissionSample(1_000, 5, 1),
                    new AdmissionSample(1_150, 5, 1))))
        .isEqualTo(250);
  }
}
