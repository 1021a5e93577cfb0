package io.connectionledger.model.event;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ConnectionIdsTest {

  @ParameterizedTest
  @ValueSource(longs = {0, 1, 0xffff_ffffL, 1_800_000_000_123L, (1L << 48) - 1})
  void shouldTellWhenAnIdWasMade(long nowMs) {
    assertThat(ConnectionIds.madeAtMs(ConnectionIds.next(nowMs))).hasValue(nowMs);
  }

  @Test
  void shouldTellNothingOfWhatIsNoneOfItsIds() {
    assertThat(ConnectionIds.madeAtMs("")).isEmpty();
    assertThat(ConnectionIds.madeAtMs("c1")).isEmpty();
    assertThat(ConnectionIds.madeAtMs("AaMYXFPoGRmbZyl=")).isEmpty();
    assertThat(ConnectionIds.madeAtMs("u-0123456789abcdef")).isEmpty();
  }

  @Test
  void shouldTellALentSlotFromAnother() {
    String lent = ConnectionIds.nextLent(1_700_000_000_000L);

    assertThat(ConnectionIds.isLent(lent)).isTrue();
    assertThat(ConnectionIds.isValid(lent)).isTrue();
    assertThat(ConnectionIds.madeAtMs(lent)).hasValue(1_700_000_000_000L);
    assertThat(ConnectionIds.isLent(ConnectionIds.next(1_700_000_000_000L))).isFalse();
    assertThat(ConnectionIds.isLent("l-")).isFalse();
  }
}
