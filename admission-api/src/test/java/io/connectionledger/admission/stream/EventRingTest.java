package io.connectionledger.admission.stream;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

final class EventRingTest {

  private static final long PLENTY = 1_000;

  private final EventRing ring = new EventRing(3);

  @Test
  void shouldKeepTheLatest() {
    // When
    for (String event : List.of("a", "b", "c", "d")) {
      ring.add(event.getBytes(UTF_8), PLENTY);
    }
    // Then
    assertThat(ring.next()).isEqualTo(5);
    assertThat(kept()).containsExactly("b", "c", "d");
    assertThat(ring.at(1)).isNull();
    assertThat(ring.at(2)).isEqualTo("b".getBytes(UTF_8));
    assertThat(ring.at(4)).isEqualTo("d".getBytes(UTF_8));
    assertThat(ring.at(5)).isNull();
  }

  @Test
  void shouldKeepNoMoreBytesThanToldButAlwaysTheLatest() {
    // When
    ring.add("aaaa".getBytes(UTF_8), 10);
    ring.add("bbbb".getBytes(UTF_8), 10);
    ring.add("cccc".getBytes(UTF_8), 10);
    List<String> twoFit = kept();
    ring.add("longer than all".getBytes(UTF_8), 10);
    // Then
    assertThat(twoFit).containsExactly("bbbb", "cccc");
    assertThat(kept()).containsExactly("longer than all");
  }

  @Test
  void shouldTellWhoMissesSomething() {
    // Given
    assertThat(ring.reaches(1)).isTrue();
    // When
    for (int i = 0; i < 4; i++) {
      ring.add(new byte[] {1}, PLENTY);
    }
    // Then
    assertThat(ring.reaches(0)).isFalse();
    assertThat(ring.reaches(1)).isFalse();
    assertThat(ring.reaches(2)).isTrue();
    assertThat(ring.reaches(5)).isTrue();
    assertThat(ring.reaches(6)).isFalse();
  }

  private List<String> kept() {
    List<String> kept = new ArrayList<>();
    ring.forEach(event -> kept.add(new String(event, UTF_8)));
    return kept;
  }
}
