package io.connectionledger.model.event;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class EnvoyRejectionTest {

  @ParameterizedTest
  @CsvSource({
    "local_rate_limited, local_rate_limited",
    "request_rate_limited, request_rate_limited",
    "upstream_reset_before_response_started{overflow}, overflow",
    "overflow: something newer, overflow",
    "overload, overload",
  })
  void shouldKnowWhatEnvoyTurnedAway(String reason, String label) {
    assertThat(EnvoyRejection.of(reason).map(EnvoyRejection::label)).contains(label);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "via_upstream",
        "ext_authz_denied",
        "no_healthy_upstream",
        "upstream_reset_before_response_started{remote_connection_failure|delayed_connect_error}",
        "",
      })
  void shouldLeaveOtherFailuresAlone(String reason) {
    assertThat(EnvoyRejection.of(reason)).isEmpty();
  }

  @Test
  void shouldShareNoLabelWithTheLedgersOwnReasons() {
    assertThat(Arrays.stream(EnvoyRejection.values()).map(EnvoyRejection::label))
        .doesNotContainAnyElementsOf(
            Arrays.stream(RejectionReason.values()).map(RejectionReason::label).toList());
  }
}
