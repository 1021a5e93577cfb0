package io.connectionledger.admission.authz;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import io.envoyproxy.envoy.config.core.v3.HeaderMap;
import io.envoyproxy.envoy.config.core.v3.HeaderValue;
import io.envoyproxy.envoy.service.auth.v3.AttributeContext.HttpRequest;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.StringJoiner;
import java.util.stream.Stream;
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
  @CsvSource({"HTTP/1.1", "HTTP/1.0", "''", "HTTP/2", "HTTP/3"})
  void shouldTakeAHandshakeForOneWhoseConnectionIsNotPassedOn(String protocol) {
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
    assertThat(asked).isTrue();
  }

  @Test
  void shouldReadRawHeadersWhoseNamesRepeat() {
    // Given
    HttpRequest request =
        HttpRequest.newBuilder()
            .setProtocol("HTTP/1.1")
            .setHeaderMap(
                HeaderMap.newBuilder()
                    .addHeaders(raw("Upgrade", "h2c"))
                    .addHeaders(raw("upgrade", "WebSocket"))
                    .addHeaders(raw("connection", "keep-alive"))
                    .addHeaders(raw("connection", "Upgrade")))
            .build();
    // When
    boolean asked = WebSocketUpgrade.isAskedBy(request);
    // Then
    assertThat(asked).isTrue();
  }

  private static HeaderValue raw(String name, String value) {
    return HeaderValue.newBuilder()
        .setKey(name)
        .setRawValue(ByteString.copyFromUtf8(value))
        .build();
  }

  @Test
  void shouldNeverMissWhatEnvoyUpgrades() {
    Random random = new Random(1);
    int upgraded = 0;
    for (int i = 0; i < 200_000; i++) {
      Handshake handshake = Handshake.random(random);
      upgraded += handshake.isUpgraded() ? 1 : 0;
      if (handshake.isUpgraded()) {
        assertThat(WebSocketUpgrade.isAskedBy(handshake.check(random)))
            .as(handshake.toString())
            .isTrue();
      }
    }
    assertThat(upgraded).isGreaterThan(10_000);
  }

  /** A request as a client sends it, each header as often and as oddly as it likes. */
  private record Handshake(boolean http2, List<String> upgrades, List<String> connections) {

    private static final List<String> UPGRADES =
        List.of("websocket", "WebSocket", "WEBSOCKET", "h2c", "websocket/13", "spdy/3.1", "");
    private static final List<String> CONNECTIONS =
        List.of("upgrade", "Upgrade", "UPGRADE", "keep-alive", "close", "te", "");

    static Handshake random(Random random) {
      return new Handshake(
          random.nextInt(4) == 0, lists(UPGRADES, random), lists(CONNECTIONS, random));
    }

    private static List<String> lists(List<String> tokens, Random random) {
      List<String> lists = new ArrayList<>();
      for (int i = random.nextInt(3); i >= 0; i--) {
        StringJoiner list = new StringJoiner(random.nextBoolean() ? "," : " ,\t");
        for (int j = random.nextInt(3); j >= 0; j--) {
          list.add(tokens.get(random.nextInt(tokens.size())));
        }
        lists.add(list.toString());
      }
      return lists;
    }

    /**
     * Whether Envoy 1.40 may upgrade it: HandshakeFormsE2E shows that it does so only where one of
     * the values of upgrade is websocket and, before HTTP/2, one of those of connection is upgrade.
     */
    boolean isUpgraded() {
      return contains(upgrades, "websocket") && (http2 || contains(connections, "upgrade"));
    }

    private static boolean contains(List<String> lists, String token) {
      return lists.stream()
          .flatMap(list -> Stream.of(list.split(",", -1)))
          .anyMatch(value -> value.strip().equalsIgnoreCase(token));
    }

    /** In one of the forms in which Envoy shows it to the ledger, whole or in part. */
    HttpRequest check(Random random) {
      Map<String, List<String>> headers = new LinkedHashMap<>();
      boolean passesUpgradeOn = random.nextInt(4) > 0;
      if (passesUpgradeOn) {
        headers.put("upgrade", upgrades);
      }
      if (random.nextInt(4) > 0 && !http2) {
        headers.put("connection", connections);
      }
      if (!passesUpgradeOn || random.nextBoolean()) {
        headers.put(
            random.nextBoolean() ? "sec-websocket-version" : "sec-websocket-key", List.of("13"));
      }
      HttpRequest.Builder request = HttpRequest.newBuilder().setMethod("GET");
      request.setProtocol(http2 ? "HTTP/2" : random.nextInt(9) == 0 ? "" : "HTTP/1.1");
      if (random.nextBoolean()) {
        headers.forEach((name, values) -> request.putHeaders(name, String.join(",", values)));
      } else {
        HeaderMap.Builder map = HeaderMap.newBuilder();
        headers.forEach(
            (name, values) ->
                values.forEach(
                    value ->
                        map.addHeaders(
                            random.nextBoolean()
                                ? raw(name, value)
                                : HeaderValue.newBuilder().setKey(name).setValue(value).build())));
        request.setHeaderMap(map);
      }
      return request.build();
    }
  }

  @Test
  void shouldLetARequestWithoutHeadersBe() {
    // When
    boolean asked = WebSocketUpgrade.isAskedBy(HttpRequest.getDefaultInstance());
    // Then
    assertThat(asked).isFalse();
  }
}
