package io.connectionledger.streams.rules.placement;

import static org.assertj.core.api.Assertions.assertThat;

import io.connectionledger.model.event.ConnectionEvent.Failed;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class PodFailureClassifierTest {

  @ParameterizedTest
  @CsvSource({
    "500, via_upstream, true",
    "503, via_upstream, true",
    "400, via_upstream, false",
    "401, via_upstream, false",
    "426, via_upstream, false",
    "200, via_upstream, false",
    "503, upstream_reset_before_response_started{remote_connection_failure|111}, true",
    "503, upstream_reset_before_response_started{connection_timeout}, true",
    "503, upstream_reset_before_response_started{connection_termination}, true",
    "502, upstream_reset_before_response_started{protocol_error}, true",
    "503, upstream_reset_before_response_started{overflow}, false",
    "503, upstream_reset_before_response_started{local_connection_failure}, false",
    "503, upstream_reset_before_response_started{overload_manager_reset}, false",
    "504, upstream_response_timeout, true",
    "503, no_healthy_upstream, true",
    "0, downstream_remote_disconnect, false",
    "429, local_rate_limited, false",
    "503, ext_authz_denied, false",
    "503, ext_authz_error, false",
    "503, unknown, false"
  })
  void shouldBlameThePodForWhatItDidAndForNothingElse(int status, String reason, boolean fault) {
    Failed failed = new Failed("chat", "c1", null, "envoy-1", status, reason, 1);

    assertThat(PodFailureClassifier.isIn(failed)).isEqualTo(fault);
  }
}
