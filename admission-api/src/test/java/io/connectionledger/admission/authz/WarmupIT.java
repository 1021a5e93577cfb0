package io.connectionledger.admission.authz;

import static org.assertj.core.api.Assertions.assertThat;

import io.connectionledger.admission.check.Durability;
import io.connectionledger.model.Ticker;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

final class WarmupIT {

  @ParameterizedTest
  @EnumSource(Durability.class)
  void shouldSendChecksThroughARealServerAndReturn(Durability durability) {
    // When
    int answered = new Warmup(Ticker.system(), durability).run();
    // Then
    assertThat(answered).isEqualTo(Warmup.CHECKS);
  }

  @Test
  void shouldEndWhenItsTimeIsUp() {
    // Given
    AtomicLong nowNanos = new AtomicLong();
    Ticker aSecondALook = () -> nowNanos.addAndGet(1_000_000_000);
    // When
    int answered = new Warmup(aSecondALook, Durability.FAST).run();
    // Then
    assertThat(answered).isLessThan(10);
  }
}
