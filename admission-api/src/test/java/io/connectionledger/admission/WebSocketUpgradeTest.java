package io.connectionledger.admission;

import static org.assertj.core.api.Assertions.assertThat;

import io.envoyproxy.envoy.service.auth.v3.AttributeContext.HttpRequest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class WebSocketUpgradeTest {

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "HTTP/1.1 | websocket         | Upgrade",
        "HTTP/1.1 | WebSocket         | upgrade",
        "HTTP/1.1 | websocket         | keep-alive, Upgrade",
        "HTTP/1.1 | h2c,websocket     | upgrade,keep-alive",
        "HTTP/1.1 | 'h2c , websocket' | ' upgrade '",
        "HTTP/2   | websocket         | upgrade",
      })
  void shouldRecogniseHandshakes(String protocol, String upgrade, String connection) {
    // Given
    HttpRequest request =
        HttpRequest.newBuilder()
            .setProtocol(protocol)
            .putHeaders("upgrade", upgrade)
            .putHeaders("connection", connection)
            .build();
    // When
    boolean asked = WebSocketUpgrade.isAskedBy(request);
    // Then
    assertThat(asked).isTrue();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "HTTP/1.1 | websocket  | keep-alive",
        "HTTP/1.1 | websockets | upgrade",
        "HTTP/1.1 | h2c        | upgrade",
        "HTTP/1.1 | websocket  | upgraded",
        "HTTP/1.1 | ''         | upgrade",
        "HTTP/2   | h2c        | upgrade",
      })
  void shouldLetOtherRequestsBe(String protocol, String upgrade, String connection) {
    // Given
    HttpRequest request =
        HttpRequest.newBuilder()
            .setProtocol(protocol)
            .putHeaders("upgrade", upgrade)
            .putHeaders("connection", connection)
            .build();
    // When
    boolean asked = WebSocketUpgrade.isAskedBy(request);
    // Then
    assertThat(asked).isFalse();
  }

  @ParameterizedTest
  @CsvSource({"HTTP/1.1,false", "HTTP/1.0,false", "'',false", "HTTP/2,true", "HTTP/3,true"})
  void shouldNeedTheConnectionHeaderBeforeHttp2Only(String protocol, boolean expected) {
    // Given
    HttpRequest request =
        HttpRequest.newBuilder()
            .setMethod("GET")
            .setProtocol(protocol)
            .putHeaders("upgrade", "websocket")
            .build();
    // When
    boolean asked = WebSocketUpgrade.isAskedBy(request);
    // Then
    assertThat(asked).isEqualTo(expected);
  }

  @Test
  void shouldLetARequestWithoutHeadersBe() {
    // When
    boolean asked = WebSocketUpgrade.isAskedBy(HttpRequest.getDefaultInstance());
    // Then
    assertThat(asked).isFalse();
  }
}
