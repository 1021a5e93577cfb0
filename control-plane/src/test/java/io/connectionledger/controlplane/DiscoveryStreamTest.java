package io.connectionledger.controlplane;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.rpc.Status;
import io.envoyproxy.envoy.service.discovery.v3.DeltaDiscoveryRequest;
import io.envoyproxy.envoy.service.discovery.v3.DeltaDiscoveryResponse;
import io.envoyproxy.envoy.service.discovery.v3.DiscoveryRequest;
import io.envoyproxy.envoy.service.discovery.v3.DiscoveryResponse;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

final class DiscoveryStreamTest {

  private final List<Nack> log = new ArrayList<>();
  private final Nacks nacks = new Nacks(new SimpleMeterRegistry(), log::add);
  private final DiscoveryStream stream = new DiscoveryStream(nacks);

  @Test
  void shouldKeepTheTypesOfAnAggregatedStreamApart() {
    // Given
    stream.sent(response("endpoints", "0", "v1"));
    stream.sent(response("clusters", "1", "v2"));
    // When
    DiscoveryRequest refusal = stream.received(refusal("endpoints", "0", "v0"));
    DiscoveryRequest acceptance = stream.received(request("clusters", "1", "v2"));
    DiscoveryRequest later = stream.received(request("endpoints", "0", "v0"));
    // Then
    assertThat(refusal).isEqualTo(request("endpoints", "0", "v1"));
    assertThat(acceptance).isEqualTo(request("clusters", "1", "v2"));
    assertThat(later).isEqualTo(request("endpoints", "0", "v1"));
    assertThat(log).extracting(Nack::version).containsExactly("v1");
  }

  @Test
  void shouldForgetTheRefusalWithTheNextResponse() {
    // Given
    stream.sent(response("endpoints", "0", "v1"));
    stream.received(refusal("endpoints", "0", ""));
    // When
    stream.sent(response("endpoints", "1", "v2"));
    // Then
    DiscoveryRequest acceptance = request("endpoints", "1", "v2");
    assertThat(stream.received(acceptance)).isEqualTo(acceptance);
  }

  @Test
  void shouldLeaveAloneWhatRefusesNothingThatItKnows() {
    // Given
    stream.sent(response("endpoints", "1", "v2"));
    stream.sent(DeltaDiscoveryResponse.newBuilder().setTypeUrl("delta").setNonce("1").build());
    // When
    DiscoveryRequest stale = refusal("endpoints", "0", "v1");
    DeltaDiscoveryRequest unknown =
        DeltaDiscoveryRequest.newBuilder()
            .setTypeUrl("delta")
            .setResponseNonce("7")
            .setErrorDetail(Status.newBuilder().setMessage("no"))
            .build();
    // Then
    assertThat(stream.received(stale)).isEqualTo(stale);
    assertThat(stream.received(unknown)).isEqualTo(unknown);
    assertThat(stream.received("neither")).isEqualTo("neither");
  }

  /** On which the discovery server would end with an exception, and a stack trace in the log. */
  @Test
  void shouldPassOnNoAcceptanceOfWhatWasNotSentOrIsAnsweredAlready() {
    // Given
    stream.sent(DeltaDiscoveryResponse.newBuilder().setTypeUrl("delta").setNonce("1").build());
    DeltaDiscoveryRequest acceptance =
        DeltaDiscoveryRequest.newBuilder().setTypeUrl("delta").setResponseNonce("1").build();
    DeltaDiscoveryRequest other = acceptance.toBuilder().setResponseNonce("2").build();
    DeltaDiscoveryRequest none = acceptance.toBuilder().clearResponseNonce().build();
    // Then
    assertThat(stream.received(other)).isEqualTo(none);
    assertThat(stream.received(acceptance)).isEqualTo(acceptance);
    assertThat(stream.received(acceptance)).isEqualTo(none);
  }

  @Test
  void shouldKeepTheReasonShortAndOnOneLine() {
    // Given
    stream.sent(response("endpoints", "0", "v1"));
    // When
    stream.received(
        request("endpoints", "0", "").toBuilder()
            .setErrorDetail(Status.newBuilder().setMessage("a\r\n\tb " + "x".repeat(400)))
            .build());
    // Then
    assertThat(log).extracting(Nack::reason).containsExactly("a b " + "x".repeat(294) + "…");
  }

  @Test
  void shouldNotRememberWithoutBounds() {
    // When
    for (int i = 0; i <= Nacks.REMEMBERED; i++) {
      nacks.add(new Nack("envoy-" + i, "v1", "chat", "no"));
    }
    nacks.add(new Nack("envoy-" + Nacks.REMEMBERED, "v1", "chat", "no"));
    nacks.add(new Nack("envoy-0", "v1", "chat", "no"));
    // Then
    assertThat(log).hasSize(Nacks.REMEMBERED + 2);
  }

  private static DiscoveryResponse response(String type, String nonce, String version) {
    return DiscoveryResponse.newBuilder()
        .setTypeUrl(type)
        .setNonce(nonce)
        .setVersionInfo(version)
        .build();
  }

  private static DiscoveryRequest request(String type, String nonce, String version) {
    return DiscoveryRequest.newBuilder()
        .setTypeUrl(type)
        .setResponseNonce(nonce)
        .setVersionInfo(version)
        .addResourceNames("chat")
        .build();
  }

  private static DiscoveryRequest refusal(String type, String nonce, String version) {
    return request(type, nonce, version).toBuilder()
        .setErrorDetail(Status.newBuilder().setMessage("no"))
        .build();
  }
}
