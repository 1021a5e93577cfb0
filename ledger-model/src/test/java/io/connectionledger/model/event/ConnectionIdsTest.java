package io.connectionledger.model.event;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.util.Base64;
import java.util.HashSet;
import java.util.Set;
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

  /**
   * Whoever saw two ids of java.util.concurrent's generator knew all that followed, as its state
   * steps by a constant. Here, no step is seen twice.
   */
  @Test
  void shouldNotBePredictableFromThoseBefore() {
    Set<Long> steps = new HashSet<>();
    Set<String> ids = new HashSet<>();
    long before = 0;
    for (int i = 0; i < 10_000; i++) {
      String id = ConnectionIds.next(1_700_000_000_000L);
      ids.add(id);
      byte[] bytes = Base64.getUrlDecoder().decode(id);
      long random = ByteBuffer.allocate(8).putShort((short) 0).put(bytes, 6, 6).getLong(0);
      steps.add(random - before);
      before = random;
    }

    assertThat(ids).hasSize(10_000);
    assertThat(steps).hasSize(10_000);
  }
}
