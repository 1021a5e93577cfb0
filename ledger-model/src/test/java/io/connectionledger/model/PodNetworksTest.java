package io.connectionledger.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.connectionledger.model.PodNetworks.Network;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class PodNetworksTest {

  @ParameterizedTest
  @ValueSource(
      strings = {
        "127.0.0.1:9901",
        "127.255.0.1:80",
        "[::1]:80",
        "[::ffff:127.0.0.1]:80",
        "169.254.169.254:80",
        "[fe80::1]:80",
        "[fd00:ec2::254]:80",
        "0.0.0.0:80",
        "0.1.2.3:80",
        "[::]:80",
        "224.0.0.1:80",
        "[ff02::1]:80",
        "255.255.255.255:80"
      })
  void shouldRefuseWhatMeansNoPod(String pod) {
    assertThat(PodNetworks.USUAL.refusal(PodAddress.parse(pod)))
        .hasValueSatisfying(allowed -> assertThat(allowed).contains("unless pods-allowed has it"));
  }

  @ParameterizedTest
  @ValueSource(strings = {"10.0.0.1:80", "192.168.1.1:80", "8.8.8.8:80", "[fd00::7]:80"})
  void shouldTakeAnyOtherAddress(String pod) {
    assertThat(PodNetworks.USUAL.refusal(PodAddress.parse(pod))).isEmpty();
  }

  @Test
  void shouldTakeOnlyTheNetworksThatAreAllowedAndThoseWhateverTheyAre() {
    PodNetworks networks =
        new PodNetworks(
            List.of(
                Network.parse("10.64.0.0/11"),
                Network.parse("127.0.0.2/32"),
                Network.parse("fd00::/8")));

    assertThat(networks.refusal(PodAddress.parse("10.95.255.255:80"))).isEmpty();
    assertThat(networks.refusal(PodAddress.parse("10.96.0.0:80")))
        .hasValue("an address in one of pods-allowed: 10.64.0.0/11, 127.0.0.2/32, fd00::/8");
    assertThat(networks.refusal(PodAddress.parse("127.0.0.2:80"))).isEmpty();
    assertThat(networks.refusal(PodAddress.parse("127.0.0.3:80"))).isPresent();
    assertThat(networks.refusal(PodAddress.parse("[fdff::1]:80"))).isEmpty();
    assertThat(networks.refusal(PodAddress.parse("[fe00::1]:80"))).isPresent();
    assertThat(
            new PodNetworks(List.of(Network.parse("0.0.0.0/0")))
                .refusal(PodAddress.parse("8.8.8.8:1")))
        .isEmpty();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"", "10.0.0.0", "10.0.0.0/33", "10.0.0.0/-1", "a/8", "fd00::/129", "10.0.0.0/08x"})
  void shouldRefuseWhatIsNoNetwork(String text) {
    assertThatThrownBy(() -> Network.parse(text))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage(
            "'" + text + "' is no network: allowed is a network such as 10.0.0.0/8 or fd00::/8");
  }
}
