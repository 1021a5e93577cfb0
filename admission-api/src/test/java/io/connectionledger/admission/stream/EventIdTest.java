package io.connectionledger.admission.stream;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.NullSource;
import org.junit.jupiter.params.provider.ValueSource;

final class EventIdTest {

  @Test
  void shouldReadBackWhatItWrote() {
    EventId id = new EventId("AbC-_9", 123_456_789_012L);
    assertThat(EventId.parse(id.toString())).isEqualTo(id);
  }

  @ParameterizedTest
  @NullSource
  @ValueSource(strings = {"", "7", "a.", "a.-1", "a.1x", "a.1.2", "a.9999999999999999999"})
  void shouldTakeNothingElse(String written) {
    assertThat(EventId.parse(written)).isNull();
  }
}
