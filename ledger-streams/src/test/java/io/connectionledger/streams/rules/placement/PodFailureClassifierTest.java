package io.connectionledger.streams.rules.placement;

import static org.assertj.core.api.Assertions.assertThat;

import io.connectionledger.model.event.ConnectionEvent.Failed;
import io.connectionledger.streams.rules.placement.PodFailureClassifier.Fault;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class PodFailureClassifierTest {

  @ParameterizedTest
  @CsvSource({
    "500, via_upstream, POD_OR_CLIENT",
    "501, via_upstream, POD_OR_CLIENT",
    "502, via_upstream, POD",
    "503, via_upstream, POD",
    "400, via_upstream, OTHER",
    "401, via_upstream, OTHER",
    "426, via_upstream, OTHER",
    "200, via_upstream, OTHER",
    "503, upstream_reset_before_response_started{remote_connection_failure|111}, POD",
    "503, upstream_reset_before_response_started{connection_timeout}, POD",
    "503, upstream_reset_before_response_started{connection_termination}, POD",
    "502, upstream_reset_before_response_started{protocol_error}, POD",
    "503, upstream_reset_before_response_started{overflow}, OTHER",
    "503, upstream_reset_before_response_started{local_connection_failure}, OTHER",
    "503, upstream_reset_before_response_started{overload_manager_reset}, OTHER",
    "504, upstream_response_timeout, POD",
    "503, no_healthy_upstream, POD",
    "0, downstream_remote_disconnect, OTHER",
    "429, local_rate_limited, OTHER",
    "503, ext_authz_denied, OTHER",
    "503, ext_authz_error, OTHER",
    "503, unknown, OTHER"
  })
  void shouldBlameThePodForWhatItDidAndForNothingElse(int status, String reason, Fault fault) {
    Failed failed = new Failed("chat", "c1", null, "envoy-1", status, reason, 1);

    assertThat(PodFailureClassifier.fault(failed)).isEqualTo(fault);
  }
}
