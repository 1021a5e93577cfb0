package io.connectionledger.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.Arrays;
import java.util.Locale;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class PodAddressTest {

  private static final int WORLDS = 5_000;
  private static final int GROUPS = 8;

  @ParameterizedTest
  @ValueSource(
      strings = {"127.0.0.1:1", "10.255.0.7:65535", "0.0.0.0:1", "[::1]:80", "[fd00::7]:8080"})
  void shouldWriteWhatItRead(String text) {
    assertThat(PodAddress.parse(text)).hasToString(text);
  }

  @ParameterizedTest
  @CsvSource({
    "[0:0:0:0:0:0:0:1]:9101, [::1]:9101",
    "[0000:0000:0000:0000:0000:0000:0000:0001]:9101, [::1]:9101",
    "[FD00::00AB]:1, [fd00::ab]:1",
    "[::ffff:127.0.0.1]:9101, 127.0.0.1:9101",
    "[::FFFF:7f00:1]:9101, 127.0.0.1:9101",
    "[0:0:0:0:0:ffff:127.0.0.1]:9101, 127.0.0.1:9101",
    // The longest run of zeros is left out, of two the first, and never a single one.
    "[2001:0:0:1:0:0:0:1]:1, [2001:0:0:1::1]:1",
    "[2001:db8:0:0:1:0:0:1]:1, [2001:db8::1:0:0:1]:1",
    "[2001:db8::1:1:1:1:1]:1, [2001:db8:0:1:1:1:1:1]:1",
    "[1:2:3:4:5:6:7::]:1, [1:2:3:4:5:6:7:0]:1",
    "[0:0:0:0:0:0:0:0]:1, [::]:1",
    "[1:0:0:0:0:0:0:0]:1, [1::]:1",
    // Other addresses with an IPv4 address in them stay IPv6.
    "[64:ff9b::192.0.2.33]:1, [64:ff9b::c000:221]:1",
    "[::ffff:0:1.2.3.4]:1, [::ffff:0:102:304]:1",
    "[::102:304]:1, [::1.2.3.4]:1",
    "127.0.0.1:0080, 127.0.0.1:80",
  })
  void shouldKeepEveryAddressInOneForm(String text, String canonical) {
    PodAddress address = PodAddress.parse(text);

    assertThat(address).hasToString(canonical).isEqualTo(PodAddress.parse(canonical));
    assertThat(new PodAddress(address.ip(), address.port())).isEqualTo(address);
  }

  @Test
  void shouldTakeEverySpellingOfAnAddressForTheSame() {
    for (int seed = 0; seed < WORLDS; seed++) {
      Random random = new Random(seed);
      byte[] bytes = bytes(random);
      InetAddress judge = judged(bytes);
      PodAddress address = new PodAddress(spelt(bytes, random), 80);

      assertThat(new PodAddress(spelt(bytes, random), 80)).as("seed %d", seed).isEqualTo(address);
      assertThat(PodAddress.parse(address.toString())).as("seed %d", seed).isEqualTo(address);
      assertThat(literal(address.ip())).as("seed %d", seed).isEqualTo(judge);
      assertThat(address.ip())
          .as("seed %d", seed)
          .matches("[0-9a-f:.]+")
          .doesNotContainPattern("(^|:)0[0-9a-f]")
          .hasSizeLessThanOrEqualTo(judge.getHostAddress().length());
    }
  }

  @Test
  void shouldNeverReadAnythingElseOutOfGarbage() {
    String alphabet = "0123456789abcdefABCDEFfff000::::....%gx ";
    int read = 0;
    for (int seed = 0; seed < WORLDS; seed++) {
      Random random = new Random(seed);
      StringBuilder text = new StringBuilder(spelt(bytes(random), random));
      for (int i = random.nextInt(3); i >= 0; i--) {
        char other = alphabet.charAt(random.nextInt(alphabet.length()));
        text.setCharAt(random.nextInt(text.length()), other);
      }
      PodAddress address =
          PodAddress.find("[" + text + "]:80").or(() -> PodAddress.find(text + ":80")).orElse(null);
      if (address != null) {
        assertThat(literal(address.ip())).as("seed %d", seed).isEqualTo(literal(text.toString()));
        read++;
      }
    }
    assertThat(read).isBetween(WORLDS / 10, WORLDS / 10 * 9);
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
        "127.0.0.1:99999999999",
        "127.0.0.1:x",
        "127.0.0.1:٨٠",
        "127.0.0:80",
        "127.1:80",
        "2130706433:80",
        "0x7f.0.0.1:80",
        "127.0.0.04:9104",
        "010.0.0.1:80",
        "127.0.0.00:80",
        "256.0.0.1:80",
        "1.2.3.4.:80",
        ".1.2.3.4:80",
        " 127.0.0.1:80",
        "a.b.c.d:80",
        "pod-1:80",
        "::1:80",
        "[127.0.0.1]:80",
        "[::1:80",
        "]:80",
        "[]:80",
        "[:]:80",
        "[:::]:80",
        "[1:]:80",
        "[:1]:80",
        "[1::2::3]:80",
        "[1:2:3:4:5:6:7]:80",
        "[1:2:3:4:5:6:7:8:9]:80",
        "[1:2:3:4:5:6:7:8::]:80",
        "[1:2:3:4:5:6:7:1.2.3.4]:80",
        "[::ffff:127.0.0.04]:80",
        "[::1.2.3.4:5]:80",
        "[::12345]:80",
        "[::+1]:80",
        "[fe80::1%eth0]:80",
        "[fe80::1%1]:80",
        "[g::1]:80",
        "127.0.0.1:-1",
        "127.0.0.1:+1"
      })
  void shouldRefuseWhatEnvoyWouldNotWrite(String text) {
    assertThat(PodAddress.find(text)).isEmpty();
    assertThatThrownBy(() -> PodAddress.parse(text))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("allowed is");
  }

  /**
   * Mostly zeros and ones, as the addresses of machines are; now and then an IPv4 address in it.
   */
  private static byte[] bytes(Random random) {
    byte[] bytes = new byte[2 * GROUPS];
    for (int i = 0; i < bytes.length; i++) {
      bytes[i] = random.nextBoolean() ? 0 : (byte) random.nextInt(random.nextBoolean() ? 2 : 256);
    }
    if (random.nextInt(4) == 0) {
      Arrays.fill(bytes, 0, 12, (byte) 0);
      if (random.nextBoolean()) {
        bytes[10] = (byte) 0xff;
        bytes[11] = (byte) 0xff;
      }
    }
    return bytes;
  }

  /** One of the many ways to write them. */
  private static String spelt(byte[] bytes, Random random) {
    int[] groups =
        IntStream.range(0, GROUPS)
            .map(i -> Byte.toUnsignedInt(bytes[2 * i]) << 8 | Byte.toUnsignedInt(bytes[2 * i + 1]))
            .toArray();
    int count = random.nextBoolean() ? GROUPS : GROUPS - 2;
    int from = random.nextInt(count);
    int to = from;
    while (to < count && groups[to] == 0 && (to == from || random.nextInt(4) > 0)) {
      to++;
    }
    StringBuilder text = new StringBuilder();
    for (int i = 0; i < count; i++) {
      if (i >= from && i < to) {
        text.append(i == from ? "::" : "");
      } else {
        text.append(i == 0 || (i == to && to > from) ? "" : ":").append(spelt(groups[i], random));
      }
    }
    if (count < GROUPS) {
      text.append(to == count && to > from ? "" : ":");
      for (int i = 2 * count; i < bytes.length; i++) {
        text.append(i == 2 * count ? "" : ".").append(Byte.toUnsignedInt(bytes[i]));
      }
    }
    return text.toString();
  }

  private static String spelt(int group, Random random) {
    String hex = Integer.toHexString(group);
    String padded = "0".repeat(random.nextInt(5 - hex.length())) + hex;
    return random.nextBoolean() ? padded : padded.toUpperCase(Locale.ROOT);
  }

  private static InetAddress judged(byte[] bytes) {
    try {
      return InetAddress.getByAddress(bytes);
    } catch (UnknownHostException wrongLength) {
      throw new IllegalArgumentException(wrongLength);
    }
  }

  /** Asks no resolver, because the text has nothing but digits, dots and colons in it. */
  private static InetAddress literal(String ip) {
    assertThat(ip).matches("[0-9a-fA-F:.]*[:.][0-9a-fA-F:.]*");
    try {
      return InetAddress.getAllByName(ip)[0];
    } catch (UnknownHostException noLiteral) {
      throw new IllegalArgumentException(noLiteral);
    }
  }
}
