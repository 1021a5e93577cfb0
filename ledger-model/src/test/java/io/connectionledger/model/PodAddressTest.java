package io.connectionledger.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class PodAddressTest {

  @ParameterizedTest
  @ValueSource(strings = {"127.0.0.1:1", "10.255.0.7:65535", "[::1]:80", "[fd00::7]:8080"})
  void shouldWriteWhatItRead(String text) {
    assertThat(PodAddress.parse(text)).hasToString(text);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        ":",
        "127.0.0.1",
        "127.0.0.1:",
        "127.0.0.1:0",
        "127.0.0.1:65536",
        "127.0.0.1:x",
        "127.0.0:80",
        "256.0.0.1:80",
        "a.b.c.d:80",
        "pod-1:80",
        "::1:80",
        "[127.0.0.1]:80",
        "[::1:80",
        "[g::1]:80",
        "127.0.0.1:-1",
        "127.0.0.1:+1"
      })
  void shouldRefuseWhatEnvoyWouldNotWrite(String text) {
    assertThatThrownBy(() -> PodAddress.parse(text))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("allowed is");
  }
}
